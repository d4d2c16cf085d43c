package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"
)

// applyFile sets what the TOML file says. Its keys are the flags' names; a key
// that is none of them is an error, so that a misspelt limit does not go
// unnoticed.
func applyFile(settings *pflag.FlagSet, file string) error {
	var keys map[string]any
	if _, err := toml.DecodeFile(file, &keys); err != nil {
		return fmt.Errorf("read configuration %s: %w", file, err)
	}
	var known []string
	settings.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%s: there is no setting %q; did you mean %q?", file, key, nearest(key, slices.Values(known)))
		}
		if err := setTOML(settings.Lookup(key).Value, keys[key]); err != nil {
			return fmt.Errorf("%s: %s: %w", file, key, err)
		}
	}
	return nil
}

func setTOML(to pflag.Value, v any) error {
	list, isList := to.(pflag.SliceValue)
	_, isTable := to.(pairs)
	switch v := v.(type) {
	case map[string]any:
		if !isTable {
			return errors.New("does not take a table")
		}
		return list.Replace(tableEntries(v))
	case []any:
		if !isList || isTable {
			return errors.New("does not take a list")
		}
		return list.Replace(texts(v))
	}
	if isTable {
		return errors.New("wants a table, as { key = \"value\" }")
	}
	if isList {
		return list.Replace([]string{fmt.Sprint(v)})
	}
	if err := to.Set(fmt.Sprint(v)); err != nil {
		return fmt.Errorf("%v is not of type %s", v, to.Type())
	}
	return nil
}

func texts(values []any) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprint(v)
	}
	return all
}

func tableEntries(table map[string]any) []string {
	var all []string
	for key, v := range table {
		all = append(all, key+"="+fmt.Sprint(v))
	}
	return all
}
