//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

// peers is what the node says of the others, by peer ID.
func (s *site) peers() (map[string]peerStatus, error) {
	var list []peerStatus
	if err := s.node.Get("/system/peers", &list); err != nil {
		return nil, err
	}
	byID := make(map[string]peerStatus)
	for _, p := range list {
		byID[p.ID] = p
	}
	return byID, nil
}

type peerStatus struct {
	ID        string   `json:"peer"`
	Addresses []string `json:"addresses"`
	Neighbour bool     `json:"neighbour"`
	Candidate bool     `json:"candidate"`
	Functions []string `json:"functions"`
}

// knows says, as an error, which of the others the node does not have as a
// connected neighbour at their machines' addresses.
func (s *site) knows(others []*site) error {
	peers, err := s.peers()
	if err != nil {
		return err
	}
	var lacks []int
	for _, o := range others {
		p := peers[o.node.Peer]
		here := func(a string) bool { return atMachine(a, o.machine) }
		if o != s && !(p.Neighbour && slices.ContainsFunc(p.Addresses, here)) {
			lacks = append(lacks, o.number)
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("machine %d does not know machines %v", s.number, lacks)
	}
	return nil
}

func atMachine(addr string, m *lan.Machine) bool {
	return strings.HasPrefix(addr, "/ip4/"+m.IP()+"/") || strings.HasPrefix(addr, "/ip6/"+m.LinkLocal()+"/") ||
		strings.HasPrefix(addr, "/ip6zone/") && strings.Contains(addr, "/ip6/"+m.LinkLocal()+"/")
}

// knowsFunction says, as an error, on which of the others the node would not
// run the function.
func (s *site) knowsFunction(name string, others []*site) error {
	peers, err := s.peers()
	if err != nil {
		return err
	}
	for _, o := range others {
		if p := peers[o.node.Peer]; o != s && !(p.Candidate && slices.Contains(p.Functions, name)) {
			return fmt.Errorf("machine %d does not know that machine %d runs %s: %+v", s.number, o.number, name, p)
		}
	}
	return nil
}

// view is what the node says of another, as it says it.
func (s *site) view(other *site) string {
	var list []json.RawMessage
	if err := s.node.Get("/system/peers", &list); err != nil {
		return err.Error()
	}
	for _, p := range list {
		if bytes.Contains(p, []byte(other.node.Peer)) {
			return string(p)
		}
	}
	return "it does not know it"
}
