package scenario

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/BurntSushi/toml"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// ErrInvalid: the file is no scenario. The error's text has the file and the line.
var ErrInvalid = errors.New("invalid scenario")

// Parse reads a scenario; name is the file's, for errors. open returns what is
// in the file that is named as trace; it may be nil if there is none.
func Parse(name string, data []byte, open func(trace string) ([]byte, error)) (*sim.Scenario, error) {
	p := parser{name: name, source: string(data), open: open}
	f := defaults()
	meta, err := toml.Decode(p.source, &f)
	if err != nil {
		return nil, p.syntax(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, p.unknown(unknown[0])
	}
	sc, err := p.scenario(&f)
	if err != nil {
		return nil, err
	}
	if err := sc.Check(); err != nil {
		return nil, p.wrong(err)
	}
	return sc, nil
}

type parser struct {
	name, source string
	open         func(string) ([]byte, error)
}

// at is an error at a line; 0 is none in particular.
func (p *parser) at(line int, format string, args ...any) error {
	where := p.name
	if line > 0 {
		where = fmt.Sprintf("%s:%d", p.name, line)
	}
	return fmt.Errorf("%w: %s: %w", ErrInvalid, where, fmt.Errorf(format, args...))
}

func (p *parser) syntax(err error) error {
	var at toml.ParseError
	if !errors.As(err, &at) {
		return p.at(0, "%w", err)
	}
	text := at.Message
	if text == "" {
		text = cmp.Or(errors.Unwrap(at), err).Error()
	}
	if at.LastKey != "" {
		text = at.LastKey + ": " + text
	}
	return p.at(at.Position.Line, "%s", text)
}

func (p *parser) unknown(key toml.Key) error {
	line := lineOf(p.source, key)
	name := key[len(key)-1]
	if near := nearest(name, keysOf(key[:len(key)-1])); near != "" {
		return p.at(line, "there is no key %q here; did you mean %q?", name, near)
	}
	return p.at(line, "there is no key %q here", name)
}

// wrong adds the line to what Check has found.
func (p *parser) wrong(err error) error {
	var field *sim.FieldError
	if !errors.As(err, &field) {
		return p.at(0, "%w", err)
	}
	return p.at(lineOf(p.source, pathOf(field.Field)), "%s %s", field.Field, field.Text)
}
