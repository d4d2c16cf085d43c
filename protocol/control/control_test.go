package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 30 * time.Second

var _ Gate = (*host.Access)(nil)

// gate lets no verb but its own pass.
type gate struct{ v host.Verb }

func (g gate) Allow(_ context.Context, _ peer.ID, v host.Verb, _ string) error {
	if v != g.v {
		return fmt.Errorf("%w: secret reason", host.ErrDenied)
	}
	return nil
}

func newHost(t *testing.T) corehost.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// pair is a client host and a serving one, connected.
func pair(t *testing.T, handlers Handlers, g Gate) (client, server corehost.Host) {
	t.Helper()
	client, server = newHost(t), newHost(t)
	s := NewServer(server, handlers, g)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	if err := client.Connect(context.Background(), peer.AddrInfo{ID: server.ID(), Addrs: server.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func serving(f Functions) Handlers {
	return Handlers{Functions: func(context.Context, peer.ID) (Functions, error) { return f, nil }}
}

func sample() Functions {
	return Functions{Digest: 77, List: []Function{
		{Name: "resize", Namespace: "openfaas-fn", Fingerprint: [8]byte{1, 2}, Warm: true, Mean: 50 * time.Millisecond, P10: 40 * time.Millisecond, Spread: 0.25},
		{Name: "thumb", Namespace: "staging", Cold: time.Second, KeptHome: true},
	}}
}

func TestFunctions(t *testing.T) {
	client, server := pair(t, serving(sample()), gate{host.VerbDiscover})
	for range 3 {
		got, err := NewClient(client).Functions(context.Background(), server.ID())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sample(), got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	broken := Handlers{Functions: func(context.Context, peer.ID) (Functions, error) { return Functions{}, errors.New("inner secret") }}
	large := Functions{}
	for range 20_000 {
		large.List = append(large.List, Function{Name: strings.Repeat("a", MaxName), Namespace: "b"})
	}
	for name, c := range map[string]struct {
		handlers Handlers
		gate     Gate
		want     Code
	}{
		"denied":    {serving(sample()), gate{host.VerbAdmin}, CodeDenied},
		"unknown":   {Handlers{}, nil, CodeUnknownRequest},
		"internal":  {broken, nil, CodeInternal},
		"too large": {serving(large), nil, CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, c.handlers, c.gate)
			_, err := NewClient(client).Functions(context.Background(), server.ID())
			if !errors.Is(err, &Error{Code: c.want}) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Fatalf("the wire carries an inner error: %v", err)
			}
		})
	}
}

func TestUnknownRequestOfANewerVersion(t *testing.T) {
	client, server := pair(t, serving(sample()), nil)
	s, err := client.NewStream(context.Background(), server.ID(), ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Write([]byte{3, 0xba, 0x06, 0x00}); err != nil { // field 103, empty
		t.Fatal(err)
	}
	_ = s.SetReadDeadline(time.Now().Add(limit))
	var reply controlpb.Reply
	if err = pbio.NewDelimitedReader(s, MaxReply).ReadMsg(&reply); err != nil || Code(reply.Code) != CodeUnknownRequest {
		t.Fatalf("reply %v, error %v", &reply, err)
	}
}

func TestServerSurvivesNonsense(t *testing.T) {
	client, server := pair(t, serving(sample()), nil)
	for name, b := range map[string][]byte{
		"too large": {0xff, 0xff, 0x7f},
		"endless":   bytes.Repeat([]byte{0xff}, 20),
		"garbage":   {3, 0xff, 0xff, 0xff},
	} {
		s, err := client.NewStream(context.Background(), server.ID(), ID)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write(b)
		_ = s.SetReadDeadline(time.Now().Add(limit))
		if rest, err := io.ReadAll(s); err == nil || len(rest) > 0 {
			t.Errorf("%s: %d bytes and %v, want a reset", name, len(rest), err)
		}
	}
	if _, err := NewClient(client).Functions(context.Background(), server.ID()); err != nil {
		t.Fatalf("an honest request afterwards: %v", err)
	}
}

func TestExchangesPerPeerAreBounded(t *testing.T) {
	entered, release := make(chan struct{}, 100), make(chan struct{})
	client, server := pair(t, Handlers{Functions: func(ctx context.Context, _ peer.ID) (Functions, error) {
		entered <- struct{}{}
		<-release
		return sample(), nil
	}}, nil)
	results := make(chan error)
	for range maxExchangesPerPeer + 3 {
		go func() {
			_, err := NewClient(client).Functions(context.Background(), server.ID())
			results <- err
		}()
	}
	for range 3 { // those beyond the bound end while the others wait
		if err := <-results; err == nil {
			t.Fatal("answered before the handler was done")
		}
	}
	close(release)
	for range maxExchangesPerPeer {
		if err := <-results; err != nil {
			t.Errorf("within the bound: %v", err)
		}
	}
	if len(entered) != maxExchangesPerPeer {
		t.Errorf("%d handlers at once, want %d", len(entered), maxExchangesPerPeer)
	}
}

func TestClientDistrustsReplies(t *testing.T) {
	function := func(change func(f *controlpb.Function)) *controlpb.Reply {
		f := &controlpb.Function{Name: "a", Namespace: "b", Fingerprint: make([]byte, 8)}
		change(f)
		return &controlpb.Reply{What: &controlpb.Reply_Functions{Functions: &controlpb.FunctionsReply{Functions: []*controlpb.Function{f}}}}
	}
	many := &controlpb.FunctionsReply{}
	for range MaxFunctions + 1 {
		many.Functions = append(many.Functions, &controlpb.Function{Name: "a", Namespace: "b", Fingerprint: make([]byte, 8)})
	}
	for name, reply := range map[string]*controlpb.Reply{
		"empty":             {},
		"long name":         function(func(f *controlpb.Function) { f.Name = strings.Repeat("a", MaxName+1) }),
		"no name":           function(func(f *controlpb.Function) { f.Name = "" }),
		"terminal codes":    function(func(f *controlpb.Function) { f.Name = "\x1b[2J" }),
		"long namespace":    function(func(f *controlpb.Function) { f.Namespace = strings.Repeat("a", 1000) }),
		"short fingerprint": function(func(f *controlpb.Function) { f.Fingerprint = []byte{1} }),
		"too many":          {What: &controlpb.Reply_Functions{Functions: many}},
	} {
		client, server := newHost(t), newHost(t)
		server.SetStreamHandler(ID, func(s network.Stream) {
			_ = pbio.NewDelimitedWriter(s).WriteMsg(reply)
			_ = s.Close()
		})
		if err := client.Connect(context.Background(), peer.AddrInfo{ID: server.ID(), Addrs: server.Addrs()}); err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(client).Functions(context.Background(), server.ID()); !errors.Is(err, ErrBadReply) {
			t.Errorf("%s: error %v, want ErrBadReply", name, err)
		}
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	client, server := pair(t, Handlers{Functions: func(ctx context.Context, _ peer.ID) (Functions, error) {
		<-ctx.Done()
		return Functions{}, ctx.Err()
	}}, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := NewClient(client).Functions(ctx, server.ID()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the context's", err)
	}
}

func TestErrorText(t *testing.T) {
	if got := printable("ok\x1b[31m" + strings.Repeat("x", 500)); len(got) != 200 || strings.ContainsRune(got, 0x1b) {
		t.Fatalf("%q", got)
	}
	if got := (&Error{Code: 99, Text: "t"}).Error(); got != "code 99: t" {
		t.Fatal(got)
	}
}

func FuzzParseFunctions(f *testing.F) {
	list := sample()
	b, err := proto.Marshal(list.proto())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x12, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m controlpb.FunctionsReply
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		got, err := parseFunctions(&m)
		if err != nil {
			if !errors.Is(err, ErrBadReply) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := parseFunctions(got.proto())
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Fatalf("error %v, -first +again:\n%s", err, diff)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte{0x0a, 0x00})
	s := &Server{handlers: serving(sample())}
	f.Fuzz(func(t *testing.T, b []byte) {
		var request controlpb.Request
		if proto.Unmarshal(b, &request) != nil {
			return
		}
		reply := s.answer(context.Background(), "p", &request)
		if reply == nil || (request.GetFunctions() == nil) != (Code(reply.Code) == CodeUnknownRequest) {
			t.Fatalf("request %v, reply %v", &request, reply)
		}
	})
}
