// Package path holds the clients of the benchmark: one for each way to reach a
// function. All are used alike, each with as little of its own as its library
// allows.
package path

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// Client calls the function over one path. It is safe for concurrent use.
type Client interface {
	// Call sends the exchange's body and gives it the answer.
	Call(ctx context.Context, x *Exchange) error
	Close() error
}

// bufferSize is what is read at once.
const bufferSize = 64 << 10

// Exchange is one call: what is sent, and what must come back. It is used again
// and again by one caller.
type Exchange struct {
	Body   []byte
	reader bytes.Reader
	buf    []byte
	seen   int // of the answer
}

// NewExchange returns an Exchange, to be given a body.
func NewExchange() *Exchange { return &Exchange{buf: make([]byte, bufferSize)} }

// Begin makes ready for the next call.
func (x *Exchange) Begin(body []byte) {
	x.Body, x.seen = body, 0
	x.reader.Reset(body)
}

// Reader reads the body that is sent.
func (x *Exchange) Reader() *bytes.Reader { return &x.reader }

// Compare takes the next bytes of the answer, which must be those sent.
func (x *Exchange) Compare(part []byte) error {
	if len(part) > len(x.Body)-x.seen {
		return fmt.Errorf("answer of more than %d bytes", len(x.Body))
	}
	if !bytes.Equal(part, x.Body[x.seen:x.seen+len(part)]) {
		return fmt.Errorf("answer differs in the %d bytes from byte %d", len(part), x.seen)
	}
	x.seen += len(part)
	return nil
}

// CompareAll reads the answer to its end.
func (x *Exchange) CompareAll(answer io.Reader) error {
	for {
		n, err := answer.Read(x.buf)
		if n > 0 {
			if err := x.Compare(x.buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("answer cut at byte %d of %d: %w", x.seen, len(x.Body), err)
		}
	}
}

// Whole is an error unless the whole answer was compared.
func (x *Exchange) Whole() error {
	if x.seen != len(x.Body) {
		return fmt.Errorf("answer truncated: %d of %d bytes", x.seen, len(x.Body))
	}
	return nil
}
