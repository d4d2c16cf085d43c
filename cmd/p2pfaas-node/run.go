package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/node"
)

const aboutRun = `Run a node until SIGTERM or SIGINT, then answer what it has begun (--drain) and
end; a second signal ends it at once. When it is ready it prints one line.

Each flag is also a key of the TOML file of --config and an environment
variable (P2PFAAS_HTTP for --http; commas between the entries of a list).
Flags go before the environment, the environment before the file.`

func newRun() *cobra.Command {
	given := node.Default()
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a node on this machine",
		Long:  aboutRun,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configure(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	addSettings(cmd.Flags(), &given)
	cmd.Flags().String("config", "", "TOML `file` of settings")
	completeSettings(cmd)
	return cmd
}

// configure is the checked Config of the command's flags, environment and file.
// Logging is set up by it.
func configure(cmd *cobra.Command) (node.Config, error) {
	c, warnings, err := resolve(cmd.Flags(), configFile(cmd.Flags()), os.Environ())
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return c, usageError{err}
	}
	c.Version = programVersion().Version
	if err := setUpLogging(c.LogLevel); err != nil {
		return c, err
	}
	for _, w := range warnings {
		log.Warnw("environment variable has no effect", "reason", w)
	}
	return c, nil
}

// serve runs a node until ctx ends, and then drains it.
func serve(ctx context.Context, c node.Config, stdout io.Writer) error {
	n, err := node.NewWith(c, nodeParts())
	if err != nil {
		return err
	}
	defer n.Close()
	soft := node.LimitMemory()
	node.PaceCollection()
	if err := n.Start(ctx); err != nil {
		return err
	}
	if soft > 0 {
		log.Infow("heap is kept below a limit; GOMEMLIMIT sets another", "mb", soft>>20)
	}
	log.Infow("mesh is open: who is on a private, link-local or loopback address may join and invoke", "mesh", c.Mesh)
	fmt.Fprintln(stdout, readyLine(n.Ready()))
	<-ctx.Done()
	log.Infow("draining", "limit", c.Drain.String())
	drain(n, c)
	if err := n.Close(); err != nil {
		return err
	}
	log.Infow("ended")
	return nil
}

// readyLine is one line of key=value, for people and scripts.
func readyLine(r node.Ready) string {
	return fmt.Sprintf("ready peer=%s mesh=%s runtime=%s preset=%s http=%s addresses=%s",
		r.PeerID, r.Mesh, r.Runtime, r.Preset, r.HTTP, strings.Join(r.Addrs, ","))
}

func drain(n *node.Node, c node.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Drain)
	defer cancel()
	switch err := n.Drain(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		log.Warnw("drain limit reached, invocations under way are cut", "limit", c.Drain.String())
	case err != nil:
		log.Errorw("drain failed", "err", err)
	}
}

func completeSettings(cmd *cobra.Command) {
	fixed := map[string][]string{
		"policy":    policies().Names(),
		"preset":    {node.PresetAuto, node.PresetSmall, node.PresetStandard},
		"retry":     {node.RetryIdempotent, node.RetryAlways, node.RetryNever},
		"log-level": {"debug", "info", "warn", "error"},
	}
	for name, values := range fixed {
		// Fails only for a flag that does not exist, which a test would see.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}
