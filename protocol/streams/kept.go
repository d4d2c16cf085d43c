package streams

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// keptBuffer is what one Stream buffers of what it reads, in bytes.
const keptBuffer = 512

// AskTime bounds an exchange whose context has no deadline.
const AskTime = 5 * time.Second

// Kept asks peers questions of one protocol, over a kept stream for each. It
// does not dial. The other side MUST allow a stream to lie unused for longer than
// idle, so that the asker is who closes.
type Kept struct {
	host host.Host
	id   protocol.ID
	idle time.Duration

	mu     sync.Mutex // guards the fields below
	closed bool
	kept   map[peer.ID]*Stream
}

// Stream is one of them, with a reader that outlives an exchange.
type Stream struct {
	network.Stream
	R *bufio.Reader
	// Buffer is memory for the use of exchanges, one after the other.
	Buffer []byte
	unused *time.Timer // closes it
}

// NewKept returns a Kept whose streams are closed after lying unused for idle.
func NewKept(h host.Host, id protocol.ID, idle time.Duration) *Kept {
	return &Kept{host: h, id: id, idle: idle, kept: make(map[peer.ID]*Stream)}
}

// Exchange asks p by ask, which writes a question to the stream and reads its
// answer. A kept stream that turns out to be dead is replaced by a new one,
// once, and the question asked again: it MUST be repeatable.
func (k *Kept) Exchange(ctx context.Context, p peer.ID, ask func(*Stream) error) error {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	if s := k.take(p); s != nil {
		if err := k.exchange(ctx, p, s, ask); err == nil || ctx.Err() != nil {
			return err
		}
	}
	s, err := k.open(ctx, p)
	if err != nil {
		return err
	}
	return k.exchange(ctx, p, s, ask)
}

func withLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, AskTime)
}

func (k *Kept) open(ctx context.Context, p peer.ID) (*Stream, error) {
	ctx = network.WithNoDial(network.WithAllowLimitedConn(ctx, string(k.id)), string(k.id))
	s, err := k.host.NewStream(ctx, p, k.id)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	return &Stream{Stream: s, R: bufio.NewReaderSize(s, keptBuffer)}, nil
}

// exchange asks once on s, which is kept or reset.
func (k *Kept) exchange(ctx context.Context, p peer.ID, s *Stream, ask func(*Stream) error) error {
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	err := ask(s)
	if !stop() {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		_ = s.Reset()
		return err
	}
	k.keep(p, s)
	return nil
}

func (k *Kept) take(p peer.ID) *Stream {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.kept[p]
	delete(k.kept, p)
	if s != nil {
		s.unused.Stop()
	}
	return s
}

func (k *Kept) keep(p peer.ID, s *Stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, taken := k.kept[p]; taken || k.closed {
		_ = s.Reset()
		return
	}
	k.kept[p] = s
	s.unused = time.AfterFunc(k.idle, func() { k.drop(p, s) })
}

// drop closes s unless somebody has taken it meanwhile.
func (k *Kept) drop(p peer.ID, s *Stream) {
	k.mu.Lock()
	mine := k.kept[p] == s
	if mine {
		delete(k.kept, p)
	}
	k.mu.Unlock()
	if mine {
		_ = s.Reset()
	}
}

// Close closes the kept streams. Exchanges under way end by their own contexts.
func (k *Kept) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for p, s := range k.kept {
		s.unused.Stop()
		_ = s.Reset()
		delete(k.kept, p)
	}
	return nil
}
