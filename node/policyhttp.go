package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/sched"
)

// PolicyReply is the JSON of GET /system/policy.
type PolicyReply struct {
	Scheduling
	Describe string `json:"describe"`
	// Changed tells that it was set at run time, and not what is configured.
	Changed    bool              `json:"changed"`
	Parameters []PolicyParameter `json:"parameters"`
	Policies   []string          `json:"policies"`
	// Learning is how that goes, for a policy that learns.
	Learning *LearningReply `json:"learning,omitempty"`
	// Explained is what was learned, in words, for each function.
	Explained []sched.Explanation `json:"explained,omitempty"`
}

// LearningReply is how a policy's learning goes; shares are 0 to 1, absent
// before the first decision.
type LearningReply struct {
	State         string            `json:"state"` // who decides: learned, or fallback-…
	Fallbacks     uint64            `json:"fallbacks"`
	Epsilon       float64           `json:"epsilon"`
	Reward        *float64          `json:"reward,omitempty"`
	OnTime        *float64          `json:"on_time,omitempty"`
	DefaultOnTime *float64          `json:"default_on_time,omitempty"`
	Agreement     *float64          `json:"agreement,omitempty"`
	Outcomes      uint64            `json:"outcomes"`
	Lost          uint64            `json:"lost"`
	Functions     int               `json:"functions"`
	Decisions     map[string]uint64 `json:"decisions"` // by action
}

func learningReply(l sched.Learning) *LearningReply {
	known := func(x float64) *float64 {
		if x != x {
			return nil // JSON has no such number
		}
		return &x
	}
	reply := &LearningReply{
		State: l.State.String(), Fallbacks: l.Fallbacks, Epsilon: l.Epsilon,
		Reward: known(l.Reward), OnTime: known(l.OnTime), DefaultOnTime: known(l.DefaultOnTime), Agreement: known(l.Agreement),
		Outcomes: l.Outcomes, Lost: l.Lost, Functions: l.Functions, Decisions: make(map[string]uint64, len(l.Actions)),
	}
	for _, a := range l.Actions {
		reply.Decisions[a.Action] = a.Count
	}
	return reply
}

// PolicyParameter is one setting of the policy.
type PolicyParameter struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Accepts string `json:"accepts"`
	Meaning string `json:"meaning"`
}

// policyChange is the JSON of POST /system/policy: what is left out stays. With
// a policy of another name or a set, the set is replaced whole.
type policyChange struct {
	Policy  *string            `json:"policy"`
	Set     *map[string]string `json:"set"`
	Servers *int               `json:"servers"`
	Queue   *int               `json:"queue"`
	Order   *string            `json:"order"`
}

func (c *policyChange) over(s Scheduling) Scheduling {
	if c.Policy != nil && *c.Policy != s.Policy {
		s.Policy, s.Set = *c.Policy, nil
	}
	if c.Set != nil {
		s.Set = *c.Set
	}
	for _, f := range []struct{ to, from *int }{{&s.Servers, c.Servers}, {&s.Queue, c.Queue}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.Order != nil {
		s.Order = *c.Order
	}
	return s
}

// maxPolicyBody bounds a change's JSON, in bytes.
const maxPolicyBody = 64 << 10

// policyRoutes serves the policy to those who have the credentials.
func (n *Node) policyRoutes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	mux.Handle("GET /system/policy", guard(http.HandlerFunc(n.showPolicy)))
	mux.Handle("POST /system/policy", guard(http.HandlerFunc(n.changePolicy)))
	mux.Handle("GET /system/policy/model", guard(http.HandlerFunc(n.exportModel)))
	mux.Handle("PUT /system/policy/model", guard(http.HandlerFunc(n.importModel)))
	mux.Handle("DELETE /system/policy", guard(http.HandlerFunc(n.resetPolicy)))
}

func (n *Node) showPolicy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(n.policyReply()) // fails only when the client has gone
}

func (n *Node) policyReply() PolicyReply {
	n.scheduling.mu.Lock()
	reply := PolicyReply{Scheduling: n.scheduling.now, Changed: n.scheduling.saved, Policies: n.policies.Names()}
	n.scheduling.mu.Unlock()
	reply.Describe = n.dispatcher.policy.describe()
	if l, ok := n.dispatcher.policy.learning(); ok {
		reply.Learning = learningReply(l)
	}
	reply.Explained = n.explain()
	list, _ := n.policies.Parameters(reply.Policy) // it is in force: it is known
	for _, p := range list {
		reply.Parameters = append(reply.Parameters, parameter(p, reply.Set))
	}
	return reply
}

func parameter(p sched.Parameter, set map[string]string) PolicyParameter {
	value, ok := set[p.Key]
	if !ok {
		value = p.Default
	}
	return PolicyParameter{Key: p.Key, Value: value, Default: p.Default, Accepts: p.Accepts, Meaning: p.Meaning}
}

func (n *Node) changePolicy(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPolicyBody))
	var change policyChange
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&change)
	}
	if err != nil {
		api.Error(w, r, http.StatusBadRequest, "invalid", fmt.Sprintf("the change of policy: %v", err),
			`send JSON such as {"policy":"power-of-n","set":{"f":"2"},"servers":4,"queue":10}`)
		return
	}
	n.answerChange(w, r, n.SetScheduling(change.over(n.Scheduling())))
}

func (n *Node) resetPolicy(w http.ResponseWriter, r *http.Request) {
	n.answerChange(w, r, n.SetScheduling(n.configuredScheduling()))
}

func (n *Node) answerChange(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNotKept):
		api.Error(w, r, http.StatusInternalServerError, "not_kept", err.Error(), "see that the data folder can be written to, and send it again")
	case err != nil:
		api.Error(w, r, http.StatusBadRequest, "invalid", err.Error(), "GET /system/policy lists policies and parameters")
	default:
		n.showPolicy(w, r)
	}
}
