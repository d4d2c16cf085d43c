package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/p2pfaas/p2pfaas/sched/sim"
	"github.com/p2pfaas/p2pfaas/sched/sim/scenario"
)

// source is a scenario file, from which variants can be made.
type source struct {
	path string
	text []byte
}

func readSource(path string) (*source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	s := &source{path, text}
	_, err = s.variant(nil)
	return s, err
}

// variant is the scenario with some keys changed.
func (s *source) variant(changes []assignment) (*sim.Scenario, error) {
	text := s.text
	if len(changes) > 0 {
		var err error
		if text, err = s.changed(changes); err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
	}
	sc, err := scenario.Parse(s.path, text, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(s.path), name))
	})
	if err != nil && len(changes) > 0 {
		// The line is one of a text that nobody has seen.
		return nil, usagef("with %s: %w", textOf(changes), err)
	}
	if err == nil && sc.Name == "" {
		sc.Name = strings.TrimSuffix(filepath.Base(s.path), filepath.Ext(s.path))
	}
	return sc, err
}

// changed is the file's text with other values.
func (s *source) changed(changes []assignment) ([]byte, error) {
	tree := map[string]any{}
	if _, err := toml.Decode(string(s.text), &tree); err != nil {
		return nil, err
	}
	for _, a := range changes {
		if err := assign(tree, strings.Split(a.key, "."), valueOf(a.value)); err != nil {
			return nil, usagef("%s: %w", a, err)
		}
	}
	var out bytes.Buffer
	err := toml.NewEncoder(&out).Encode(tree)
	return out.Bytes(), err
}

// valueOf reads a value as TOML does; what is none is a text, so that durations
// need no quotes.
func valueOf(text string) any {
	var one struct{ V any }
	if _, err := toml.Decode("V = "+text, &one); err != nil {
		return text
	}
	return one.V
}

// assign sets what the path leads to. Of a list of tables "nodes[1]" is one, and
// "nodes" all of them.
func assign(tree map[string]any, path []string, value any) error {
	name, index, err := element(path[0])
	if err != nil {
		return err
	}
	if len(path) == 1 && index < 0 {
		tree[name] = value
		return nil
	}
	switch inner := tree[name].(type) {
	case nil:
		if index >= 0 {
			return fmt.Errorf("there is no %s", path[0])
		}
		fresh := map[string]any{}
		tree[name] = fresh
		return assignIn(fresh, path, value)
	case map[string]any:
		return assignIn(inner, path, value)
	case []map[string]any:
		if index >= len(inner) {
			return fmt.Errorf("there is no %s: there are %d", path[0], len(inner))
		}
		for i := range inner {
			if index < 0 || index == i {
				if err := assignIn(inner[i], path, value); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return fmt.Errorf("%s has no keys below it", name)
}

func assignIn(table map[string]any, path []string, value any) error {
	if len(path) == 1 {
		return fmt.Errorf("%s is a table: name a key of it", path[0])
	}
	return assign(table, path[1:], value)
}

// element reads "nodes[1]"; index is -1 for "nodes".
func element(text string) (name string, index int, err error) {
	name, rest, indexed := strings.Cut(text, "[")
	if !indexed {
		return name, -1, nil
	}
	index, err = strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if err != nil || index < 0 || !strings.HasSuffix(rest, "]") {
		return "", 0, errors.New("want an index from 0, as in nodes[0].servers")
	}
	return name, index, nil
}
