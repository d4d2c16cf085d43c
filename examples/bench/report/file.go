package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
)

// File is all of a run, as it is written.
type File struct {
	Machine  Machine         `json:"machine"`
	Goals    []goals.Verdict `json:"goals"`
	Records  figures.Records `json:"records"`
	Settings []string        `json:"settings"` // the command line
}

// Write writes a run into a folder: bench.json, and plots.
func (f File) Write(folder string, rows []Row, base string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "bench.json"), text, 0o644); err != nil {
		return err
	}
	return Plots(folder, f.Records, rows, base)
}
