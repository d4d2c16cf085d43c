package node

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// refusal is what the caller is told when the policy refuses.
func (d *dispatcher) refusal(why sched.Reason) error {
	e := &invoke.Error{Code: invoke.CodeRefused, RetryAfter: d.slots.load().Wait}
	e.Text = fmt.Sprintf("no node takes it now (%s)", why)
	if why == sched.ReasonNotDeployed || why == sched.ReasonProbesFailed {
		e.Code = invoke.CodeUnavailable
		e.Text = "no node that has it can be asked now"
	}
	return e
}

// noFunction names what there is instead, or says that it may be back soon.
func (d *dispatcher) noFunction(name string) error {
	if ago, ok := d.mesh.Gone(name); ok {
		return &invoke.Error{
			Code: invoke.CodeUnavailable, RetryAfter: time.Second,
			Text: fmt.Sprintf("no node that runs %q can be reached; the last one left %v ago", name, ago.Round(time.Second)),
		}
	}
	text := "none is deployed on this node or its neighbours"
	if names := append(d.functions.names(), d.mesh.Names()...); len(names) > 0 {
		slices.Sort(names)
		names = slices.Compact(names)
		more := ""
		if len(names) > maxNames {
			names, more = names[:maxNames], ", …"
		}
		text = "there are: " + strings.Join(names, ", ") + more
	}
	return &invoke.Error{Code: invoke.CodeNoFunction, Text: fmt.Sprintf("no function %q; %s", name, text)}
}

// maxNames bounds the functions that an error lists.
const maxNames = 20
