package invoke

import "time"

// ServiceName is the protocol's name in the resource manager's limits.
const ServiceName = "p2pfaas.invoke"

const (
	// writeSize is how much is written at once: with yamux's header and the tag
	// it fills one noise message; more would be split there.
	writeSize = 65507
	largeSize = 64 << 10  // a body known to be no larger is never waited for
	ringSize  = 128 << 10 // of a larger or unknown body, received but not read
	bufSize   = 4 << 10   // of each stream, for its life
	maxChunk  = 1 << 20
	maxLine   = 1024 // invocations that wait for a stream to one peer

	// drainTime is how long a server waits for the rest of a body that nobody
	// reads any more.
	drainTime = 10 * time.Second
	// drainMax is how much of it: what the client has sent whole may all still be
	// under way, as large as a stream's window. It keeps the stream, so this side must.
	drainMax = 16 << 20
	// deadlineGrace is how long after its deadline a client still waits for the
	// server to say that it has passed.
	deadlineGrace = 250 * time.Millisecond
	// lingerTime is how long a closed upgraded stream waits for the other side.
	lingerTime = 5 * time.Second
	// settleTime is how long a client waits, after the whole answer, for its last
	// write to return.
	settleTime = 20 * time.Millisecond
	// fullCheck is how often a reader that cannot read on, since its pipe is
	// full, looks whether the stream has been reset.
	fullCheck = 20 * time.Millisecond
)

func (c Config) withDefaults() Config {
	set(&c.Streams, 64)
	set(&c.StreamsMax, 512)
	set(&c.StreamBusy, 5*time.Second)
	set(&c.StreamIdle, time.Minute)
	set(&c.HeaderMax, 1<<20)
	set(&c.ProgressAfter, 20*time.Millisecond)
	set(&c.ProgressEvery, time.Second)
	c.StreamsMax = max(c.Streams, c.StreamsMax)
	return c
}

func set[T int | time.Duration](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}
