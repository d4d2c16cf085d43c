package control

import (
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

// maxBudget bounds how long a node asks others on behalf of somebody.
const maxBudget = Timeout

func (q *WhyQuery) proto() *controlpb.WhyRequest {
	return &controlpb.WhyRequest{
		CallId:   []byte(q.CallID[:min(len(q.CallID), MaxCallID)]),
		BudgetMs: uint32(max(0, q.Budget.Milliseconds())),
		Asked:    raw(q.Asked[:min(len(q.Asked), MaxAsked)]),
	}
}

func parseWhyQuery(m *controlpb.WhyRequest) (WhyQuery, error) {
	var d decoder
	q := WhyQuery{
		CallID: d.callID(m.GetCallId()),
		Budget: min(time.Duration(m.GetBudgetMs())*time.Millisecond, maxBudget),
		Asked:  d.peers(m.GetAsked(), MaxAsked),
	}
	return q, d.err
}

func (q *CallsQuery) proto() *controlpb.CallsRequest {
	return &controlpb.CallsRequest{Function: tellable(q.Function), Outcome: tellable(q.Outcome), Limit: uint32(max(0, q.Limit))}
}

func parseCallsQuery(m *controlpb.CallsRequest) (CallsQuery, error) {
	var d decoder
	q := CallsQuery{Function: d.label(m.GetFunction()), Outcome: d.word(m.GetOutcome()), Limit: count(m.GetLimit())}
	return q, d.err
}

func (w *Why) proto() *controlpb.WhyReply {
	reply := &controlpb.WhyReply{}
	for i := range w.Accounts[:min(len(w.Accounts), MaxAccounts)] {
		a := &w.Accounts[i]
		reply.Accounts = append(reply.Accounts, &controlpb.Account{
			Peer: []byte(a.Peer), Calls: protoCalls(a.Calls[:min(len(a.Calls), MaxTold)]), Trouble: a.Trouble,
		})
	}
	return reply
}

// parseWhy checks and converts a peer's answer. Errors wrap ErrBadReply.
func parseWhy(callID string, m *controlpb.WhyReply) (Why, error) {
	var d decoder
	w := Why{CallID: callID}
	if !d.atMost("accounts", len(m.GetAccounts()), MaxAccounts) {
		return w, d.err
	}
	for _, a := range m.GetAccounts() {
		if len(a.GetPeer()) == 0 {
			d.fail("an account of nobody")
		}
		w.Accounts = append(w.Accounts, Account{
			Peer: d.peer(a.GetPeer()), Calls: d.calls(a.GetCalls(), MaxTold), Trouble: d.word(a.GetTrouble()),
		})
	}
	return w, d.err
}

func protoCalls(calls []Call) []*controlpb.Call {
	var list []*controlpb.Call
	for i := range calls {
		list = append(list, calls[i].proto())
	}
	return list
}

func (d *decoder) calls(list []*controlpb.Call, most int) []Call {
	if len(list) == 0 || !d.atMost("calls", len(list), most) {
		return nil
	}
	calls := make([]Call, len(list))
	for i, m := range list {
		d.call(m, &calls[i])
	}
	return calls
}

func (c *Call) proto() *controlpb.Call {
	m := &controlpb.Call{
		CallId: []byte(c.ID), Function: tellable(c.Function), Origin: c.Origin, From: []byte(c.From),
		Hops: raw(c.Hops), Ran: []byte(c.Ran), Policy: tellable(c.Policy), Outcome: c.Outcome, Code: c.Code,
		AgoUs: micros(ago(c.Began)), DecideUs: micros(c.Decide), ProbeUs: micros(c.Probe),
		QueueUs: micros(c.Queue), ServiceUs: micros(c.Service), TotalUs: micros(c.Total),
	}
	for i := range c.Steps {
		m.Steps = append(m.Steps, c.Steps[i].proto())
	}
	return m
}

func (d *decoder) call(m *controlpb.Call, c *Call) {
	*c = Call{
		ID: d.callID(m.GetCallId()), Function: d.label(m.GetFunction()), Origin: d.word(m.GetOrigin()),
		From: d.peer(m.GetFrom()), Hops: d.peers(m.GetHops(), MaxHops), Ran: d.peer(m.GetRan()),
		Policy: d.label(m.GetPolicy()), Outcome: d.word(m.GetOutcome()), Code: d.word(m.GetCode()),
		Began: before(duration(m.GetAgoUs())), Decide: duration(m.GetDecideUs()), Probe: duration(m.GetProbeUs()),
		Queue: duration(m.GetQueueUs()), Service: duration(m.GetServiceUs()), Total: duration(m.GetTotalUs()),
	}
	if !d.atMost("steps", len(m.GetSteps()), MaxSteps) {
		return
	}
	for _, s := range m.GetSteps() {
		c.Steps = append(c.Steps, d.step(s))
	}
}

func (s *Step) proto() *controlpb.Step {
	m := &controlpb.Step{
		AtUs: micros(s.At), Action: s.Action, Reason: s.Reason, Peer: []byte(s.Peer),
		Here: s.Here, There: s.There, Own: s.Own.proto(), CandidatesInAll: uint32(s.InAll),
		Result: s.Result, TookUs: micros(s.Took),
	}
	for i := range s.Candidates {
		m.Candidates = append(m.Candidates, s.Candidates[i].proto())
	}
	return m
}

func (d *decoder) step(m *controlpb.Step) Step {
	s := Step{
		At: duration(m.GetAtUs()), Action: d.word(m.GetAction()), Reason: d.word(m.GetReason()), Peer: d.peer(m.GetPeer()),
		Here: finite(m.GetHere()), There: finite(m.GetThere()), Own: d.busy(m.GetOwn()), InAll: count(m.GetCandidatesInAll()),
		Result: d.word(m.GetResult()), Took: duration(m.GetTookUs()),
	}
	if d.atMost("candidates", len(m.GetCandidates()), MaxCandidates) {
		for _, c := range m.GetCandidates() {
			s.Candidates = append(s.Candidates, d.candidate(c))
		}
	}
	return s
}

func (c *Candidate) proto() *controlpb.Candidate {
	return &controlpb.Candidate{
		Peer: []byte(c.Peer), Load: c.Load.proto(), AgeUs: micros(c.Age), RttUs: micros(c.RTT), OwnSends: uint32(c.OwnSends),
		Health: c.Health, Honesty: c.Honesty, Chosen: c.Chosen, Probed: c.Probed,
	}
}

func (d *decoder) candidate(m *controlpb.Candidate) Candidate {
	return Candidate{
		Peer: d.peer(m.GetPeer()), Load: d.busy(m.GetLoad()), Age: duration(m.GetAgeUs()), RTT: duration(m.GetRttUs()),
		OwnSends: count(m.GetOwnSends()), Health: share(m.GetHealth()), Honesty: share(m.GetHonesty()),
		Chosen: m.GetChosen(), Probed: m.GetProbed(),
	}
}
