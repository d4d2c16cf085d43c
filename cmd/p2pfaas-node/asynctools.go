package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// asyncTools are the commands about one asynchronous call. All but requeue and
// drop may be asked of any node of the mesh.
func asyncTools() []*cobra.Command {
	return []*cobra.Command{
		newAsyncTool("status ID", "Show how an asynchronous call stands", http.MethodGet, callPath),
		newAsyncTool("cancel ID", "Cancel an asynchronous call", http.MethodDelete, callPath),
		newAsyncTool("requeue ID", "Try an asynchronous call again that is dead", http.MethodPost, requeuePath),
		newAsyncResult(), newAsyncDrop(),
	}
}

func callPath(id string) string    { return "/call/" + url.PathEscape(id) }
func requeuePath(id string) string { return "/system/async/" + url.PathEscape(id) + "/requeue" }

// newAsyncTool makes a command that shows how the call stands then.
func newAsyncTool(use, short, method string, path func(id string) string) *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use: use, Short: short, Args: wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			var told asyncCall
			if err := c.call(cmd.Context(), method, path(args[0]), "", nil, &told); err != nil {
				return fmt.Errorf("%s call %s: %w", cmd.Name(), shown(args[0]), err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), told)
			}
			return printTable(cmd.OutOrStdout(), told.rows(time.Now()))
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

const aboutResult = `Write the kept answer of an asynchronous call to standard output. The exit code is
0 if the function answered with a 2xx status.`

func newAsyncResult() *cobra.Command {
	var (
		t       target
		include bool
	)
	cmd := &cobra.Command{
		Use: "result ID", Short: "Write the answer of an asynchronous call", Long: aboutResult, Args: wants("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			if err := showResult(cmd, c, args[0], include); err != nil {
				return fmt.Errorf("result of call %s: %w", shown(args[0]), err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&include, "include", "i", false, "show status and header before the answer")
	t.addTo(cmd)
	return cmd
}

func showResult(cmd *cobra.Command, c *remote, id string, include bool) error {
	r, err := c.request(cmd.Context(), http.MethodGet, callPath(id)+"/result", "", nil)
	if err != nil {
		return err
	}
	res, err := c.sendSigned(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.Header.Get("X-Function-Status") == "" { // the node's own answer
		return noResult(c, res)
	}
	if include {
		showHeader(cmd.OutOrStdout(), &answer{proto: res.Proto, status: res.StatusCode, header: res.Header})
	}
	if n, err := io.Copy(cmd.OutOrStdout(), res.Body); err != nil {
		return fmt.Errorf("cut short after %d bytes: %w", n, err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the function answered %s", res.Status)
	}
	return nil
}

// noResult is why there is no answer.
func noResult(c *remote, res *http.Response) error {
	var told asyncCall
	if err := c.read(res, &told); err != nil {
		return err
	}
	if told.Next != nil {
		return fmt.Errorf("there is none yet: it is %s, tried next %s", told.State, told.next(time.Now()))
	}
	if told.State == "" {
		return errors.New("the answer is not what a node sends")
	}
	return fmt.Errorf("there is none yet: it is %s", told.State)
}

func newAsyncDrop() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "drop ID", Short: "Forget an asynchronous call, with its answer", Args: wants("ID"),
		Long: "Forget an asynchronous call that this node holds, with its answer. One that has not\nended is cancelled before.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, "/system/async/"+url.PathEscape(args[0]), "", nil, nil); err != nil {
				return fmt.Errorf("drop call %s: %w", shown(args[0]), err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "dropped call %s\n", shown(args[0]))
			return nil
		},
	}
	t.addTo(cmd)
	return cmd
}
