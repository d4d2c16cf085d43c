package hop_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/examples/bench/hop"
	"github.com/p2pfaas/p2pfaas/examples/bench/path"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// play runs a role until the test ends, and returns its address.
func play(t *testing.T, role string, s hop.Setting) string {
	t.Helper()
	in, questions := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- hop.Run(context.Background(), role, s, in, out) }() // ends with in
	t.Cleanup(func() {
		questions.Close()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", role, err)
		}
	})
	lines := bufio.NewReader(answers)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(questions, "allocs")
	if n, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(n) == "0" {
		t.Errorf("%s: %q allocations, %v", role, n, err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "ready addr="))
}

// Every rival gives back what it was sent, of any size, again and again.
func TestRivals(t *testing.T) {
	conf, err := stage.MakeCertificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	function := play(t, "function", hop.Setting{})
	plain, encrypted := hop.Setting{To: function}, hop.Setting{To: function, TLS: conf}
	inner := play(t, "proxy", encrypted)
	grpcAt := play(t, "grpc", encrypted)
	unary, err := path.GRPC(grpcAt, conf, false)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := path.GRPC(grpcAt, conf, true)
	if err != nil {
		t.Fatal(err)
	}
	proxy := play(t, "proxy", plain)
	for name, c := range map[string]path.Client{
		"direct":     path.HTTP("http://"+function, nil, false),
		"proxy":      path.HTTP("http://"+proxy, nil, false),
		"h2c":        path.HTTP("http://"+proxy, nil, true),
		"https":      path.HTTP("https://"+inner, conf, false),
		"h2":         path.HTTP("https://"+inner, conf, true),
		"two":        path.HTTP("http://"+play(t, "proxy", hop.Setting{To: inner, TLS: conf, NextTLS: true}), nil, false),
		"frames":     path.Frames(play(t, "frames", encrypted), conf),
		"forward":    path.Forward(play(t, "forward", plain)),
		"grpc":       unary,
		"grpc parts": streamed,
	} {
		t.Run(name, func(t *testing.T) { exchange(t, c) })
	}
}

func exchange(t *testing.T, c path.Client) {
	defer c.Close()
	x := path.NewExchange()
	for _, size := range []int{0, 1, 1 << 10, 32 << 10, 0} { // ReverseProxy breaks off longer ones
		for range 3 {
			x.Begin([]byte(strings.Repeat("y", size)))
			err := c.Call(t.Context(), x)
			if err == nil {
				err = x.Whole()
			}
			if err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	}
}
