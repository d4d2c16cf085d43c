// Bench measures what a call costs by the way it takes to its function: through
// p2pfaas, and through what else one would put there. "make bench" runs it.
//
//	bench [-node bin/p2pfaas-node] [-paths sdk,bridge] [-bodies 1KB] [-at-once 1,64] [-reps 7] …
//
// The client is this process. The function, the rivals and the nodes of p2pfaas
// are processes of their own, all on loopback; the way of a call is
//
//	client -> hop -> function            or        client -> hop -> hop -> function
//
// and the function, the same for all, answers with the body that it was sent.
// The client compares every answer byte by byte, and bench fails if p2pfaas
// loses or cuts short a single one. What rivals lose is counted and shown:
// net/http's ReverseProxy breaks off some answers over HTTP/1.1, more of them the
// bigger they are (golang/go#40747).
//
// # How it measures
//
// A cell is a size of bodies, a number of callers at once, and a distance. In
// each repetition each cell is measured once, all paths right after one another
// in an order that changes, each for a quarter of a second. What is printed is the
// median over the repetitions of the ratio, inside a repetition, to a plain
// ReverseProxy, with its quartiles: other work on the machine slows both alike. To
// the right are the medians of the numbers themselves, which mean little on
// another machine or day. Then follow the goals, and which of them were reached.
//
// CPU is what client, hops and broker used together by their clocks in the
// kernel, without the function. Allocations are those of client and hops; they are
// left out where a broker does not tell, and where there were too few calls.
//
// Distance is a relay before the first hop, or between two: each way takes half of
// it, and a connection's first bytes one round trip more, as its handshake would.
// Slow start and loss are not modelled, and fewer numbers of callers are measured
// (-far-at-once).
//
// Cells with more than 32 MB of bodies on the way are left out. With few callers on
// an idle machine waking a core up takes longer than a hop: -awake keeps the cores
// from sleeping, and shows what the paths themselves cost.
//
// Two versions of the product are compared by -before: its paths are measured with
// that program's nodes too, under names that end with "-before", and -base can name
// one of them. The client's side, the SDK, is the one that bench was built with in
// both.
//
// # Who is compared
//
// Rivals are tuned as somebody would who knows them: kept connections, big pooled
// buffers, TLS 1.3 with the same certificate. Nodes of p2pfaas run with all they do
// for each call (admission, decision, records, metrics), but for -servers, which is
// raised above the number of callers since the rivals refuse nobody. "frames" is no
// rival: no name, no deadline, no status; nothing encrypted is expected below it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/examples/bench/hop"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

func main() {
	logging.SetAllLoggers(logging.LevelError) // the SDK's and libp2p's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, r, err := parseOptions(args)
	if err != nil {
		return err
	}
	if r.role != "" {
		return play(ctx, r)
	}
	if err := errors.Join(exists(o.node), exists(cmp.Or(o.before, o.node))); err != nil {
		return err
	}
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	if o.soak > 0 {
		return errors.Join(endure(ctx, o, out), stop())
	}
	return errors.Join(compare(ctx, o, out), stop())
}

func exists(node string) error {
	if _, err := os.Stat(node); err != nil {
		return fmt.Errorf("%w (build it with: make build; or say -node PATH)", err)
	}
	return nil
}

// profile records where this process spends its time: the clients' side.
func profile(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// play is the whole of a child's life.
func play(ctx context.Context, r roleOptions) error {
	s := hop.Setting{To: r.to, Through: r.through, NextTLS: r.nextTLS, Delay: r.delay}
	if r.certificate != "" {
		var err error
		if s.TLS, err = stage.LoadCertificate(r.certificate); err != nil {
			return err
		}
	}
	return hop.Run(ctx, r.role, s, os.Stdin, os.Stdout)
}
