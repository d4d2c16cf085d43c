package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"testing"
)

// following runs a command that goes on; each line of its output is sent to
// shown. stop is the signal to end, and returns what is left.
func following(t *testing.T, args ...string) (shown <-chan string, stop func() ran) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	code, lines := make(chan int, 1), make(chan string)
	go func() { // ends after stop
		code <- run(ctx, args, nil, stdout, &stderr)
		_ = stdout.Close()
	}()
	go func() { // ends with out
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines, func() ran {
		cancel()
		var rest []byte
		for line := range lines {
			rest = append(rest, line+"\n"...)
		}
		return ran{<-code, string(rest), stderr.String()}
	}
}
