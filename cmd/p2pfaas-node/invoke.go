package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node"
)

const aboutInvoke = `Invoke a function through a node and write its answer to standard output as it
comes. The exit code is 0 if the function answered with a 2xx status.

With --async the node only stores the call, and this prints its ID: the function
runs later, again if that fails. See "p2pfaas-node calls status ID" and "calls
result ID"; with --callback the answer is posted to that URL.`

const exampleInvoke = `  p2pfaas-node invoke hello
  p2pfaas-node invoke resize --query width=640 --data @in.jpg > out.jpg
  tail -f log | p2pfaas-node invoke filter --data - --deadline 1h
  p2pfaas-node invoke resize --async --data @in.jpg --callback http://192.168.1.7:9000/done`

// invocation is what the flags of invoke ask for.
type invocation struct {
	function faas.Name
	prefix   string // of the path at the node
	method   string
	path     string // escaped, empty or begins with "/"
	query    string
	header   http.Header
	body     io.Reader // nil: none
	size     int64     // -1: unknown
	deadline time.Duration
}

// answer is what came back; body is never nil.
type answer struct {
	proto  string
	status int
	header http.Header
	body   io.ReadCloser
}

// invokeFlags are the flags as they were given.
type invokeFlags struct {
	namespace, data, method, path, query, peer, mesh string
	headers                                          []string
	deadline                                         time.Duration
	include, async                                   bool
	callback                                         string
}

func newInvoke() *cobra.Command {
	var (
		t target
		f invokeFlags
	)
	cmd := &cobra.Command{
		Use:               "invoke NAME[.NAMESPACE]",
		Short:             "Invoke a function",
		Long:              aboutInvoke,
		Example:           exampleInvoke,
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeFunctions,
		RunE: func(cmd *cobra.Command, args []string) error {
			call, done, err := f.invocation(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer done()
			a, err := f.send(cmd.Context(), &t, call)
			if err != nil {
				return fmt.Errorf("invoke %s: %w", call.function, err)
			}
			if f.async {
				return f.showAccepted(cmd.OutOrStdout(), call, a)
			}
			return f.show(cmd.OutOrStdout(), call, a)
		},
	}
	f.addTo(cmd)
	t.addNode(cmd)
	return cmd
}

func (f *invokeFlags) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.data, "data", "d", "", "`body` of the request: text, @FILE, or - for standard input")
	fs.StringVarP(&f.method, "method", "X", "", "HTTP `method` (default POST with --data, else GET)")
	fs.StringVar(&f.path, "path", "", "`path` that the function sees")
	fs.StringVarP(&f.query, "query", "q", "", "`query` that the function sees, as a=1&b=2")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "`'Name: value'` of a header field; repeatable")
	fs.DurationVar(&f.deadline, "deadline", 0, "how long the answer may take in all (default the function's, else 60s)")
	fs.BoolVarP(&f.include, "include", "i", false, "show status and header before the answer")
	fs.BoolVar(&f.async, "async", false, "have the node run it later, and print the ID of the call")
	fs.StringVar(&f.callback, "callback", "", "with --async, `URL` to which the answer is posted")
	fs.StringVar(&f.namespace, "namespace", "", "`namespace` of the function")
	fs.StringVar(&f.peer, "peer", "", "invoke over libp2p: `multiaddr` with /p2p/ID of a node")
	fs.StringVar(&f.mesh, "mesh", node.Default().Mesh, "`name` of that node's mesh")
}

// invocation reads the flags; done closes what it opened.
func (f *invokeFlags) invocation(name string, stdin io.Reader) (c *invocation, done func(), err error) {
	c = &invocation{prefix: "/function/", method: strings.ToUpper(f.method), path: f.path, query: f.query, deadline: f.deadline}
	if c.function, err = nameIn(name, f.namespace); err != nil {
		return nil, nil, usageError{fmt.Errorf("invoke: %w", err)}
	}
	if c.path != "" && !strings.HasPrefix(c.path, "/") {
		c.path = "/" + c.path
	}
	if c.deadline < 0 {
		return nil, nil, usagef("--deadline %v: want a positive duration, as 2s", c.deadline)
	}
	if c.header, err = f.header(); err != nil {
		return nil, nil, err
	}
	if err := f.queue(c); err != nil {
		return nil, nil, err
	}
	if done, err = f.openBody(c, stdin); err != nil {
		return nil, nil, err
	}
	if c.method == "" {
		c.method = http.MethodGet
		if c.body != nil {
			c.method = http.MethodPost
		}
	}
	return c, done, nil
}

func (f *invokeFlags) header() (http.Header, error) {
	h := http.Header{}
	for _, line := range f.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usagef("--header %q: want 'Name: value'", line)
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

func (f *invokeFlags) openBody(c *invocation, stdin io.Reader) (done func(), err error) {
	done = func() {}
	file, isFile := strings.CutPrefix(f.data, "@")
	switch {
	case f.data == "":
		return done, nil
	case f.data == "-":
		c.body, c.size = stdin, -1
		return done, nil
	case !isFile:
		c.body, c.size = strings.NewReader(f.data), int64(len(f.data))
		return done, nil
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open --data: %w", err)
	}
	c.body, c.size = opened, -1
	if info, err := opened.Stat(); err == nil && info.Mode().IsRegular() {
		c.size = info.Size()
	}
	return func() { opened.Close() }, nil
}

func (f *invokeFlags) send(ctx context.Context, t *target, c *invocation) (*answer, error) {
	if f.peer != "" {
		return invokeOverLibp2p(ctx, f.peer, f.mesh, c)
	}
	return invokeOverHTTP(ctx, t, c)
}

// show writes the answer to w, and returns an error unless it is a whole one
// with a 2xx status.
func (f *invokeFlags) show(w io.Writer, c *invocation, a *answer) error {
	defer a.body.Close()
	if f.include {
		showHeader(w, a)
	}
	n, err := io.Copy(w, a.body)
	if err != nil {
		return fmt.Errorf("invoke %s: answer cut short after %d bytes: %w", c.function, n, err)
	}
	if a.status/100 == 2 {
		return nil
	}
	text := fmt.Sprintf("invoke %s: answered %d %s", c.function, a.status, http.StatusText(a.status))
	for _, name := range []string{"X-P2pfaas-Outcome", "Retry-After", "X-P2pfaas-Peer"} {
		if v := a.header.Get(name); v != "" {
			text += fmt.Sprintf(", %s %s", name, v)
		}
	}
	return fmt.Errorf("%s", text)
}

func showHeader(w io.Writer, a *answer) {
	fmt.Fprintf(w, "%s %d %s\n", a.proto, a.status, http.StatusText(a.status))
	var lines []string
	for name, values := range a.header {
		for _, v := range values {
			lines = append(lines, name+": "+v)
		}
	}
	slices.Sort(lines)
	fmt.Fprintf(w, "%s\n\n", strings.Join(lines, "\n"))
}
