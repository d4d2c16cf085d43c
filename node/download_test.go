package node

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

type largeRuntime struct{ *echoRuntime }

func (largeRuntime) Invoke(context.Context, *faas.Request) (*faas.Response, error) {
	return &faas.Response{Status: 200, Size: 1 << 30, Body: io.NopCloser(strings.NewReader(""))}, nil
}

func TestLongDownloadFreesItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, runHere)
		b.dispatcher.runtime = largeRuntime{b.runtime}
		inv := &invocation{Request: invoke.Request{Function: "fn"}, body: newReplay(nil, b.budget), caller: patient{}}
		a, err := b.dispatch(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		time.Sleep(2 * streamsAfter)
		if l := b.slots.load(); l.Running != 0 {
			t.Errorf("after %v of streaming it still holds a server: %+v", 2*streamsAfter, l)
		}
	})
}
