package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/node"
)

const aboutPolicy = `Show or change the policy by which a node decides where an invocation runs, and
how much runs and waits on it. A change holds from the next decision on, also
after a restart, until something else is configured or "policy reset".`

func newPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show or change how a node decides",
		Long:  aboutPolicy,
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyShow(), newPolicyGet(), newPolicySet(), newPolicyReset(), newPolicyExport(), newPolicyImport())
	return cmd
}

// policyTool is what the three have in common.
type policyTool struct {
	t   target
	out output
}

func (p *policyTool) command(use, short string, args cobra.PositionalArgs, in func(cmd *cobra.Command, args []string) (method string, body any)) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: aboutPolicy, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.t.remote()
			if err != nil {
				return err
			}
			method, body := in(cmd, args)
			var reply node.PolicyReply
			if err := c.call(cmd.Context(), method, "/system/policy", "", body, &reply); err != nil {
				return fmt.Errorf("policy: %w", err)
			}
			if p.out.json() {
				return printJSON(cmd.OutOrStdout(), reply)
			}
			return printPolicy(cmd.OutOrStdout(), &reply)
		},
	}
	p.out.addTo(cmd)
	p.t.addTo(cmd)
	return cmd
}

func newPolicyGet() *cobra.Command {
	return new(policyTool).command("get", "Show the policy in force, its parameters and the others", wants(),
		func(*cobra.Command, []string) (string, any) { return http.MethodGet, nil })
}

func newPolicyReset() *cobra.Command {
	return new(policyTool).command("reset", "Go back to what the node was started with", wants(),
		func(*cobra.Command, []string) (string, any) { return http.MethodDelete, nil })
}

func newPolicySet() *cobra.Command {
	var (
		set            map[string]string
		servers, queue int
		order          string
	)
	cmd := new(policyTool).command("set [NAME]", "Change the policy, its parameters or the capacity", atMostOne,
		func(cmd *cobra.Command, args []string) (string, any) {
			body := map[string]any{}
			if len(args) > 0 {
				body["policy"] = args[0]
			}
			for flag, value := range map[string]any{"set": set, "servers": servers, "queue": queue, "order": order} {
				if cmd.Flags().Changed(flag) {
					body[flag] = value
				}
			}
			return http.MethodPost, body
		})
	cmd.Flags().Var(pairs{&set}, "set", "parameter of the policy, as `KEY=VALUE`; repeat for more. Those not named get their defaults")
	cmd.Flags().IntVar(&servers, "servers", 0, "`number` of servers, 0 for one a core")
	cmd.Flags().IntVar(&queue, "queue", -1, "`places` to wait, -1 for as many as can start in time")
	cmd.Flags().StringVar(&order, "order", "", "who of the waiting is first: fifo, deadline or moore-hodgson; empty: as the policy wants")
	return cmd
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s: %q is one argument too many", cmd.Name(), args[1])
	}
	return nil
}

func newPolicyExport() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "export FILE", Short: "Write what the policy has learned to a file, - for standard output", Args: wants("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			model, err := c.model(cmd.Context(), http.MethodGet, nil)
			if err != nil {
				return fmt.Errorf("export model: %w", err)
			}
			if args[0] == "-" {
				_, err = cmd.OutOrStdout().Write(model)
				return err
			}
			return os.WriteFile(args[0], model, 0o600)
		},
	}
	t.addTo(cmd)
	return cmd
}

func newPolicyImport() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Have the policy go on from what it, or one like it, has learned elsewhere", Args: wants("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			model, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if _, err := c.model(cmd.Context(), http.MethodPut, bytes.NewReader(model)); err != nil {
				return fmt.Errorf("import model: %w", err)
			}
			return nil
		},
	}
	t.addTo(cmd)
	return cmd
}

// model moves what a policy has learned, as bytes.
func (c *remote) model(ctx context.Context, method string, body io.Reader) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	r, err := c.request(ctx, method, "/system/policy/model", "", body)
	if err != nil {
		return nil, err
	}
	if c.password != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	res, err := c.send(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err == nil && res.StatusCode/100 != 2 {
		err = c.failed(res, answer)
	}
	return answer, err
}

func printPolicy(w io.Writer, p *node.PolicyReply) error {
	origin := "as configured"
	if p.Changed {
		origin = "set at run time; policy reset goes back"
	}
	rows := [][]string{
		{"policy", p.Policy + " (" + origin + ")"},
		{"rule", p.Describe},
		{"servers", orDefault(p.Servers == 0, "one a core", strconv.Itoa(p.Servers))},
		{"queue", orDefault(p.Queue < 0, "as many as can start in time", strconv.Itoa(p.Queue))},
		{"order", orDefault(p.Order == "", "as the policy wants", p.Order)},
	}
	if l := p.Learning; l != nil {
		rows = append(rows, []string{"learning", learningText(l)})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	if len(p.Parameters) > 0 {
		fmt.Fprintln(w)
		rows = [][]string{{"PARAMETER", "VALUE", "DEFAULT", "MEANING"}}
		for _, a := range p.Parameters {
			rows = append(rows, []string{a.Key, a.Value, a.Default, a.Meaning + " (" + a.Accepts + ")"})
		}
		if err := printTable(w, rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\npolicies: %s\n", strings.Join(p.Policies, ", "))
	return err
}

func orDefault(is bool, text, otherwise string) string {
	if is {
		return text
	}
	return otherwise
}

// learningText says who decides, and how that went lately.
func learningText(l *node.LearningReply) string {
	text := fmt.Sprintf("%s, %d outcomes of %d functions, %.1f %% of decisions explore", l.State, l.Outcomes, l.Functions, 100*l.Epsilon)
	if l.OnTime != nil && l.DefaultOnTime != nil {
		text += fmt.Sprintf("; on time %.1f %% by what was learned, %.1f %% by the default", 100**l.OnTime, 100**l.DefaultOnTime)
	}
	if l.Agreement != nil {
		text += fmt.Sprintf("; %.0f %% of decisions are the default's too", 100**l.Agreement)
	}
	return text
}
