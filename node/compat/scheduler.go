package compat

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Descriptor is a scheduler as P2PFaaS writes it.
type Descriptor struct {
	Name       string   `json:"name"`
	Parameters []string `json:"parameters"`
}

// String is what X-P2pfaas-Scheduler says.
func (s Descriptor) String() string {
	if len(s.Parameters) == 0 {
		return s.Name
	}
	return s.Name + "(" + strings.Join(s.Parameters, ",") + ")"
}

// scheduler is one of P2PFaaS's: its policy here, and its parameters in order.
type scheduler struct {
	name, policy string
	keys         []string          // "" for one that has no counterpart
	fixed        map[string]string // set besides
}

const (
	masterHere = "\x00here" // master: this node is it
	masterIP   = "\x00ip"   // its IP address
)

func schedulers() []scheduler {
	return []scheduler{
		{"NoScheduler", "local", []string{"loss"}, nil},
		{"ForwardScheduler", "forward", []string{"hops"}, nil},
		{"RejectScheduler", "reject", nil, nil},
		{"PowerOfNScheduler", "power-of-n", []string{"f", "t", "loss", "hops"}, map[string]string{"variant": "upstream"}},
		{"PowerOfNSchedulerTau", "power-of-n-tau", []string{"f", "t", "loss", "hops", "tau"}, map[string]string{"variant": "upstream"}},
		{"RoundRobinWithMasterScheduler", "round-robin-master", []string{masterHere, masterIP, "loss"}, nil},
		{"LearningScheduler", "external", []string{"types"}, map[string]string{"rewards": "clients"}},
	}
}

// describe is a policy as P2PFaaS writes it; one that it does not have keeps its
// name here, with parameters "key=value".
func describe(policy string, set map[string]string) Descriptor {
	for _, s := range schedulers() {
		if s.policy == policy && s.fits(set) {
			return Descriptor{s.name, s.values(set)}
		}
	}
	d := Descriptor{Name: policy, Parameters: []string{}}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		d.Parameters = append(d.Parameters, key+"="+set[key])
	}
	return d
}

// fits tells whether P2PFaaS's parameters say all of set.
func (s *scheduler) fits(set map[string]string) bool {
	for key, want := range s.fixed {
		if set[key] != want {
			return false
		}
	}
	for key := range set {
		if _, fixed := s.fixed[key]; !fixed && !slices.Contains(s.keys, key) {
			return false
		}
	}
	return !slices.ContainsFunc(s.keys, func(key string) bool { return set[key] == "" })
}

func (s *scheduler) values(set map[string]string) []string {
	values := make([]string, len(s.keys))
	for i, key := range s.keys {
		values[i] = set[key]
	}
	return values
}

// policy is what a descriptor means here.
func (d *Dialect) policy(s Descriptor) (name string, set map[string]string, err error) {
	for _, known := range schedulers() {
		if known.name == s.Name {
			set, err = d.translate(&known, s.Parameters)
			return known.policy, set, err
		}
	}
	set = make(map[string]string)
	for _, p := range s.Parameters {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return "", nil, fmt.Errorf("scheduler %q: parameter %q: want key=value", s.Name, p)
		}
		set[key] = value
	}
	return s.Name, set, nil
}

func (d *Dialect) translate(s *scheduler, values []string) (map[string]string, error) {
	if len(values) != len(s.keys) {
		return nil, fmt.Errorf("scheduler %q takes %d parameters and got %d", s.name, len(s.keys), len(values))
	}
	set := maps.Clone(s.fixed)
	if set == nil {
		set = make(map[string]string)
	}
	var here bool
	for i, key := range s.keys {
		switch key {
		case masterHere:
			var err error
			if here, err = strconv.ParseBool(values[i]); err != nil {
				return nil, fmt.Errorf("scheduler %q: parameter %q: want true or false", s.name, values[i])
			}
		case masterIP:
			master, err := d.master(here, values[i])
			if err != nil {
				return nil, fmt.Errorf("scheduler %q: %w", s.name, err)
			}
			set["master"] = master.String()
		default:
			set[key] = values[i]
		}
	}
	return set, nil
}

func (d *Dialect) master(here bool, ip string) (peer.ID, error) {
	if here {
		return d.node.Self(), nil
	}
	if id, ok := d.node.Peer(ip); ok {
		return id, nil
	}
	return "", fmt.Errorf("no member is known at %q; it must have joined the mesh", ip)
}
