package async

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Annotations of a function that say how its asynchronous calls are tried again,
// as in OpenFaaS (docs.openfaas.com/openfaas-pro/retries).
const (
	AnnotationAttempts = "com.openfaas.retry.attempts" // a number; 0 and 1 both mean once
	AnnotationCodes    = "com.openfaas.retry.codes"    // HTTP status codes, "429,503"
	AnnotationMinWait  = "com.openfaas.retry.min_wait" // a duration, before the second attempt
	AnnotationMaxWait  = "com.openfaas.retry.max_wait" // a duration
)

// Bounds of the annotations.
const (
	maxAttempts = 10_000
	maxWait     = 24 * time.Hour
)

// RetryPolicy says how often and when an asynchronous call is tried again.
type RetryPolicy struct {
	// Attempts is how often the function is called at most, at least 1.
	Attempts int
	// Codes are the statuses of the function that are failures. What the platform
	// itself answers in the function's place always is one.
	Codes []int
	// MinWait is the time before the second attempt; it doubles up to MaxWait.
	MinWait, MaxWait time.Duration
}

// DefaultRetry is OpenFaaS's, and 503, which says by itself that it is temporary.
func DefaultRetry() RetryPolicy {
	return RetryPolicy{
		Attempts: 10, Codes: []int{408, 429, 500, 502, 503, 504},
		MinWait: 10 * time.Second, MaxWait: 2 * time.Minute,
	}
}

// ParseRetry reads a function's annotations over base. An error names the
// annotation; the policy is then base but for those that could be read.
func ParseRetry(base RetryPolicy, annotations map[string]string) (RetryPolicy, error) {
	p := base
	var wrong error
	set := func(name string, parse func(string) error) {
		s, ok := annotations[name]
		if !ok {
			return
		}
		if err := parse(strings.TrimSpace(s)); err != nil && wrong == nil {
			wrong = fmt.Errorf("annotation %s=%q: %w", name, s, err)
		}
	}
	set(AnnotationAttempts, func(s string) error { return parseAttempts(&p, s) })
	set(AnnotationCodes, func(s string) error { return parseCodes(&p, s) })
	set(AnnotationMinWait, func(s string) error { return parseWait(&p.MinWait, s) })
	set(AnnotationMaxWait, func(s string) error { return parseWait(&p.MaxWait, s) })
	p.MaxWait = max(p.MaxWait, p.MinWait)
	return p, wrong
}

func parseAttempts(p *RetryPolicy, s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxAttempts {
		return fmt.Errorf("want a number from 0 to %d", maxAttempts)
	}
	p.Attempts = max(1, n)
	return nil
}

func parseCodes(p *RetryPolicy, s string) error {
	var codes []int
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 100 || n > 599 {
			return fmt.Errorf("want HTTP status codes, as 429,502,503; %q is none", word)
		}
		codes = append(codes, n)
	}
	p.Codes = codes
	return nil
}

func parseWait(d *time.Duration, s string) error {
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 || v > maxWait {
		return fmt.Errorf("want a duration up to %v, as 10s", maxWait)
	}
	*d = v
	return nil
}

// wait is the time before the next attempt, after n of them: doubling, with up to
// a tenth off or on, so that calls which failed together do not return together.
func (p *RetryPolicy) wait(n int) time.Duration {
	d := p.MinWait
	for ; n > 1 && d < p.MaxWait; n-- {
		d *= 2
	}
	d = min(d, p.MaxWait)
	return time.Duration(float64(d) * (.9 + .2*rand.Float64()))
}

func (p *RetryPolicy) retries(code int) bool { return slices.Contains(p.Codes, code) }
