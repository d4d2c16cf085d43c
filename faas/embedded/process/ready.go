package process

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The first looks are close together: they are what a cold start waits for.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// awaitReady returns nil when the process can be called.
func (r *replica) awaitReady(i *instance) error {
	cfg := &r.group.cfg
	ctx, cancel := context.WithTimeout(r.ctx, cfg.Ready.Delay+cfg.ReadyTimeout)
	defer cancel()
	last := errors.New("it was not asked")
	t := tally{}
	for pause := cfg.Ready.Delay; ; pause = min(max(2*pause, firstLook), lastLook) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-i.Done():
			timer.Stop()
			return i.died()
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("was not ready on PORT (%s) within %v (%w)", i.addr, cfg.ReadyTimeout, last)
		}
		err := cfg.Ready.ask(ctx, i.addr)
		if t.add(&cfg.Ready, err == nil) {
			return i.stillThere()
		}
		if err != nil && ctx.Err() == nil {
			last = err
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
