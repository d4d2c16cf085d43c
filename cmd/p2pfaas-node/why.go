package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/protocol/control"
)

const aboutWhy = `Tell how a call was decided on, by each node on its path: what was decided and
why, the candidates as they looked then, what came of it, and how long each part
took. Any node on the path can be asked; it asks the others, for 2 s at most, and
names those that did not answer. The ID is that of the answer's header X-Call-Id,
or see "p2pfaas-node calls".`

func newWhy() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use:   "why CALL-ID",
		Short: "Tell why a call went where it did",
		Long:  aboutWhy,
		Args:  wants("CALL-ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			var w control.Why
			if err := c.call(cmd.Context(), http.MethodGet, "/system/why/"+url.PathEscape(args[0]), "", nil, &w); err != nil {
				return fmt.Errorf("why %s: %w", shown(args[0]), err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), w)
			}
			return printWhy(cmd.OutOrStdout(), &w)
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}
