package load

import (
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of loadpb.Report and loadpb.Entry.
const (
	reportIncarnation protowire.Number = 1
	reportCounter     protowire.Number = 2
	reportAge         protowire.Number = 3
	reportWait        protowire.Number = 4
	reportRunning     protowire.Number = 5
	reportQueued      protowire.Number = 6
	reportServers     protowire.Number = 7
	reportSpeed       protowire.Number = 8
	reportRate        protowire.Number = 9
	reportOut         protowire.Number = 10
	reportFunctions   protowire.Number = 11
	reportDraining    protowire.Number = 12

	entryPeer   protowire.Number = 1
	entryReport protowire.Number = 2
)

// nominalSpeed is what an absent speed_milli stands for.
const nominalSpeed = 1000

// AppendNews appends n to an enclosing message, as its fields sender (a
// loadpb.Report) and others (loadpb.Entry, at most MaxEntries of them). A
// field number of 0 leaves that part out; so does a nil n.
func AppendNews(b []byte, sender, others protowire.Number, n *News) []byte {
	if n == nil {
		return b
	}
	if n.Has && sender != 0 {
		var at int
		b, at = open(b, sender)
		b = shut(AppendReport(b, &n.Sender), at)
	}
	if others == 0 {
		return b
	}
	for i := range n.Others[:min(len(n.Others), MaxEntries)] {
		var at int
		b, at = open(b, others)
		b = shut(appendEntry(b, &n.Others[i]), at)
	}
	return b
}

// AppendReport appends r as a loadpb.Report. What is negative or not a number
// is written as 0, what is too large as the largest value there is.
func AppendReport(b []byte, r *Report) []byte {
	b = appendUint(b, reportIncarnation, r.Incarnation)
	b = appendUint(b, reportCounter, r.Counter)
	b = appendUint(b, reportAge, micros(r.Age))
	b = appendUint(b, reportWait, micros(r.Wait))
	b = appendUint(b, reportRunning, count(r.Running))
	b = appendUint(b, reportQueued, count(r.Queued))
	b = appendUint(b, reportServers, count(r.Servers))
	if speed := milli(r.Speed); speed != nominalSpeed {
		b = appendUint(b, reportSpeed, speed)
	}
	b = appendUint(b, reportRate, milli(r.Rate))
	b = appendUint(b, reportOut, milli(r.Out))
	if r.Functions != 0 {
		b = protowire.AppendTag(b, reportFunctions, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, r.Functions)
	}
	return appendUint(b, reportDraining, protowire.EncodeBool(r.Draining))
}

func appendEntry(b []byte, e *Entry) []byte {
	if e.Peer != 0 {
		b = protowire.AppendTag(b, entryPeer, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, uint64(e.Peer))
	}
	b, at := open(b, entryReport)
	return shut(AppendReport(b, &e.Report), at)
}

// ParseReport reads a loadpb.Report into r, whose old content is lost. Errors
// wrap ErrMalformed.
func ParseReport(b []byte, r *Report) error {
	*r = Report{Speed: 1}
	for len(b) > 0 {
		num, v, _, used := next(b)
		if used < 0 {
			return fmt.Errorf("report field: %w", ErrMalformed)
		}
		b = b[used:]
		r.set(num, v)
	}
	return nil
}

func (r *Report) set(num protowire.Number, v uint64) {
	switch num {
	case reportIncarnation:
		r.Incarnation = v
	case reportCounter:
		r.Counter = v
	case reportAge:
		r.Age = duration(v)
	case reportWait:
		r.Wait = duration(v)
	case reportRunning:
		r.Running = integer(v)
	case reportQueued:
		r.Queued = integer(v)
	case reportServers:
		r.Servers = integer(v)
	case reportSpeed:
		r.Speed = speed(v)
	case reportRate:
		r.Rate = float64(uint32(v)) / 1000
	case reportOut:
		r.Out = float64(uint32(v)) / 1000
	case reportFunctions:
		r.Functions = v
	case reportDraining:
		r.Draining = protowire.DecodeBool(v)
	}
}

// ParseEntry reads a loadpb.Entry into e, whose old content is lost. Errors
// wrap ErrMalformed.
func ParseEntry(b []byte, e *Entry) error {
	*e = Entry{Report: Report{Speed: 1}}
	for len(b) > 0 {
		num, v, sub, used := next(b)
		if used < 0 {
			return fmt.Errorf("entry field: %w", ErrMalformed)
		}
		b = b[used:]
		switch {
		case num == entryPeer && sub == nil:
			e.Peer = Key(v)
		case num == entryReport && sub != nil:
			if err := ParseReport(sub, &e.Report); err != nil {
				return err
			}
		}
	}
	return nil
}

// next reads one field: v of a number, sub (never nil) of a message. A field
// whose wire type is not the one these messages use has number 0. used is
// negative if b is malformed.
func next(b []byte) (num protowire.Number, v uint64, sub []byte, used int) {
	num, typ, used := protowire.ConsumeTag(b)
	if used < 0 || num > protowire.MaxValidNumber {
		return 0, 0, nil, -1
	}
	n := -1
	switch {
	case typ == protowire.VarintType && num != reportFunctions:
		v, n = protowire.ConsumeVarint(b[used:])
	case typ == protowire.Fixed64Type && (num == reportFunctions || num == entryPeer):
		v, n = protowire.ConsumeFixed64(b[used:])
	case typ == protowire.BytesType:
		sub, n = protowire.ConsumeBytes(b[used:])
	default:
		num, n = 0, protowire.ConsumeFieldValue(num, typ, b[used:])
	}
	if n < 0 {
		return 0, 0, nil, n
	}
	return num, v, sub, used + n
}

func appendUint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

// open begins an embedded message; what is appended until shut belongs to it.
func open(b []byte, num protowire.Number) ([]byte, int) {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return append(b, 0), len(b)
}

// shut puts the length where open left one byte for it, moving the message if
// its length needs more.
func shut(b []byte, at int) []byte {
	size := len(b) - at - 1
	extra := protowire.SizeVarint(uint64(size)) - 1
	if extra > 0 {
		b = append(b, make([]byte, extra)...)
		copy(b[at+1+extra:], b[at+1:at+1+size])
	}
	protowire.AppendVarint(b[:at], uint64(size))
	return b
}

func micros(d time.Duration) uint64 { return uint64(max(0, d) / time.Microsecond) }

func duration(us uint64) time.Duration {
	return time.Duration(min(us, math.MaxInt64/uint64(time.Microsecond))) * time.Microsecond
}

func count(n int) uint64 { return uint64(min(max(0, int64(n)), math.MaxUint32)) }

func integer(v uint64) int { return int(min(uint32(v), math.MaxInt32)) }

func milli(f float64) uint64 {
	if !(f > 0) { // NaN too
		return 0
	}
	return uint64(math.Round(min(f*1000, math.MaxUint32)))
}

func speed(v uint64) float64 {
	if uint32(v) == 0 {
		return 1
	}
	return float64(uint32(v)) / 1000
}
