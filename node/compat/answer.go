package compat

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/node/learner"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// Answer adds P2PFaaS's headers to an answer that came by these hops, the entry
// first, and by a learner's step, if its ID is not 0.
func (d *Dialect) Answer(request, h http.Header, hops []invoke.Hop, step *sched.Step) {
	h.Set("X-P2pfaas-Version", d.version)
	s := d.node.Scheduling()
	h.Set("X-P2pfaas-Scheduler", describe(s.Policy, s.Set).String())
	if id := request.Get(headerTracing); id != "" {
		h.Set(headerTracing, id)
	}
	if step != nil && step.ID != 0 {
		setStep(h, step)
	}
	if len(hops) == 0 {
		return
	}
	last := &hops[len(hops)-1]
	h.Set("X-P2pfaas-Timing-Execution-Time-Seconds", seconds(last.Service))
	for name, part := range map[string]func(*invoke.Hop) time.Duration{
		"X-P2pfaas-Timing-Total-Seconds-List":      func(hop *invoke.Hop) time.Duration { return hop.Total },
		"X-P2pfaas-Timing-Scheduling-Seconds-List": func(hop *invoke.Hop) time.Duration { return hop.Decide },
		"X-P2pfaas-Timing-Probing-Seconds-List":    func(hop *invoke.Hop) time.Duration { return hop.Probe },
	} {
		h.Set(name, list(hops, func(hop *invoke.Hop) any { return part(hop).Seconds() }))
	}
	if len(hops) == 1 {
		return
	}
	h.Set("X-P2pfaas-Externally-Executed", "True")
	h.Set("X-P2pfaas-Hops", strconv.Itoa(len(hops)-1))
	h.Set("X-P2pfaas-Peers-List-Ip", list(hops, func(hop *invoke.Hop) any { return d.node.IP(hop.Peer) }))
	h.Set("X-P2pfaas-Peers-List-Id", list(hops, func(hop *invoke.Hop) any { return hop.Peer.String() }))
}

// setStep tells a learner's step, for the client to post its reward.
func setStep(h http.Header, s *sched.Step) {
	h.Set(headerState, learner.FormatState(s.State))
	h.Set(headerAction, strconv.Itoa(s.Action))
	h.Set(headerEps, strconv.FormatFloat(s.Epsilon, 'f', -1, 64))
	h.Set(headerEid, strconv.FormatUint(s.ID, 10))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// list is a JSON array of one value a hop.
func list(hops []invoke.Hop, of func(*invoke.Hop) any) string {
	values := make([]any, len(hops))
	for i := range hops {
		values[i] = of(&hops[i])
	}
	text, _ := json.Marshal(values) // numbers and strings
	return string(text)
}
