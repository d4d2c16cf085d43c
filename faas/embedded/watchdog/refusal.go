package watchdog

import (
	"fmt"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Plain is the media type of what the watchdog says itself.
const Plain = "text/plain; charset=utf-8"

// TooMany refuses a call beyond max_inflight, as OpenFaaS does. When its body is
// closed, closed is called once, if it is not nil.
func TooMany(most int, closed func()) *faas.Response {
	text := fmt.Sprintf("Concurrent request limit exceeded. Max concurrent requests: %d\n", most)
	return &faas.Response{
		Status: 429, Header: faas.Header{{Name: "Content-Type", Value: Plain}},
		Size: int64(len(text)), Body: &refusal{Reader: strings.NewReader(text), closed: closed},
	}
}

// refusal is the body of an answer without a function.
type refusal struct {
	*strings.Reader
	closed func()
}

func (b *refusal) Close() error {
	if b.closed != nil {
		b.closed()
		b.closed = nil
	}
	return nil
}
