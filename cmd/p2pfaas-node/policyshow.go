package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/sched"
)

const aboutPolicyShow = `Show the policy in force, its parameters and what they mean, how its learning goes,
and what it has learned, in words: for each function, by how much what it expects differs
from what the default reckons, here, elsewhere and at each peer in view; or, of a policy
that learns what to do from rewards alone, what it would do in typical states.

What is said comes from asking what was learned, not from keeping books. "± 4" is the
standard deviation of what it believes, in points.`

func newPolicyShow() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use: "show", Short: "Show the policy in force and what it has learned, in words", Long: aboutPolicyShow, Args: wants(),
		Example: "  p2pfaas-node policy show\n  p2pfaas-node policy show -o json | jq .explained",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			var reply node.PolicyReply
			if err := c.call(cmd.Context(), http.MethodGet, "/system/policy", "", nil, &reply); err != nil {
				return fmt.Errorf("policy: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), reply)
			}
			names, err := titles(cmd.Context(), c)
			if err != nil {
				return err
			}
			return printLearned(cmd.OutOrStdout(), &reply, names)
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

// titles are the peers' names, with what kind of machine they are.
func titles(ctx context.Context, c *remote) (peerNames, error) {
	var found []mesh.PeerStatus
	if err := c.call(ctx, http.MethodGet, "/system/peers", "", nil, &found); err != nil {
		return nil, fmt.Errorf("list peers: %w", err)
	}
	names := namesOf(peerIDs(found)...)
	for i := range found {
		p := &found[i]
		var kind []string
		for _, word := range []string{p.Arch, p.Zone} {
			if word != "" {
				kind = append(kind, shown(word))
			}
		}
		if len(kind) > 0 {
			names[p.ID] += " (" + strings.Join(kind, ", ") + ")"
		}
	}
	return names, nil
}

// printLearned is what policy get prints, and what was learned.
func printLearned(w io.Writer, p *node.PolicyReply, names peerNames) error {
	if err := printPolicy(w, p); err != nil {
		return err
	}
	for i := range p.Explained {
		if err := printExplanation(w, &p.Explained[i], names); err != nil {
			return err
		}
	}
	switch {
	case p.Learning == nil:
		_, err := fmt.Fprintln(w, "\nThis policy learns nothing.")
		return err
	case len(p.Explained) == 0:
		_, err := fmt.Fprintln(w, "\nNothing was learned yet, or what decides is elsewhere.")
		return err
	}
	return nil
}

func printExplanation(w io.Writer, e *sched.Explanation, names peerNames) error {
	function := "all functions"
	if e.Function != "" {
		function = shown(e.Function)
	}
	fmt.Fprintf(w, "\n%s: learned from %d outcomes\n", function, e.Outcomes)
	for _, s := range e.Sentences {
		if _, err := fmt.Fprintf(w, "  %s%s\n", ofPeer(s.Peer, names), s.Text); err != nil {
			return err
		}
	}
	return nil
}

// ofPeer begins a sentence that is of a peer.
func ofPeer(id peer.ID, names peerNames) string {
	if id == "" {
		return ""
	}
	name, known := names[id]
	if !known {
		name = id.String()
	}
	return "peer " + name + ": "
}
