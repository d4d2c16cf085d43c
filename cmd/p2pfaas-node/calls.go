package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/sched"
)

const aboutCalls = `List the latest calls that passed through a node, the latest first. FROM is who
sent the call (http, or a peer), RAN ON the node whose function answered, TRIES
how often it was tried from here. A node keeps a few thousand calls. Say
"p2pfaas-node why ID" to see how one of them was decided on.

With --async, list instead the calls to /async-function that the node holds, until
their answers are forgotten. A dead one has failed as often as it may; it stays
until it is re-queued, dropped or too old. The commands below are about one such
call.`

func newCalls() *cobra.Command {
	var (
		t   target
		out output
		q   control.CallsQuery
		a   asyncQuery
	)
	cmd := &cobra.Command{
		Use:   "calls",
		Short: "List the latest calls of a node, and see to asynchronous ones",
		Long:  aboutCalls,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := callsQuery(q, &a)
			if err != nil {
				return err
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			if a.all {
				return a.list(cmd, c, query, out.json())
			}
			found := []control.Call{} // prints as [] rather than null
			if err := c.call(cmd.Context(), http.MethodGet, "/system/calls", query, nil, &found); err != nil {
				return fmt.Errorf("list calls: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), found)
			}
			return printTable(cmd.OutOrStdout(), callRows(found))
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&q.Function, "function", "", "only calls of this function, `NAME[.NAMESPACE]`")
	fs.StringVar(&q.Outcome, "outcome", "", "only calls with this `outcome`: "+strings.Join(outcomes(), ", "))
	fs.IntVar(&q.Limit, "limit", control.DefaultCalls, fmt.Sprintf("how many calls, 1 to %d", control.MaxCalls))
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(outcomes(), cobra.ShellCompDirectiveNoFileComp))
	a.addTo(cmd)
	out.addTo(cmd)
	t.addTo(cmd)
	cmd.AddCommand(asyncTools()...)
	return cmd
}

func outcomes() []string {
	words := []string{control.OutcomeUnderWay}
	for r := sched.Answered; r <= sched.Cancelled; r++ {
		words = append(words, r.String())
	}
	return words
}

func callsQuery(q control.CallsQuery, a *asyncQuery) (string, error) {
	if q.Limit < 1 || q.Limit > control.MaxCalls {
		return "", usagef("--limit %d: want 1 to %d", q.Limit, control.MaxCalls)
	}
	if q.Function != "" {
		name, err := nameIn(q.Function, "")
		if err != nil {
			return "", usageError{fmt.Errorf("--function: %w", err)}
		}
		q.Function = name.String()
	}
	switch {
	case a.all && q.Outcome != "":
		return "", usagef("--outcome does not go with --async: say --state")
	case a.all:
		return a.query(q.Function, q.Limit)
	case a.state != "":
		return "", usagef("--state goes with --async: say --outcome")
	}
	return recordsQuery(q)
}

func recordsQuery(q control.CallsQuery) (string, error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.Function != "" {
		query.Set("function", q.Function)
	}
	if q.Outcome != "" {
		if !slices.Contains(outcomes(), q.Outcome) {
			return "", usagef("--outcome %q: want one of %s", q.Outcome, strings.Join(outcomes(), ", "))
		}
		query.Set("outcome", q.Outcome)
	}
	return query.Encode(), nil
}

func callRows(found []control.Call) [][]string {
	var peers []peer.ID
	for i := range found {
		peers = append(peers, found[i].From, found[i].Ran)
	}
	names := namesOf(peers...)
	rows := [][]string{{"BEGAN", "ID", "FUNCTION", "FROM", "RAN ON", "OUTCOME", "TOTAL", "QUEUE", "SERVICE", "TRIES"}}
	for i := range found {
		c := &found[i]
		rows = append(rows, []string{
			timeOfDay(c.Began), shown(c.ID), shown(c.Function), sender(c, names), names[c.Ran], outcome(c),
			short(c.Total), short(c.Queue), short(c.Service), strconv.Itoa(tries(c)),
		})
	}
	return rows
}

func sender(c *control.Call, names peerNames) string {
	switch c.Origin {
	case control.OriginPeer:
		return names[c.From]
	case control.OriginSDK:
		return "sdk:" + names[c.From]
	}
	return c.Origin
}

// outcome is a call's, with the code that says more.
func outcome(c *control.Call) string {
	if c.Code == "" || c.Code == c.Outcome {
		return c.Outcome
	}
	return c.Outcome + " (" + spaced(c.Code) + ")"
}

// spaced turns a word of a record into words of a text.
func spaced(word string) string { return strings.ReplaceAll(word, "-", " ") }

func tries(c *control.Call) (n int) {
	for _, s := range c.Steps {
		if s.Result != "" {
			n++
		}
	}
	return n
}

func timeOfDay(t time.Time) string { return t.Local().Format("15:04:05.000") }

// span is a duration as people read it: short, but 0 is 0.
func span(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	return short(d)
}
