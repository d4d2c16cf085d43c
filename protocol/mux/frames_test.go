package mux

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
)

// A rawPeer is the client of a session of ours, and writes frames by hand.
type rawPeer struct {
	t testing.TB
	net.Conn
	session *Session
}

func newRawPeer(t testing.TB, cfg Config, scope network.PeerScope) *rawPeer {
	t.Helper()
	a, b := tcpPair(t)
	m, err := ours{New(cfg)}.NewConn(b, true, scope)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return &rawPeer{t, a, m.(*Session)}
}

func (p *rawPeer) send(h header, body ...byte) {
	p.t.Helper()
	if _, err := p.Write(append(appendHeader(nil, h), body...)); err != nil {
		p.t.Fatal(err)
	}
}

// frame is the next one that is no ping.
func (p *rawPeer) frame() (header, []byte, error) {
	for {
		b := make([]byte, headerSize)
		if _, err := io.ReadFull(p, b); err != nil {
			return header{}, nil, err
		}
		h, err := parseHeader(b)
		if err != nil {
			return header{}, nil, err
		}
		var body []byte
		if h.kind == kindData {
			body = make([]byte, h.length)
			if _, err := io.ReadFull(p, body); err != nil {
				return header{}, nil, err
			}
		}
		if h.kind != kindPing || h.has(flagACK) {
			return h, body, nil
		}
	}
}

func (p *rawPeer) expect(want header, body string) {
	p.t.Helper()
	h, got, err := p.frame()
	if err != nil || h != want || string(got) != body {
		p.t.Fatalf("frame %+v %q, %v; want %+v %q", h, got, err, want, body)
	}
}

func (p *rawPeer) accept() network.MuxedStream {
	p.t.Helper()
	s, err := p.session.AcceptStream()
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// The frames are those of the specification, flag by flag.
func TestFrames(t *testing.T) {
	p := newRawPeer(t, Config{FirstWindow: 512 << 10}, nil)
	p.send(header{kind: kindData, flags: flagSYN, id: 1, length: 2}, 'h', 'i')
	s := p.accept()
	p.expect(header{kind: kindWindow, flags: flagACK, id: 1, length: 256 << 10}, "")
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	p.expect(header{kind: kindData, id: 1, length: 5}, "hello")
	p.send(header{kind: kindData, flags: flagFIN, id: 1, length: 1}, '!')
	if got, err := io.ReadAll(s); string(got) != "hi!" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	p.expect(header{kind: kindWindow, flags: flagFIN, id: 1}, "")
	p.send(header{kind: kindPing, flags: flagSYN, length: 77})
	p.expect(header{kind: kindPing, flags: flagACK, length: 77}, "")
	p.send(header{kind: kindWindow, flags: flagSYN, id: 3})
	if err := p.accept().ResetWithError(9); err != nil {
		t.Fatal(err)
	}
	p.expect(header{kind: kindWindow, flags: flagACK, id: 3, length: 256 << 10}, "")
	p.expect(header{kind: kindWindow, flags: flagRST, id: 3, length: 9}, "")
	if err := p.session.CloseWithError(5); err != nil {
		t.Fatal(err)
	}
	p.expect(header{kind: kindGoAway, length: 5}, "")
}

// A peer that breaks the rules is told, and cut off.
func TestViolations(t *testing.T) {
	for name, send := range map[string]func(*rawPeer){
		"version": func(p *rawPeer) { _, _ = p.Write(bytes.Repeat([]byte{7}, headerSize)) },
		"kind":    func(p *rawPeer) { p.send(header{kind: 4}) },
		"twice": func(p *rawPeer) {
			p.send(header{kind: kindWindow, flags: flagSYN, id: 1})
			p.send(header{kind: kindWindow, flags: flagSYN, id: 1})
		},
		"our number":  func(p *rawPeer) { p.send(header{kind: kindWindow, flags: flagSYN, id: 2}) },
		"number zero": func(p *rawPeer) { p.send(header{kind: kindWindow, flags: flagSYN}) },
		"window": func(p *rawPeer) {
			p.send(header{kind: kindData, flags: flagSYN, id: 1, length: MinWindow}, make([]byte, MinWindow)...)
			p.send(header{kind: kindData, id: 1, length: 1}, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newRawPeer(t, Config{}, nil)
			send(p)
			p.expect(header{kind: kindGoAway, length: goAwayProtocol}, "")
			if _, _, err := p.frame(); err == nil {
				t.Error("the connection goes on")
			}
			<-p.session.ended
			if !errors.Is(p.session.err, errProtocol) {
				t.Errorf("ended with %v", p.session.err)
			}
		})
	}
}

// What the other side says of an end is what the users of streams learn.
func TestPeerEnds(t *testing.T) {
	for name, test := range map[string]struct {
		frame header
		want  error
	}{
		"reset":       {header{kind: kindWindow, flags: flagRST, id: 1, length: 6}, &network.StreamError{ErrorCode: 6, Remote: true}},
		"plain reset": {header{kind: kindData, flags: flagRST, id: 1}, network.ErrReset},
		"go away":     {header{kind: kindGoAway, length: 8}, &network.ConnError{ErrorCode: 8, Remote: true}},
		"end":         {header{kind: kindWindow, flags: flagFIN, id: 1}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			p := newRawPeer(t, Config{}, nil)
			p.send(header{kind: kindWindow, flags: flagSYN, id: 1})
			s := p.accept()
			p.send(test.frame)
			_, err := s.Read(make([]byte, 1))
			if !errors.Is(err, test.want) {
				t.Errorf("Read: %v, want %v", err, test.want)
			}
			eventually(t, "error of Read(nil)", func() bool { _, again := s.Read(nil); return errors.Is(again, test.want) })
			if test.want == io.EOF {
				return
			}
			if _, err := s.Write([]byte{1}); !errors.Is(err, test.want) || !errors.Is(err, network.ErrReset) {
				t.Errorf("Write: %v, want %v", err, test.want)
			}
		})
	}
}

func TestReadOfNothing(t *testing.T) {
	p := newRawPeer(t, Config{}, nil)
	p.send(header{kind: kindWindow, flags: flagSYN, id: 1})
	s := p.accept()
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("without data: %d, %v", n, err)
	}
	p.send(header{kind: kindData, id: 1, length: 1}, 'x')
	p.send(header{kind: kindWindow, flags: flagRST, id: 1, length: 6})
	eventually(t, "reset, though there is data", func() bool { _, err := s.Read(nil); return errors.Is(err, network.ErrReset) })
}

// Streams beyond what may wait to be accepted are reset; those before are served.
func TestBacklog(t *testing.T) {
	p := newRawPeer(t, Config{}, nil)
	for i := range uint32(backlog + 1) {
		p.send(header{kind: kindWindow, flags: flagSYN, id: 2*i + 1})
	}
	p.expect(header{kind: kindWindow, flags: flagRST, id: 2*backlog + 1, length: uint32(network.StreamResourceLimitExceeded)}, "")
	for range backlog {
		p.accept()
	}
}

// A stream that there is no memory for is refused, and the others go on.
func TestMemory(t *testing.T) {
	scope := &boundedScope{left: 2*MinWindow + 1000}
	p := newRawPeer(t, Config{}, scope)
	for _, id := range []uint32{1, 3, 5} {
		p.send(header{kind: kindWindow, flags: flagSYN, id: id})
	}
	p.expect(header{kind: kindWindow, flags: flagRST, id: 5, length: uint32(network.StreamResourceLimitExceeded)}, "")
	first := p.accept()
	p.expect(header{kind: kindWindow, flags: flagACK, id: 1}, "")
	if _, err := p.session.OpenStream(t.Context()); !errors.Is(err, network.ErrResourceLimitExceeded) {
		t.Errorf("OpenStream: %v", err)
	}
	_ = first.Reset()
	p.expect(header{kind: kindWindow, flags: flagRST, id: 1}, "")
	p.send(header{kind: kindWindow, flags: flagSYN, id: 7})
	p.accept()
	p.accept()
	if err := p.session.Close(); err != nil {
		t.Fatal(err)
	}
	if left := scope.remaining(); left != 2*MinWindow+1000 {
		t.Errorf("%d bytes left at the end", left)
	}
}

// boundedScope has so much memory.
type boundedScope struct {
	network.NullScope
	mu         sync.Mutex
	left, used int
}

func (s *boundedScope) BeginSpan() (network.ResourceScopeSpan, error) { return s, nil }

func (s *boundedScope) ReserveMemory(n int, _ uint8) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.left {
		return network.ErrResourceLimitExceeded
	}
	s.left -= n
	s.used += n
	return nil
}

func (s *boundedScope) ReleaseMemory(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left += n
	s.used -= n
}

func (s *boundedScope) Done() { s.ReleaseMemory(s.used) }

func (s *boundedScope) remaining() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// FuzzPeer is a peer that sends anything, and reads what it gets: the session
// neither panics nor takes memory that it has not reserved, and ends with the
// connection.
func FuzzPeer(f *testing.F) {
	syn := appendHeader(nil, header{kind: kindData, flags: flagSYN, id: 1, length: 3})
	f.Add(append(syn, "abc"...))
	f.Add(appendHeader(append(syn, "abc"...), header{kind: kindData, flags: flagFIN, id: 1, length: 1 << 20}))
	f.Add(appendHeader(nil, header{kind: kindPing, flags: flagSYN, length: 1}))
	f.Add(appendHeader(nil, header{kind: kindGoAway, length: 3}))
	f.Add(appendHeader(appendHeader(nil, header{kind: kindWindow, flags: flagSYN, id: 1}), header{kind: kindWindow, flags: flagRST | flagACK, id: 1, length: 1 << 31}))
	f.Fuzz(func(t *testing.T, sent []byte) {
		a, b := net.Pipe()
		scope := &boundedScope{left: 8 << 20}
		m, err := New(Config{}).NewConn(b, true, scope)
		if err != nil {
			t.Fatal(err)
		}
		go echo(m)
		var reader sync.WaitGroup
		reader.Go(func() { _, _ = io.Copy(io.Discard, a) })
		_, _ = a.Write(sent)
		held := m.(*Session).held()
		_ = a.Close()
		reader.Wait()
		<-m.(*Session).ended
		_ = m.Close()
		if held > 8<<20 {
			t.Errorf("%d bytes were held", held)
		}
		if left := scope.remaining(); left != 8<<20 {
			t.Errorf("%d bytes of the memory left", left)
		}
	})
}

// held is how much has been received and not read.
func (s *Session) held() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.streams {
		n += st.received.size
	}
	return n
}
