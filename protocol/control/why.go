package control

import (
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Limits of what is told about invocations.
const (
	MaxCallID     = 128 // bytes; of a longer one only the beginning counts
	MaxAsked      = 256 // peers in a WhyQuery
	MaxAccounts   = 64
	MaxTold       = 16 // calls in one account
	MaxSteps      = 64 // of one call
	MaxCandidates = 16 // of one step
	MaxHops       = 64
	MaxCalls      = 1000
	// DefaultCalls are listed where no limit was asked for.
	DefaultCalls = 50
)

// ErrNotFound is a handler's error for what the node does not keep, or what the
// asker may not see of it; it is sent as CodeNotFound.
var ErrNotFound = errors.New("nothing kept of it")

// WhyQuery asks how one call was decided on.
type WhyQuery struct {
	CallID string
	// Budget is how long the asker waits. The one asked passes the question on,
	// within three quarters of it, to the others on the call's path; 0: it tells
	// what it knows itself.
	Budget time.Duration
	// Asked are the peers that somebody asks already.
	Asked []peer.ID
}

// Why is what the nodes on a call's path tell about it.
type Why struct {
	CallID   string    `json:"call_id"`
	Accounts []Account `json:"nodes"`
}

// Account is what one node tells.
type Account struct {
	Peer peer.ID `json:"peer"`
	// Calls are how the call passed through that node, oldest first; more than
	// one if it came back another way, or its ID was used again.
	Calls []Call `json:"calls,omitempty"`
	// Trouble is why it tells nothing, "" if it does: one of the words below, or
	// another of a newer version.
	Trouble string `json:"trouble,omitempty"`
}

// Words of Account.Trouble.
const (
	TroubleNoAnswer   = "no-answer"
	TroubleNotReached = "not-reached"
	TroubleDenied     = "denied"
	TroubleForgotten  = "forgotten" // not found
	TroubleNotServed  = "not-served"
	TroubleFailed     = "failed"
)

// Words of Call.Origin.
const (
	OriginHTTP = "http"
	OriginSDK  = "sdk"
	OriginPeer = "peer"
)

// OutcomeUnderWay is Call.Outcome until the call has ended.
const OutcomeUnderWay = "under-way"

// Call is what a node keeps of one invocation that passed through it. Words are
// those of packages sched and invoke, with "-" for spaces. JSON has times in
// seconds, as total_seconds.
type Call struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Origin   string    `json:"origin"`         // how it came
	From     peer.ID   `json:"from,omitempty"` // none over HTTP
	Hops     []peer.ID `json:"hops,omitempty"` // before this node, the entry first
	Ran      peer.ID   `json:"ran,omitempty"`  // whose function answered
	Policy   string    `json:"policy,omitempty"`
	Outcome  string    `json:"outcome"`
	Code     string    `json:"code,omitempty"` // why there was no answer
	// Began is when it arrived, by the clock of the node that was asked first.
	// On the wire it is how long ago.
	Began time.Time `json:"began"`
	// Parts of Total on this node, as in invoke.Hop; Total is 0 while under way.
	Decide  time.Duration `json:"-"`
	Probe   time.Duration `json:"-"`
	Queue   time.Duration `json:"-"`
	Service time.Duration `json:"-"`
	Total   time.Duration `json:"-"`
	Steps   []Step        `json:"steps"`
}

// Step is one decision and what came of it.
type Step struct {
	At     time.Duration `json:"-"` // since the call arrived
	Action string        `json:"action"`
	Reason string        `json:"reason"`
	Peer   peer.ID       `json:"peer,omitempty"` // of a forward
	// Here and There are the numbers compared; see sched.Score.
	Here  float64 `json:"here"`
	There float64 `json:"there"`
	// Own is this node as the policy saw it, Candidates some of the others: the
	// chosen one first, then the best. InAll counts all of them.
	Own        Busy        `json:"own"`
	Candidates []Candidate `json:"candidates,omitempty"`
	InAll      int         `json:"candidates_in_all"`
	// Result is "ok", "not-reached" or a code; "" if nothing was tried, or it is
	// not over. Took is until then.
	Result string        `json:"result,omitempty"`
	Took   time.Duration `json:"-"`
}

// Words of Step.Result besides codes.
const (
	ResultOK         = "ok"
	ResultNotReached = "not-reached"
)

// Busy is the load of a node.
type Busy struct {
	Wait    time.Duration `json:"-"` // until a newcomer would start
	Running int           `json:"running"`
	Queued  int           `json:"queued"`
	Servers int           `json:"servers"`
}

// Candidate is a peer that could have taken the call.
type Candidate struct {
	Peer     peer.ID       `json:"peer"`
	Load     Busy          `json:"load"`
	Age      time.Duration `json:"-"` // of Load, then
	RTT      time.Duration `json:"-"`
	OwnSends int           `json:"own_sends"` // not in Load yet
	Health   float64       `json:"health"`
	Honesty  float64       `json:"honesty"`
	Chosen   bool          `json:"chosen,omitempty"` // forwarded to, or probed
	Probed   bool          `json:"probed,omitempty"` // it has answered a probe
}

// CallsQuery asks for the latest calls; empty fields let all through.
type CallsQuery struct {
	Function string
	Outcome  string
	Limit    int // 0 is DefaultCalls, at most MaxCalls
}
