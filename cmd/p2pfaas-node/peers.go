package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/node/mesh"
)

const aboutPeers = `List the peers that a node knows, by the end of their IDs. VIA is how they are
reached. WAIT is how long an invocation would wait there for a server, BUSY how
many of the servers are taken, as the peer last said; AGE is how long ago that
was. HEALTH falls when calls to the peer fail, HONESTY when it does not do what
its reports promise. Only a candidate is sent work. Say -o json for the whole.`

func newPeers() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "List the peers of a node and how busy they are",
		Long:  aboutPeers,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			found := []mesh.PeerStatus{} // prints as [] rather than null
			if err := c.call(cmd.Context(), http.MethodGet, "/system/peers", "", nil, &found); err != nil {
				return fmt.Errorf("list peers: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), found)
			}
			return printTable(cmd.OutOrStdout(), peerRows(found))
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func peerRows(found []mesh.PeerStatus) [][]string {
	names := namesOf(peerIDs(found)...)
	rows := [][]string{{"PEER", "VIA", "RTT", "WAIT", "BUSY", "QUEUED", "AGE", "HEALTH", "HONESTY", "STATE", "ZONE", "FUNCTIONS"}}
	for i := range found {
		p := &found[i]
		row := append([]string{names[p.ID], via(p), short(p.RTT)}, loadCells(p)...)
		rows = append(rows, append(row, fraction(p.Health), fraction(p.Honesty), peerState(p), orDash(p.Zone), orDash(strings.Join(p.Functions, ","))))
	}
	return rows
}

func peerIDs(found []mesh.PeerStatus) (ids []peer.ID) {
	for i := range found {
		ids = append(ids, found[i].ID)
	}
	return ids
}

// via is how a peer is reached.
func via(p *mesh.PeerStatus) string {
	switch p.Transport {
	case "":
		return "-"
	case "relay":
		return "relayed"
	}
	return "direct/" + p.Transport
}

// loadCells are wait, busy, queued and age; dashes where the peer was not heard.
func loadCells(p *mesh.PeerStatus) []string {
	if p.Heard < 0 || p.Load.Servers == 0 {
		return []string{"-", "-", "-", "-"}
	}
	return []string{
		span(p.Load.Wait),
		fmt.Sprintf("%d/%d", p.Load.Running, p.Load.Servers),
		strconv.Itoa(p.Load.Queued),
		short(p.Age),
	}
}

func peerState(p *mesh.PeerStatus) string {
	switch {
	case p.Draining:
		return "draining"
	case p.Paused:
		return "failing"
	case p.Candidate:
		return "candidate"
	case p.Neighbour:
		return "neighbour"
	}
	return "known"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// short keeps two or three digits of a duration.
func short(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
