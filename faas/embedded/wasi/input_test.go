package wasi

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// TestLateBody: a body that comes to its end after a module has looked for it in
// vain is read to its end.
func TestLateBody(t *testing.T) {
	body, feed := io.Pipe()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	request := &faas.Request{Body: body, Size: 4}
	in := &input{call: &call{ctx: &guestContext{Context: ctx}, stop: cancel}, body: watchdog.NewInput(request)}
	if ready, _ := in.Poll(sys.POLLIN, 1); ready {
		t.Error("nothing was sent, and it is said to be there")
	}
	if _, err := feed.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	for len(in.reader.parts) == 0 {
		time.Sleep(time.Millisecond)
	}
	if text, err := io.ReadAll(in); string(text) != "body" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}
