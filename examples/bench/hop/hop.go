// Package hop holds what stands between the client and the function in the
// paths that the product is compared with, and the function itself. Each runs
// in a process of its own: the benchmark's program, started with a role.
//
// A rival is set up as somebody who knows it would do it: kept connections,
// 64 KB buffers from a pool, no compression, no log. All but the lean frames call
// the function with net/http's Transport, as code of their kind does.
package hop

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// Setting is what a role may need.
type Setting struct {
	To      string        // host:port of the next: the function, a proxy, a broker
	Through string        // host:port of the function, where To is a broker
	TLS     *tls.Config   // to listen with, and to trust; nil: plain TCP
	NextTLS bool          // the next is reached over TLS
	Delay   time.Duration // each way, of a relay
}

// server is a role under way.
type server interface {
	Addr() string
	Close() error
}

// roles are the ways to run, by name.
func roles() map[string]func(Setting) (server, error) {
	return map[string]func(Setting) (server, error){
		"function": newFunction,
		"proxy":    newProxy,
		"frames":   newFrames,
		"grpc":     newGRPC,
		"nats":     newNATS,
		"forward":  newForward,
		"relay":    newRelay,
		"spin":     newSpin,
	}
}

// Run plays a role until in ends or ctx does: it says "ready addr=…" on out, and
// answers each line "allocs" with the number of allocations it has made.
func Run(ctx context.Context, role string, s Setting, in io.Reader, out io.Writer) error {
	begin, ok := roles()[role]
	if !ok {
		return fmt.Errorf("no role %q", role)
	}
	played, err := begin(s)
	if err != nil {
		return fmt.Errorf("role %s: %w", role, err)
	}
	fmt.Fprintf(out, "ready addr=%s\n", played.Addr())
	asked := make(chan struct{})
	go func() { // ends with in, at the latest when the process does
		defer close(asked)
		answerAll(in, out)
	}()
	select {
	case <-ctx.Done():
	case <-asked:
	}
	return played.Close()
}

func answerAll(in io.Reader, out io.Writer) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "allocs" {
			fmt.Fprintln(out, Allocations())
		}
	}
}

// Allocations is the number of objects that this process has allocated.
func Allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m) // unlike runtime/metrics it counts the last few hundred
	return m.Mallocs
}
