package openfaas

import (
	"context"
	"time"
)

// Config is how a Runtime treats its gateway. Start from [Default].
type Config struct {
	// Place says where the gateway is, and with what credentials.
	Place Place
	// Changed is called after the functions behind the gateway, or what is known
	// of them, have changed, and when the gateway goes down or is back; one call
	// at a time, never from within a method of the Runtime. After an error it is
	// called again. May be nil.
	Changed func(context.Context) error
	// Interval is the time between two looks at the gateway. Default 2 s.
	Interval time.Duration
	// Suspect is the time between two looks while its health is in doubt, and the
	// least between any two. Default 250 ms.
	Suspect time.Duration
	// CallTimeout bounds each call of the gateway's API; invocations are not
	// bounded by it. Default 10 s.
	CallTimeout time.Duration
	// HealthTimeout bounds the question for its health. Default 3 s: on a small
	// machine that is busy a second is not enough.
	HealthTimeout time.Duration
}

// Default is the Config for the gateway at a place.
func Default(p Place) Config {
	return Config{
		Place: p, Interval: 2 * time.Second, Suspect: 250 * time.Millisecond,
		CallTimeout: 10 * time.Second, HealthTimeout: 3 * time.Second,
	}
}

// fresh is how long an answer of the gateway serves the next question too.
const fresh = 250 * time.Millisecond
