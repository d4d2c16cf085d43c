package httpcall

import "context"

// watch has the end of a call's context close its connection. The zero value is of
// a context that never ends.
type watch struct {
	ctx  watched
	conn *conn
	stop func() bool
}

// watched is a context that tells of its end without taking memory: of the calls of
// Interrupt and a true result of Unwatch there is exactly one.
type watched interface {
	Watch(w interface{ Interrupt() })
	Unwatch(w interface{ Interrupt() }) bool
}

func watchEnd(ctx context.Context, cn *conn) watch {
	if own, ok := ctx.(watched); ok {
		own.Watch(cn)
		return watch{ctx: own, conn: cn}
	}
	if ctx.Done() == nil {
		return watch{}
	}
	return watch{stop: context.AfterFunc(ctx, cn.close)}
}

// end is false if the connection is closed, or about to be.
func (w *watch) end() bool {
	switch {
	case w.ctx != nil:
		return w.ctx.Unwatch(w.conn)
	case w.stop != nil:
		return w.stop()
	}
	return true
}
