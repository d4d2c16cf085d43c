package rl

import (
	"encoding/json"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Repack makes a snapshot of any knowledge, right in all that surrounds it, so
// that a fuzzer gets past the checksum.
func Repack(p sched.Policy, knowledge []byte) ([]byte, error) {
	if c, ok := p.(*corrector); ok {
		return pack(c.name, c.fresh().features(), json.RawMessage(knowledge))
	}
	t := p.(*temporal)
	return pack(t.name, t.newAgent().features(), json.RawMessage(knowledge))
}
