package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// openGroups prepares for limits, and removes the control groups that an earlier
// run on this data folder left.
func (rt *Runtime) openGroups() *cgroup.Hierarchy {
	sum := sha256.Sum256([]byte(rt.cfg.DataDir))
	return cgroup.Open("p2pfaas-"+hex.EncodeToString(sum[:6]), filepath.Join(rt.cfg.DataDir, "run"))
}

// limiter returns what makes a control group with the limits of f, nil if there
// are none to be kept, and a note of those that cannot be.
func (rt *Runtime) limiter(f *faas.Function, l cgroup.Limits) (limit func() (*cgroup.Group, error), note string) {
	var cannot []string
	if why := rt.groups.Memory(); l.Memory > 0 && why != nil {
		l.Memory = 0
		cannot = append(cannot, fmt.Sprintf("memory %s (%v)", f.Limits.Memory, why))
	}
	if why := rt.groups.CPU(); l.CPU > 0 && why != nil {
		l.CPU = 0
		cannot = append(cannot, fmt.Sprintf("CPU %s (%v)", f.Limits.CPU, why))
	}
	if len(cannot) > 0 {
		note = "limits not enforced: " + strings.Join(cannot, ", ")
	}
	if l == (cgroup.Limits{}) {
		return nil, note
	}
	return func() (*cgroup.Group, error) { return rt.groups.New(f.Name.String(), l) }, note
}

// unlimited is the note of a function whose limits nobody here can keep.
func unlimited(f *faas.Function, why string) string {
	if f.Limits == nil || f.Limits.Memory == "" && f.Limits.CPU == "" {
		return ""
	}
	return "limits not enforced: " + why
}
