package main

import (
	"fmt"
	"io"
	"net/http"
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
	cmd.AddCommand(newPolicyGet(), newPolicySet(), newPolicyReset())
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
	cmd := new(policyTool).command("set [NAME]", "Change the policy, its parameters or the capacity", cobra.MaximumNArgs(1),
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
