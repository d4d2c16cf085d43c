package rl

import (
	"encoding/json"
	"fmt"
)

// PolicyOf is the name of the policy that a snapshot is of. Whether the rest of it can
// be used is for that policy's Restore to tell.
func PolicyOf(data []byte) (string, error) {
	if len(data) > MaxSnapshot {
		return "", fmt.Errorf("%w: %d bytes are more than %d", ErrCorrupt, len(data), MaxSnapshot)
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return "", fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if s.Policy == "" {
		return "", fmt.Errorf("%w: it names no policy", ErrCorrupt)
	}
	return s.Policy, nil
}
