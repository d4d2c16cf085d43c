package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// asyncCall is what a node tells of an asynchronous call.
type asyncCall struct {
	ID       string         `json:"id"`
	Function string         `json:"function"`
	State    async.State    `json:"state"`
	Attempts int            `json:"attempts"`
	Code     int            `json:"code,omitempty"`
	Problem  string         `json:"problem,omitempty"`
	Accepted time.Time      `json:"accepted"`
	Next     *time.Time     `json:"next,omitempty"`
	Holder   string         `json:"holder"`
	Size     int64          `json:"size"`
	Result   *int64         `json:"result,omitempty"`
	Callback *asyncCallback `json:"callback,omitempty"`
}

type asyncCallback struct {
	URL       string `json:"url"`
	Attempts  int    `json:"attempts"`
	Delivered bool   `json:"delivered"`
}

// asyncQuery are the flags of calls --async.
type asyncQuery struct {
	all   bool // --async
	state string
}

func (q *asyncQuery) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&q.all, "async", false, "list the asynchronous calls that the node holds instead")
	fs.StringVar(&q.state, "state", "", "with --async, only calls in this `state`: "+strings.Join(asyncStates(), ", "))
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(asyncStates(), cobra.ShellCompDirectiveNoFileComp))
}

// asyncStates are those that a listing may be of; copies are kept for others.
func asyncStates() []string {
	var words []string
	for _, s := range []async.State{async.Queued, async.Running, async.Done, async.Dead, async.Cancelled} {
		words = append(words, string(s))
	}
	return append(words, "copy")
}

// query is that of the listing.
func (q *asyncQuery) query(function string, limit int) (string, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if q.state != "" {
		if !slices.Contains(asyncStates(), q.state) {
			return "", usagef("--state %q: want one of %s", q.state, strings.Join(asyncStates(), ", "))
		}
		query.Set("state", q.state)
	}
	if function != "" {
		query.Set("function", function)
	}
	return query.Encode(), nil
}

func (q *asyncQuery) list(cmd *cobra.Command, c *remote, query string, asJSON bool) error {
	var found struct{ Calls []asyncCall }
	if err := c.call(cmd.Context(), http.MethodGet, "/system/async", query, nil, &found); err != nil {
		return fmt.Errorf("list asynchronous calls: %w", err)
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), append([]asyncCall{}, found.Calls...)) // [] rather than null
	}
	return printTable(cmd.OutOrStdout(), asyncRows(found.Calls, time.Now()))
}

func asyncRows(found []asyncCall, now time.Time) [][]string {
	rows := [][]string{{"ACCEPTED", "ID", "FUNCTION", "STATE", "TRIES", "CODE", "NEXT", "CALLBACK", "PROBLEM"}}
	for i := range found {
		c := &found[i]
		rows = append(rows, []string{
			c.Accepted.Local().Format("2006-01-02 15:04:05"), shown(c.ID), shown(c.Function), string(c.State),
			strconv.Itoa(c.Attempts), codeText(c.Code), c.next(now), c.callback(), orDash(shown(c.Problem)),
		})
	}
	return rows
}

func codeText(code int) string {
	if code == 0 {
		return "-"
	}
	return strconv.Itoa(code)
}

// next is in how long something is tried again.
func (c *asyncCall) next(now time.Time) string {
	if c.Next == nil {
		return "-"
	}
	return "in " + span(c.Next.Sub(now))
}

func (c *asyncCall) callback() string {
	switch {
	case c.Callback == nil:
		return "-"
	case c.Callback.Delivered:
		return "delivered"
	case c.Callback.Attempts > 0:
		return fmt.Sprintf("%d failed", c.Callback.Attempts)
	}
	return "to come"
}

// rows is a call on its own.
func (c *asyncCall) rows(now time.Time) [][]string {
	rows := [][]string{
		{"id", shown(c.ID)}, {"function", shown(c.Function)}, {"state", string(c.State)},
		{"accepted", c.Accepted.Local().Format(time.RFC3339)}, {"held by", c.Holder},
		{"body", fmt.Sprintf("%d bytes", c.Size)}, {"tries", strconv.Itoa(c.Attempts)}, {"next try", c.next(now)},
		{"status", codeText(c.Code)}, {"problem", orDash(shown(c.Problem))}, {"answer", c.answer()},
	}
	if c.Callback != nil {
		rows = append(rows, []string{"callback", shown(c.Callback.URL) + ", " + c.callback()})
	}
	return rows
}

func (c *asyncCall) answer() string {
	if c.Result == nil {
		return "not kept"
	}
	return fmt.Sprintf("%d bytes, see calls result", *c.Result)
}
