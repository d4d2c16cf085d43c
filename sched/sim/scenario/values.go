package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// duration is written as text.
type duration time.Duration

func (d duration) d() time.Duration { return time.Duration(d) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as \"250ms\" or \"1m30s\"", text)
	}
	*d = duration(value)
	return nil
}

// numbers is one number or a list of them.
type numbers []float64

// UnmarshalTOML implements toml.Unmarshaler.
func (n *numbers) UnmarshalTOML(value any) error {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	*n = nil
	for _, v := range list {
		switch v := v.(type) {
		case int64:
			*n = append(*n, float64(v))
		case float64:
			*n = append(*n, v)
		default:
			return fmt.Errorf("%v is no number, and no list of numbers", v)
		}
	}
	if len(*n) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

// size is bytes, written as a number or as "28KB".
type size int64

var units = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// UnmarshalTOML implements toml.Unmarshaler.
func (s *size) UnmarshalTOML(value any) error {
	text := strings.ReplaceAll(fmt.Sprint(value), " ", "")
	for _, u := range units {
		number, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		x, err := strconv.ParseFloat(number, 64)
		if err != nil || !(x >= 0 && x*float64(u.bytes) <= 1<<40) {
			break
		}
		*s = size(x * float64(u.bytes))
		return nil
	}
	return fmt.Errorf("%v is no size such as \"28KB\" or \"1MiB\", up to 1024GiB", value)
}

// word is one of several.
type word string

func choose[T any](p *parser, key string, w word, from map[word]T) (T, error) {
	value, ok := from[w]
	if ok {
		return value, nil
	}
	var words []string
	for _, known := range slices.Sorted(maps.Keys(from)) {
		if known != "" {
			words = append(words, string(known))
		}
	}
	return value, p.at(lineOf(p.source, pathOf(key)), "%s is %q: it must be one of %s", key, w, strings.Join(words, ", "))
}
