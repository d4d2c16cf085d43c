package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

const aboutDeploy = `Deploy a function on one node, or replace the one of that name. The image says
what runs: builtin:NAME, exec:PATH (a process per request), serve:PATH (a
long-lived HTTP process, told its port by $PORT), wasm:PATH (a WASI module),
http://HOST:PORT, or a name that the node's --image-alias maps to one of these.
Without an image, --env-process is run per request.

With -f it deploys the functions of an OpenFaaS stack file, ${VAR:-default} in it
replaced from the environment; "-" is standard input. Files of environment_file,
and images such as exec:./bin/resize, are seen from the file's folder. The gateway
that the file names is not used: --node says where. Other flags add to what the
file says. A file with a mistake in it deploys nothing; where the node refuses
some functions, the others are deployed.`

const exampleDeploy = `  p2pfaas-node deploy hello --image builtin:hello
  p2pfaas-node deploy resize --image serve:/var/lib/p2pfaas/bin/resize --weight 0.5 --deadline 2s
  p2pfaas-node deploy upper --env-process "tr a-z A-Z" --idempotent
  p2pfaas-node deploy -f stack.yml --filter "img-*"`

func newDeploy() *cobra.Command {
	var (
		t target
		d deployment
		s stackFile
	)
	cmd := &cobra.Command{
		Use:     "deploy {NAME[.NAMESPACE] | -f FILE}",
		Short:   "Deploy or replace functions on a node",
		Long:    aboutDeploy,
		Example: exampleDeploy,
		Args:    func(cmd *cobra.Command, args []string) error { return s.args(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			d.scales = cmd.Flags().Changed("scale")
			functions, err := d.functions(cmd, &s, args)
			if err != nil {
				return err
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			return d.sendAll(cmd, c, functions)
		},
	}
	s.addTo(cmd)
	d.addTo(cmd, &t)
	t.addTo(cmd)
	return cmd
}

// functions are the deployments that flags and arguments ask for.
func (d *deployment) functions(cmd *cobra.Command, s *stackFile, args []string) ([]types.FunctionDeployment, error) {
	if err := d.check(); err != nil {
		return nil, usageError{fmt.Errorf("deploy: %w", err)}
	}
	if s.file != "" {
		return s.functions(cmd.InOrStdin(), d)
	}
	f, err := d.function(args[0])
	if err != nil {
		return nil, usageError{fmt.Errorf("deploy: %w", err)}
	}
	return []types.FunctionDeployment{f}, nil
}

// sendAll tells of each function that failed.
func (d *deployment) sendAll(cmd *cobra.Command, c *remote, functions []types.FunctionDeployment) error {
	var failed []error
	for _, f := range functions {
		if err := d.send(cmd, c, f); err != nil {
			failed = append(failed, err)
		}
		if cmd.Context().Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// send updates the function, or creates it where there is none, as faas-cli
// does: so it works with every OpenFaaS gateway too.
func (d *deployment) send(cmd *cobra.Command, c *remote, f types.FunctionDeployment) error {
	const path = "/system/functions"
	name := faas.Name{Function: f.Service, Namespace: f.Namespace}
	err := c.call(cmd.Context(), http.MethodPut, path, "", f, nil)
	if hasStatus(err, http.StatusNotFound) {
		err = c.call(cmd.Context(), http.MethodPost, path, "", f, nil)
	}
	if err != nil {
		return fmt.Errorf("deploy %s: %w", name, err)
	}
	if d.scales {
		if err := scale(cmd.Context(), c, name, d.replicas); err != nil {
			return fmt.Errorf("%s is deployed, but scale it to %d: %w", name, d.replicas, err)
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "deployed %s, call it at %s/function/%s\n", name, c.base, name)
	return nil
}

// nameIn reads "name[.namespace]"; a namespace given beside it goes before.
func nameIn(s, namespace string) (faas.Name, error) {
	n, err := faas.ParseName(s)
	if err == nil && namespace != "" {
		n.Namespace = namespace
		err = n.Validate()
	}
	return n, err
}
