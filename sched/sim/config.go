package sim

import "time"

// Scenario is what is simulated. See package scenario for the same as a file.
type Scenario struct {
	Name     string
	Duration time.Duration
	// Warmup is how long arrivals are not counted in the result.
	Warmup time.Duration
	Policy string
	Set    map[string]string // of the policy's parameters
	// Seed is used if Options has none.
	Seed uint64
	// Gossip is the period of each node's own report to those that have it in
	// view; 0 is never.
	Gossip time.Duration
	// Plain has messages carry no reports: what nodes know comes by gossip, and by
	// the answers to probes, alone.
	Plain bool
	// View is how many peers a node knows at most, drawn at random.
	View   int
	Expiry Expiry
	// Cut ends what runs at its deadline, which frees its server. Nodes do.
	Cut     bool
	Network Network
	Nodes   []Group
	Load    Traffic
	Classes []Class
	Events  []Event
}

// Expiry says whether what waits is dropped once it cannot be on time.
type Expiry uint8

const (
	// ExpiryByPolicy drops if the policy is a sched.Orderer, which cares for the
	// queue; for others the queue is a plain one.
	ExpiryByPolicy Expiry = iota
	// ExpiryOn drops, whatever the policy. Nodes always do.
	ExpiryOn
	// ExpiryOff never drops.
	ExpiryOff
)

// Network says how long messages take.
type Network struct {
	Delay     time.Duration // one way
	ZoneDelay time.Duration // one way between zones; 0: as Delay
}

// Group is so many nodes that are alike but for speed and rate.
type Group struct {
	Count   int
	Servers int
	Queue   int // places to wait
	// Speed divides service times: one value, or one for each node.
	Speed []float64
	Zone  string
	// Arch is the architecture; what it means is in Class.Slower.
	Arch string
	// Rate is the arrivals per second at each node: one value, or one for each.
	Rate []float64
	// RateSigma, if above 0, multiplies each node's rate by a lognormal
	// variate of that parameter and of mean 1, drawn from the seed.
	RateSigma float64
	// Sinkhole nodes report that they are idle and refuse everything.
	Sinkhole bool
}

// Traffic shapes what arrives.
type Traffic struct {
	// Utilisation, if above 0, scales all rates so that they take this share of
	// the capacity of all nodes, on average over the scenario.
	Utilisation float64
	Trace       *Trace
	Burst       *Burst
}

// Trace is the relative rate over time.
type Trace struct {
	// At are the times from which each row holds, ascending, the first 0.
	At []time.Duration
	// Rows holds for each of these times one factor for all nodes, or one for
	// each node.
	Rows [][]float64
}

// Burst turns each node on and off: every Period anew it is on with the
// probability On, and its rate multiplied by High, else by Low.
type Burst struct {
	Period        time.Duration
	On, High, Low float64
}

// Class is one kind of invocations.
type Class struct {
	// Share of all arrivals; the shares are scaled to a sum of 1.
	Share        float64
	Function     string
	Service      time.Duration // mean, on a node of speed 1
	Distribution Distribution
	// Sigma is the parameter of Lognormal.
	Sigma    float64
	Deadline time.Duration // 0: none
	Body     int64         // bytes, mean
	// BodySigma, if above 0, has sizes vary as a lognormal variate of that parameter;
	// Sized is the share of the service time that is proportional to the size.
	BodySigma, Sized float64
	// Slower is by how much longer it takes on nodes of an architecture, 1 if not named.
	Slower map[string]float64
}

// Distribution of service times.
type Distribution uint8

const (
	Exponential Distribution = iota
	Fixed
	Lognormal
	Uniform // from 0 to twice the mean
)

// Event is what happens to some nodes at a moment.
type Event struct {
	At      time.Duration
	Nodes   []int
	Speed   float64 // new speed, if above 0
	Kill    bool
	Restart bool
	// Stall is for how much longer than its service some of the calls take that start
	// from now on, if above 0; Stalls is their share.
	Stall  time.Duration
	Stalls float64
	// Unnoticed: the nodes never find out, and report their old speed for ever.
	Unnoticed bool
	// Announced: the nodes know their new speed at once. Else they find out by
	// measuring.
	Announced bool
}
