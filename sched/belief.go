package sched

import (
	"math"
	"time"
)

const (
	// memory is the age, in mean services, after which a third of a report is
	// still worth something; past it a node is like any other.
	memory = 2
	// tooOld, in mean services, is where what is left of a report is below 1e-4:
	// no need to reckon.
	tooOld = 10 * memory
)

// belief is what is believed of one neighbour at one moment (rules 3 and 4),
// in seconds.
type belief struct {
	neighbour int // its index in the view
	// fresh is the weight f of its report, against the mesh's average.
	fresh float64
	// reported is what is left of its reported wait, own sends included; sent is
	// the part of those.
	reported, sent float64
	// wait is W_j: reported and the average, weighed.
	wait float64
	// service is how long the invocation runs there, delay is there and back and
	// a cold start.
	service, delay float64
	// width is how many mean jobs a second it serves.
	width float64
	// trust is the chance that it answers as reported.
	trust float64
}

// finish is until the answer is here. An attempt that succeeds with probability
// trust has to be made 1/trust times.
func (b *belief) finish() float64 { return (b.wait + b.service + b.delay) / b.trust }

// vessel is the neighbour as water-filling sees it.
func (b *belief) vessel() vessel {
	return vessel{floor: b.wait + b.service + b.delay, width: b.width * b.trust}
}

// mixture is the mean job of the mesh at nominal speed, by this node's account.
type mixture struct {
	mean float64 // seconds
	// runsOff is z, the share of time by which waits shorten: all of it if
	// services are fixed, half if they are memoryless.
	runsOff float64
}

func mixtureOf(self *Self, p pace) mixture {
	mix := self.Mix
	if mix.Mean <= 0 {
		mix = Service{Mean: time.Duration(float64(p) * speedFactor(self.Load.Speed) * 1e9), Spread: self.Service.Spread}
	}
	return mixture{
		mean:    max(1e-6, seconds(mix.Mean)/speedFactor(self.Load.Speed)),
		runsOff: 1 - min(1, sane(mix.Spread, 1))/2,
	}
}

// age lets the belief in n's report age: f = exp(-age / 2 services), and
// f max(0, W - z age) + (1-f) Wbar.
func (b *belief) age(n *Neighbour, now time.Duration, mix mixture, m *climate) {
	age := seconds(n.Age(now))
	b.fresh, b.reported = 0, 0
	if services := age / mix.mean; services < tooOld {
		b.fresh = math.Exp(-services / memory)
		b.reported = max(0, seconds(n.Load.Wait)-mix.runsOff*age)
	}
	b.sent = sentWait(n)
	b.reported += b.sent
	b.wait = b.fresh*b.reported + (1-b.fresh)*(m.wait+b.sent)
}

// sentWait is by how much own sends that the report does not know lengthen the
// wait: each that finds, or takes, the last free server (rule 3).
func sentWait(n *Neighbour) float64 {
	if n.OwnSends <= 0 {
		return 0
	}
	servers := max(1, n.Load.Servers)
	counting := min(n.OwnSends, n.Queue()-servers+1)
	if counting <= 0 {
		return 0
	}
	each := seconds(n.OwnWork) / float64(n.OwnSends)
	return float64(counting) * each / float64(servers)
}
