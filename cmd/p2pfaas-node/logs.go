package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/openfaas/faas-provider/logs"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

const aboutLogs = `Show what a function's replicas on a node have written to their standard output
and error: the time, the replica and the line. A node keeps the latest lines
only.`

const exampleLogs = `  p2pfaas-node logs resize --tail 20
  p2pfaas-node logs resize -f --since 10m
  p2pfaas-node logs resize --since 2030-01-02T15:04:05Z -o json | jq .text`

// logFlags say which lines are wanted.
type logFlags struct {
	namespace, instance, since string
	tail                       int
	follow                     bool
}

func newLogs() *cobra.Command {
	var (
		t   target
		out output
		f   logFlags
	)
	cmd := &cobra.Command{
		Use:               "logs NAME[.NAMESPACE]",
		Short:             "Show what a function has written",
		Long:              aboutLogs,
		Example:           exampleLogs,
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeFunctions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := nameIn(args[0], f.namespace)
			if err != nil {
				return usageError{fmt.Errorf("logs: %w", err)}
			}
			query, err := f.query(n, time.Now())
			if err != nil {
				return err
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			return f.show(cmd, c, n, query, out.json())
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&f.follow, "follow", "f", false, "go on with new lines as they are written")
	fs.IntVar(&f.tail, "tail", -1, "only the last `lines`; -1 is all that are kept")
	fs.StringVar(&f.since, "since", "", "only lines since this `time`: how long ago, as 10m, or RFC 3339, as 2030-01-02T15:04:05Z")
	fs.StringVar(&f.instance, "instance", "", "only lines of this `replica`")
	t.addNamespace(cmd, &f.namespace, "`namespace` of the function")
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func (f *logFlags) query(n faas.Name, now time.Time) (string, error) {
	q := url.Values{"name": {n.Function}, "namespace": {n.Namespace}, "follow": {strconv.FormatBool(f.follow)}}
	if f.tail == 0 || f.tail < -1 {
		return "", usagef("--tail %d: want 1 or more lines, or -1 for all", f.tail)
	}
	q.Set("tail", strconv.Itoa(f.tail))
	if f.instance != "" {
		q.Set("instance", f.instance)
	}
	if f.since != "" {
		since, err := parseSince(f.since, now)
		if err != nil {
			return "", err
		}
		q.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	return q.Encode(), nil
}

func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, usagef("--since %q: want how long ago, as 10m, or a time, as 2030-01-02T15:04:05Z", s)
	}
	return at, nil
}

func (f *logFlags) show(cmd *cobra.Command, c *remote, n faas.Name, query string, asJSON bool) error {
	res, err := c.stream(cmd.Context(), http.MethodGet, "/system/logs", query)
	if err != nil {
		return fmt.Errorf("logs of %s: %w", n, err)
	}
	defer res.Body.Close()
	err = copyLines(cmd.OutOrStdout(), res.Body, asJSON)
	if f.follow && errors.Is(cmd.Context().Err(), context.Canceled) {
		return nil // that is how following ends
	}
	if err != nil {
		return fmt.Errorf("logs of %s: %w", n, err)
	}
	return nil
}

// copyLines writes each line as it comes.
func copyLines(w io.Writer, r io.Reader, asJSON bool) error {
	lines := json.NewDecoder(r)
	for {
		var raw json.RawMessage
		if err := lines.Decode(&raw); err == io.EOF { //nolint:errorlint // the end, as Decode says it
			return nil
		} else if err != nil {
			return fmt.Errorf("broken off: %w", err)
		}
		if err := writeLine(w, raw, asJSON); err != nil {
			return err
		}
	}
}

func writeLine(w io.Writer, raw json.RawMessage, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintf(w, "%s\n", raw)
		return err
	}
	var l logs.Message
	if err := json.Unmarshal(raw, &l); err != nil {
		return fmt.Errorf("line of the log: %w", err)
	}
	_, err := fmt.Fprintf(w, "%s %s %s\n", l.Timestamp.Local().Format("2006-01-02T15:04:05.000Z07:00"), orDash(l.Instance), l.Text)
	return err
}
