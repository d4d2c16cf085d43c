package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/protocol/control"
)

const aboutStatus = `Show how a node fares: its load, functions, neighbours and version. With --peer
the node asks another member of the mesh for the same.`

func newStatus() *cobra.Command {
	var (
		t    target
		out  output
		peer string
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how a node fares",
		Long:  aboutStatus,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			query := url.Values{}
			if peer != "" {
				query.Set("peer", fullName(peer))
			}
			var s control.Status
			if err := c.call(cmd.Context(), http.MethodGet, "/system/status", query.Encode(), nil, &s); err != nil {
				return fmt.Errorf("get status: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), s)
			}
			return printStatus(cmd.OutOrStdout(), &s)
		},
	}
	cmd.Flags().StringVar(&peer, "peer", "", "`peer ID`, or its last characters, of the member to ask instead")
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func printStatus(w io.Writer, s *control.Status) error {
	state := "serving"
	if s.Draining {
		state = "draining: it takes no new work"
	}
	rows := [][]string{
		{"peer", s.Peer.String()},
		{"version", s.Version + " (" + s.Arch + ")"},
		{"mesh", s.Mesh},
		{"zone", orDash(s.Zone)},
		{"up", short(s.Up)},
		{"state", state},
		{"policy", s.Policy},
		{"load", loadText(&s.Load)},
		{"rates", fmt.Sprintf("%s/s arrive here, %s/s are forwarded", rate(s.Rate), rate(s.Out))},
		{"mesh busy", fmt.Sprintf("%.0f %%", 100*s.MeshUtilisation)},
		{"neighbours", fmt.Sprintf("%d of %d members", s.Neighbours, s.Members)},
		{"functions", orDash(strings.Join(s.Functions, ", "))},
	}
	return printTable(w, rows)
}

func rate(perSecond float64) string { return strconv.FormatFloat(perSecond, 'f', 1, 64) }

func loadText(l *control.Busy) string {
	return fmt.Sprintf("%d of %d servers busy, %d queued, a newcomer waits %s", l.Running, l.Servers, l.Queued, span(l.Wait))
}
