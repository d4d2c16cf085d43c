package openfaas

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// stream makes a call whose answer is read as it comes, until it is closed or
// ctx ends. limit bounds the wait for its header, 0 for none.
func (g *gateway) stream(ctx context.Context, c call, limit time.Duration) (io.ReadCloser, error) {
	asking, cancel := context.WithCancelCause(ctx)
	if limit > 0 {
		late := fmt.Errorf("%w: %s %s: no answer within %v", faas.ErrUnavailable, c.method, c.path, limit)
		defer time.AfterFunc(limit, func() { cancel(late) }).Stop()
	}
	body, err := g.opened(asking, c)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	return &streamed{ReadCloser: body, cancel: cancel}, nil
}

func (g *gateway) opened(ctx context.Context, c call) (io.ReadCloser, error) {
	req, err := g.request(ctx, c)
	if err != nil {
		return nil, err
	}
	resp, err := g.streams.Do(req)
	if err != nil {
		return nil, dropped(ctx, c, err)
	}
	if success(resp.StatusCode) {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorText)) // what there is of it
	return nil, refused(c, resp.StatusCode, raw)
}

// streamed frees its context when it is closed.
type streamed struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (s *streamed) Close() error {
	s.cancel(nil)
	return s.ReadCloser.Close()
}
