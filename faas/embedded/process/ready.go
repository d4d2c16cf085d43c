package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The first looks are close together: they are what a cold start waits for.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
	lookTime  = time.Second // of one look
)

// awaitReady returns nil when the process can be called.
func (r *replica) awaitReady(i *instance) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.group.cfg.ReadyTimeout)
	defer cancel()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		if looksReady(ctx, i.addr, r.group.cfg.ReadyPath) {
			return i.stillThere()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-i.Done():
			timer.Stop()
			return i.died()
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("was not ready on PORT (%s) within %v", i.addr, r.group.cfg.ReadyTimeout)
		}
	}
}

// stillThere makes sure that it is not another program that answered on the port.
func (i *instance) stillThere() error {
	select {
	case <-i.Done():
		return i.died()
	default:
		return nil
	}
}

func looksReady(ctx context.Context, addr, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	return path == "" || answers(ctx, conn, addr, path)
}

func answers(ctx context.Context, conn net.Conn, addr, path string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return false
	}
	req.Close = true
	once := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	defer once.CloseIdleConnections()
	resp, err := once.RoundTrip(req)
	if err != nil {
		return false
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
	return resp.StatusCode >= 200 && resp.StatusCode < 400
}
