package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// isOutcomes tells files of outcomes from scenarios, by their names.
func isOutcomes(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".jsonl", ".ndjson":
		return true
	}
	return false
}

// readOutcomes emits what sim --json or live --json has printed.
func readOutcomes(path string, emit func(*outcome) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read outcomes: %w", err)
	}
	defer func() { _ = f.Close() }()
	d := json.NewDecoder(f)
	for n := 1; ; n++ {
		var o outcome
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && (o.Mode == "" || o.Policy == "") {
			err = errors.New("it has no mode or no policy")
		}
		if err != nil {
			return fmt.Errorf("%s: object %d is no outcome of sim --json or live --json: %w", path, n, err)
		}
		if err := emit(&o); err != nil {
			return err
		}
	}
}
