package openfaas

import (
	"context"
	"errors"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// watch looks at the gateway again and again, until Close.
func (rt *Runtime) watch() {
	timer := time.NewTimer(rt.pause())
	defer timer.Stop()
	for {
		select {
		case <-rt.life.Done():
			return
		case <-timer.C:
		case <-rt.nudge:
			if !rt.sleep(rt.cfg.Suspect) {
				return
			}
		}
		rt.look(rt.life)
		rt.tell()
		timer.Reset(rt.pause())
	}
}

// sleep is false if the Runtime has been closed meanwhile.
func (rt *Runtime) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-rt.life.Done():
		return false
	}
}

func (rt *Runtime) pause() time.Duration {
	if rt.health.doubtful() || rt.health.check() != nil {
		return rt.cfg.Suspect
	}
	return rt.cfg.Interval
}

// look asks for the gateway's health, and if it is well for its functions.
func (rt *Runtime) look(ctx context.Context) {
	was := rt.health.lasted(time.Now())
	err := rt.gateway.health(ctx, rt.cfg.HealthTimeout)
	if ctx.Err() != nil {
		return
	}
	up, changed := rt.health.note(err, time.Now())
	if changed && !up {
		log.Errorw("OpenFaaS gateway is down: its functions are kept, their invocations go to peers", "url", rt.cfg.Place.Redacted(), "error", err)
	}
	if changed {
		rt.table.tellAgain()
	}
	if err != nil || !up {
		return
	}
	if changed {
		rt.greet(ctx, was)
	}
	rt.logRefresh(rt.refresh(ctx))
}

// logRefresh logs the first failure in a row, and the end of a row.
func (rt *Runtime) logRefresh(err error) {
	if rt.life.Err() != nil || (err != nil) == rt.failing {
		return
	}
	rt.failing = err != nil
	if err != nil {
		log.Errorw("functions of the OpenFaaS gateway cannot be read: what was known of them is kept", "error", err)
		return
	}
	log.Infow("functions of the OpenFaaS gateway can be read again")
}

// greet learns what a gateway that is up again is.
func (rt *Runtime) greet(ctx context.Context, down time.Duration) {
	info, err := rt.gateway.info(ctx)
	rt.version.Store(&info.version)
	log.Infow("OpenFaaS gateway is up", "url", rt.cfg.Place.Redacted(), "provider", info.provider, "version", info.version,
		"credentials", rt.cfg.Place.From, "down", down.Round(time.Millisecond).String(), "error", err)
}

// tell passes a change on. What could not be passed on is tried again at the
// next look.
func (rt *Runtime) tell() {
	if rt.cfg.Changed == nil || !rt.table.takeUntold() {
		return
	}
	if err := rt.cfg.Changed(rt.life); err != nil {
		rt.table.tellAgain()
		log.Debugw("change of the gateway's functions is not passed on yet", "error", err)
	}
}

// nudged has the watcher look soon.
func (rt *Runtime) nudged() {
	select {
	case rt.nudge <- struct{}{}:
	default:
	}
}

// doubt has the watcher look soon if err speaks of an outage.
func (rt *Runtime) doubt(err error) {
	if errors.Is(err, faas.ErrUnavailable) {
		rt.nudged()
	}
}
