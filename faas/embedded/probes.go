package embedded

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
)

// What OpenFaaS's annotations for health and readiness begin with.
const (
	healthAnnotations = "com.openfaas.health.http."
	readyAnnotations  = "com.openfaas.ready.http."
)

// longestProbe and mostTimes bound what probes are told.
const (
	longestProbe = 24 * time.Hour
	mostTimes    = 1000
)

// parseProbes reads how a function wants to be asked for its readiness and its
// health. As in OpenFaaS a health path is also that of readiness, unless there is
// one for that.
func parseProbes(f *faas.Function) (ready, health process.Probe, err error) {
	health, err1 := parseProbe(f, healthAnnotations)
	ready, err2 := parseProbe(f, readyAnnotations)
	if ready.Path == "" {
		ready.Path = health.Path
	}
	return ready, health, errors.Join(err1, err2)
}

func parseProbe(f *faas.Function, prefix string) (process.Probe, error) {
	r := probeReader{all: f.Annotations, prefix: prefix}
	p := process.DefaultProbe()
	p.Path = r.path()
	p.Delay = r.duration("initialDelaySeconds", r.duration("initialDelay", p.Delay, 0), 0)
	p.Period = r.duration("periodSeconds", p.Period, time.Second)
	p.Timeout = r.duration("timeoutSeconds", p.Timeout, time.Second)
	p.Failures = r.times("failureThreshold", p.Failures)
	p.Successes = r.times("successThreshold", p.Successes)
	return p, errors.Join(r.errs...)
}

type probeReader struct {
	all    map[string]string
	prefix string
	errs   []error
}

func (r *probeReader) get(name string) string { return strings.TrimSpace(r.all[r.prefix+name]) }

func (r *probeReader) refuse(name, want string) {
	r.errs = append(r.errs, fmt.Errorf("annotation %s%s=%q: %w: want %s", r.prefix, name, r.get(name), faas.ErrInvalid, want))
}

func (r *probeReader) path() string {
	path := r.get("path")
	if path == "" {
		return ""
	}
	if _, err := url.ParseRequestURI(path); err != nil || path[0] != '/' || strings.ContainsRune(path, ' ') {
		r.refuse("path", "a path that begins with /, with characters such as spaces as %20")
		return ""
	}
	return path
}

// duration accepts seconds, or a Go duration.
func (r *probeReader) duration(name string, otherwise, least time.Duration) time.Duration {
	s := r.get(name)
	if s == "" {
		return otherwise
	}
	d, err := time.ParseDuration(s)
	if n, notNumber := strconv.ParseUint(s, 10, 31); notNumber == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < least || d > longestProbe {
		r.refuse(name, fmt.Sprintf("seconds, or a duration such as 30s, from %v to %v", least, longestProbe))
		return otherwise
	}
	return d
}

func (r *probeReader) times(name string, otherwise int) int {
	s := r.get(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > mostTimes {
		r.refuse(name, fmt.Sprintf("a whole number from 1 to %d", mostTimes))
		return otherwise
	}
	return n
}
