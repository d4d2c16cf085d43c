package async

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotReached: there was no way to ask the node; nothing was asked.
	ErrNotReached = errors.New("node not reached")
	// ErrDenied: the asked node lets this one not do that.
	ErrDenied = errors.New("denied")
	// ErrUnknownRequest: the asked node does not know the request.
	ErrUnknownRequest = errors.New("unknown request")
	// ErrInternal: the asked node could not answer; its log says why.
	ErrInternal = errors.New("internal error of the asked node")
	// ErrBadRequest: what was asked breaks the protocol, or is beyond its limits.
	ErrBadRequest = errors.New("bad request")
	// ErrBadReply: the answer breaks the protocol.
	ErrBadReply = errors.New("bad reply")
)

// maxText is how many bytes of a text for people cross.
const maxText = 512

// code says how a request fared; the numbers are those of protocol/README.md.
type code uint32

// refusals are the errors that cross the wire, by their code.
func refusals() map[code]error {
	return map[code]error{
		1: ErrDenied, 2: ErrUnknownRequest, 3: ErrInternal, 5: ErrNotFound, 6: ErrBadRequest, 7: ErrFull, 8: ErrFinished,
	}
}

const codeInternal code = 3

// codeOf returns what err crosses the wire as, and the text with it. The text of
// an error that is none of the protocol's stays here: it may hold a secret.
func codeOf(err error) (code, string) {
	if err == nil {
		return 0, ""
	}
	for c, sentinel := range refusals() {
		if errors.Is(err, sentinel) {
			return c, tellable(err.Error())
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return codeInternal, "no answer in time"
	}
	return codeInternal, ""
}

// refusal is an error that the asked node told.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

// errorOf is the other way round of codeOf.
func errorOf(c code, text string) error {
	if c == 0 {
		return nil
	}
	kind := refusals()[c]
	if kind == nil {
		kind = fmt.Errorf("code %d: %w", c, ErrInternal)
	}
	if text = tellable(text); text == "" {
		text = kind.Error()
	}
	return &refusal{kind: kind, text: text}
}

// tellable keeps what a peer says from playing tricks with a terminal or a log.
func tellable(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 4*maxText)])
	return clean[:min(len(clean), maxText)]
}
