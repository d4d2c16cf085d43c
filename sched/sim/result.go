package sim

import "time"

// Result is what a run has shown. Fractions are of all invocations that entered
// after the warm-up, messages are per such invocation.
type Result struct {
	Scenario string `json:"scenario"`
	Policy   string `json:"policy"`
	Seed     uint64 `json:"seed"`
	Nodes    int    `json:"nodes"`
	Requests int    `json:"requests"`

	InDeadline float64 `json:"in_deadline"`
	Served     float64 `json:"served"`
	Refused    float64 `json:"refused"`
	Expired    float64 `json:"expired"`
	Lost       float64 `json:"lost"`

	// Response times of what was answered, in seconds.
	Mean float64 `json:"mean_s"`
	P50  float64 `json:"p50_s"`
	P95  float64 `json:"p95_s"`
	P99  float64 `json:"p99_s"`

	// Forwarded is the share that ran elsewhere than where it entered; Hops is
	// the mean number of moves of what was answered.
	Forwarded float64 `json:"forwarded"`
	Hops      float64 `json:"hops_mean"`

	Probes float64 `json:"probes"`
	Pulls  float64 `json:"pulls"`
	Gossip float64 `json:"gossip"`

	// Jain is Jain's index of fairness over the nodes' shares on time, Worst the
	// least of these.
	Jain        float64 `json:"jain"`
	Worst       float64 `json:"worst"`
	Utilisation float64 `json:"utilisation"`
	// RewardMean is what a learner is after: 1 for what is on time, less 0.005
	// for each probe.
	RewardMean float64 `json:"reward_mean"`
	// DecisionNS is how long a call of Decide took, by Options.Clock.
	DecisionNS float64 `json:"decision_ns"`

	// What follows is for plots.
	Responses Histogram     `json:"-"`
	PerNode   []NodeResult  `json:"-"`
	PerClass  []ClassResult `json:"-"`
	Samples   []Sample      `json:"-"`
	// Events is how many events were simulated.
	Events uint64 `json:"-"`
}

// NodeResult is of the invocations that entered at one node.
type NodeResult struct {
	Requests   int
	InDeadline int
	Served     int
	// Received is how many forwards came here.
	Received int
	// Busy is the share of time that its servers ran, whatever entered where.
	Busy float64
}

// ClassResult is of one class.
type ClassResult struct {
	Function   string
	Requests   int
	InDeadline int
	Served     int
	Responses  Histogram
}

// Sample is the state of the mesh at one moment.
type Sample struct {
	At      time.Duration
	Running int
	Queued  int
	Dead    int
	// Worst is the largest load of a node, queued and running.
	Worst int
	// Ended and InDeadline count the invocations that ended since the sample before,
	// those of the warm-up too.
	Ended      int
	InDeadline int
	// Learning is how that goes, nil if no policy learns.
	Learning *Learning
}

// Record is one invocation that has ended; see Options.Record.
type Record struct {
	Entered  time.Duration
	Origin   int
	Class    int
	Executor int // -1 if it did not run
	Result   string
	OnTime   bool
	Response time.Duration
	Waited   time.Duration
	Service  time.Duration
	Hops     int
}
