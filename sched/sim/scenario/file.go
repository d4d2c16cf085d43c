package scenario

import (
	"errors"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// file is the TOML file.
type file struct {
	Name      string            `toml:"name"`
	Seed      uint64            `toml:"seed"`
	Duration  duration          `toml:"duration"`
	Warmup    *duration         `toml:"warmup"`
	Policy    string            `toml:"policy"`
	Set       map[string]string `toml:"set"`
	Gossip    duration          `toml:"gossip"`
	View      int               `toml:"view"`
	Expiry    word              `toml:"expiry"`
	Cut       bool              `toml:"cut"`
	Piggyback bool              `toml:"piggyback"`
	Network   network           `toml:"network"`
	Nodes     []group           `toml:"nodes"`
	Load      load              `toml:"load"`
	Classes   []class           `toml:"classes"`
	Events    []event           `toml:"events"`
}

type network struct {
	Delay     duration `toml:"delay"`
	ZoneDelay duration `toml:"zone_delay"`
}

type group struct {
	Count     int     `toml:"count"`
	Servers   *int    `toml:"servers"`
	Queue     *int    `toml:"queue"`
	Speed     numbers `toml:"speed"`
	Zone      string  `toml:"zone"`
	Arch      string  `toml:"arch"`
	Rate      numbers `toml:"rate"`
	RateSigma float64 `toml:"rate_sigma"`
	Sinkhole  bool    `toml:"sinkhole"`
}

type load struct {
	Utilisation float64 `toml:"utilisation"`
	Trace       string  `toml:"trace"`
	Burst       *burst  `toml:"burst"`
}

type burst struct {
	Period duration `toml:"period"`
	On     float64  `toml:"on"`
	High   float64  `toml:"high"`
	Low    float64  `toml:"low"`
}

type class struct {
	Share        *float64           `toml:"share"`
	Function     string             `toml:"function"`
	Service      duration           `toml:"service"`
	Distribution word               `toml:"distribution"`
	Sigma        float64            `toml:"sigma"`
	Deadline     duration           `toml:"deadline"`
	Body         size               `toml:"body"`
	BodySigma    float64            `toml:"body_sigma"`
	Sized        float64            `toml:"sized"`
	Slower       map[string]float64 `toml:"slower"`
}

type event struct {
	At        duration `toml:"at"`
	Nodes     []int    `toml:"nodes"`
	Speed     float64  `toml:"speed"`
	Kill      bool     `toml:"kill"`
	Restart   bool     `toml:"restart"`
	Announced bool     `toml:"announced"`
	Unnoticed bool     `toml:"unnoticed"`
	Stalls    float64  `toml:"stalls"`
	Stall     duration `toml:"stall"`
}

func defaults() file {
	return file{Seed: 1, Policy: "spread", Gossip: duration(500 * time.Millisecond), View: 64, Piggyback: true}
}

// scenario is what the file says, in sim's terms.
func (p *parser) scenario(f *file) (*sim.Scenario, error) {
	sc := &sim.Scenario{
		Name: f.Name, Seed: f.Seed, Duration: f.Duration.d(), Warmup: f.Duration.d() / 4, Policy: f.Policy, Set: f.Set,
		Gossip: f.Gossip.d(), View: f.View, Cut: f.Cut, Plain: !f.Piggyback,
		Network: sim.Network{Delay: f.Network.Delay.d(), ZoneDelay: f.Network.ZoneDelay.d()},
	}
	if f.Warmup != nil {
		sc.Warmup = f.Warmup.d()
	}
	for i := range f.Nodes {
		sc.Nodes = append(sc.Nodes, f.Nodes[i].group())
	}
	for i := range f.Events {
		e := &f.Events[i]
		sc.Events = append(sc.Events, sim.Event{At: e.At.d(), Nodes: e.Nodes, Speed: e.Speed, Kill: e.Kill, Restart: e.Restart, Announced: e.Announced, Unnoticed: e.Unnoticed,
			Stalls: e.Stalls, Stall: e.Stall.d()})
	}
	var err error
	if sc.Expiry, err = choose(p, "expiry", f.Expiry, expiries); err != nil {
		return nil, err
	}
	if sc.Classes, err = p.classes(f.Classes); err != nil {
		return nil, err
	}
	sc.Load, err = p.load(&f.Load)
	return sc, err
}

func (g *group) group() sim.Group {
	servers, queue := 1, 1024
	if g.Servers != nil {
		servers = *g.Servers
	}
	if g.Queue != nil {
		queue = *g.Queue
	}
	return sim.Group{Count: g.Count, Servers: servers, Queue: queue, Speed: g.Speed, Zone: g.Zone, Arch: g.Arch,
		Rate: g.Rate, RateSigma: g.RateSigma, Sinkhole: g.Sinkhole}
}

var expiries = map[word]sim.Expiry{"": sim.ExpiryByPolicy, "policy": sim.ExpiryByPolicy, "on": sim.ExpiryOn, "off": sim.ExpiryOff}

var distributions = map[word]sim.Distribution{
	"": sim.Exponential, "exponential": sim.Exponential, "fixed": sim.Fixed, "uniform": sim.Uniform, "lognormal": sim.Lognormal,
}

func (p *parser) classes(list []class) ([]sim.Class, error) {
	var all []sim.Class
	for i := range list {
		c := &list[i]
		law, err := choose(p, fmt.Sprintf("classes[%d].distribution", i), c.Distribution, distributions)
		if err != nil {
			return nil, err
		}
		share := 1.0
		if c.Share != nil {
			share = *c.Share
		}
		function := c.Function
		if function == "" {
			function = "work"
		}
		all = append(all, sim.Class{Share: share, Function: function, Service: c.Service.d(), Distribution: law, Sigma: c.Sigma,
			Deadline: c.Deadline.d(), Body: int64(c.Body), BodySigma: c.BodySigma, Sized: c.Sized, Slower: c.Slower})
	}
	return all, nil
}

func (p *parser) load(l *load) (sim.Traffic, error) {
	t := sim.Traffic{Utilisation: l.Utilisation}
	if b := l.Burst; b != nil {
		t.Burst = &sim.Burst{Period: b.Period.d(), On: b.On, High: b.High, Low: b.Low}
	}
	if l.Trace == "" {
		return t, nil
	}
	line := lineOf(p.source, pathOf("load.trace"))
	if p.open == nil {
		return t, p.at(line, "load.trace: %w", errors.New("no files can be read here"))
	}
	data, err := p.open(l.Trace)
	if err != nil {
		return t, p.at(line, "load.trace: %w", err)
	}
	if t.Trace, err = ParseTrace(data); err != nil {
		return t, p.at(line, "load.trace: %s: %w", l.Trace, err)
	}
	return t, nil
}
