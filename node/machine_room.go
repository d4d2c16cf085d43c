package node

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/pbnjay/memory"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// room is what this process may use of the machine.
type room struct {
	memory int64 // bytes
	cores  int
}

// ownRoom is the machine's memory, or less where a control group or GOMEMLIMIT
// grants less, and its cores, or fewer where a control group or GOMAXPROCS does.
func ownRoom() room {
	r := room{memory: math.MaxInt64, cores: runtime.GOMAXPROCS(0)}
	if total := memory.TotalMemory(); total > 0 {
		r.memory = int64(min(total, math.MaxInt64))
	}
	if granted, limited := cgroup.OwnMemory(); limited {
		r.memory = min(r.memory, granted)
	}
	if limit, set := operatorsLimit(); set {
		r.memory = min(r.memory, limit)
	}
	return r
}

// operatorsLimit is GOMEMLIMIT in bytes, if it is set and not "off".
func operatorsLimit() (int64, bool) {
	if os.Getenv("GOMEMLIMIT") == "" {
		return 0, false
	}
	limit := debug.SetMemoryLimit(-1) // the runtime has read it; -1 changes nothing
	return limit, limit < math.MaxInt64
}

// leastSoft is the least that [LimitMemory] sets, in bytes: a node with its
// neighbours and some calls under way needs half of it.
const leastSoft = 64 << 20

// LimitMemory has this process's heap collected harder as it nears half of the
// memory that the machine, or its control group, grants, and returns that limit:
// the other half is for functions. It is a soft one; what is beyond it must be
// refused by the node's own limits. Where GOMEMLIMIT is set, "off" included,
// nothing is changed and 0 returned.
//
// It concerns the whole process, so a program that embeds a node decides itself.
func LimitMemory() int64 {
	if os.Getenv("GOMEMLIMIT") != "" {
		return 0
	}
	soft := max(ownRoom().memory/2, leastSoft)
	debug.SetMemoryLimit(soft)
	return soft
}
