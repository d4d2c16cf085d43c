package watchdog

import (
	"fmt"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Settings are what a deployment's variables say to the watchdog.
type Settings struct {
	// ContentType is that of every answer (content_type); empty: the request's.
	ContentType string
	// ExecTimeout ends the function (exec_timeout); 0: none.
	ExecTimeout time.Duration
	// ReadTimeout bounds the wait for the request's body (read_timeout); 0: none.
	// The time that the function takes to read what has arrived does not count.
	ReadTimeout time.Duration
	// CombineOutput has standard error in the answer, where it was written, and
	// not in the log (combine_output). As in OpenFaaS it is the default.
	CombineOutput bool
	// WriteDebug has answers in the log too (write_debug).
	WriteDebug bool
	// CGIHeaders has the request in the environment (cgi_headers). It is the default.
	CGIHeaders bool
	// MaxInflight is how many invocations run at a time (max_inflight); 0: any
	// number.
	MaxInflight int
}

// ReadSettings reads the variables of a deployment. Durations are Go's, or seconds.
func ReadSettings(env map[string]string) (Settings, error) {
	r := reader{env: env}
	s := Settings{
		ContentType:   env["content_type"],
		ExecTimeout:   r.duration("exec_timeout"),
		ReadTimeout:   r.duration("read_timeout"),
		CombineOutput: r.boolean("combine_output", true),
		WriteDebug:    r.boolean("write_debug", false),
		CGIHeaders:    r.boolean("cgi_headers", true),
		MaxInflight:   r.count("max_inflight"),
	}
	if r.boolean("marshal_request", false) {
		r.fail("marshal_request", "the request as JSON is not offered; its fields are in the Http_ variables")
	}
	return s, r.err
}

// reader keeps the first error.
type reader struct {
	env map[string]string
	err error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("environment variable %s=%q: %w: %s", name, r.env[name], faas.ErrInvalid, want)
	}
}

func (r *reader) duration(name string) time.Duration {
	s := r.env[name]
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		r.fail(name, "want a duration such as 10s, or seconds")
	}
	return d
}

func (r *reader) boolean(name string, otherwise bool) bool {
	s := r.env[name]
	if s == "" {
		return otherwise
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		r.fail(name, "want true or false")
	}
	return b
}

func (r *reader) count(name string) int {
	s := r.env[name]
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		r.fail(name, "want a number, 0 for no limit")
	}
	return int(n)
}
