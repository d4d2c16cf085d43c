package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

const aboutDeploy = `Deploy a function on one node, or replace the one of that name. The image says
what runs: builtin:NAME, exec:PATH (a process per request), serve:PATH (a
long-lived HTTP process, told its port by $PORT) or http://HOST:PORT. Without an
image, --env-process is run per request.`

const exampleDeploy = `  p2pfaas-node deploy hello --image builtin:hello
  p2pfaas-node deploy resize --image serve:/var/lib/p2pfaas/bin/resize --weight 0.5 --deadline 2s
  p2pfaas-node deploy upper --env-process "tr a-z A-Z" --idempotent`

// deployment are the flags of deploy.
type deployment struct {
	image, envProcess        string
	env, labels, annotations map[string]string
	namespace                string
	idempotent               bool
	weight                   float64
	deadline                 time.Duration
	replicas                 int
	scales                   bool // replicas was given
}

func newDeploy() *cobra.Command {
	var (
		t target
		d deployment
	)
	cmd := &cobra.Command{
		Use:     "deploy NAME[.NAMESPACE]",
		Short:   "Deploy or replace a function on a node",
		Long:    aboutDeploy,
		Example: exampleDeploy,
		Args:    wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.scales = cmd.Flags().Changed("scale")
			f, err := d.function(args[0])
			if err != nil {
				return usageError{fmt.Errorf("deploy: %w", err)}
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			return d.send(cmd, c, f)
		},
	}
	d.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func (d *deployment) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&d.image, "image", "", "`what` runs: builtin:NAME, exec:PATH, serve:PATH, http://HOST:PORT")
	fs.StringVar(&d.envProcess, "env-process", "", "`command` to run per request: a program and its arguments, without a shell")
	fs.VarP(pairs{&d.env}, "env", "e", "`KEY=VALUE` for the function's environment; repeatable")
	fs.VarP(pairs{&d.labels}, "label", "l", "`KEY=VALUE`; repeatable")
	fs.Var(pairs{&d.annotations}, "annotation", "`KEY=VALUE`; repeatable")
	fs.StringVar(&d.namespace, "namespace", "", "`namespace` of the function (default "+faas.DefaultNamespace+")")
	fs.BoolVar(&d.idempotent, "idempotent", false, "an invocation may run twice, so that a lost one is tried again")
	fs.Float64Var(&d.weight, "weight", 0, "share of a server that an invocation takes, 0.02 to 64 (default measured)")
	fs.DurationVar(&d.deadline, "deadline", 0, "deadline of invocations that bring none (default 60s)")
	fs.IntVar(&d.replicas, "scale", 0, "set the number of replicas, 0 to start at the first invocation (default as the runtime does)")
}

// function is the deployment that the flags ask for.
func (d *deployment) function(name string) (types.FunctionDeployment, error) {
	n, err := nameIn(name, d.namespace)
	if err != nil {
		return types.FunctionDeployment{}, err
	}
	if d.image == "" && d.envProcess == "" {
		return types.FunctionDeployment{}, fmt.Errorf("nothing to run: give --image (as builtin:hello) or --env-process")
	}
	if strings.ContainsAny(d.envProcess, "\"'") {
		return types.FunctionDeployment{}, fmt.Errorf("--env-process %s: no shell: quotes are not interpreted; put the command into a script", d.envProcess)
	}
	if d.replicas < 0 {
		return types.FunctionDeployment{}, fmt.Errorf("--scale %d: want 0 or more replicas", d.replicas)
	}
	if err := d.annotate(); err != nil {
		return types.FunctionDeployment{}, err
	}
	return types.FunctionDeployment{
		Service: n.Function, Namespace: n.Namespace,
		Image: d.image, EnvProcess: d.envProcess, EnvVars: d.env,
		Labels: &d.labels, Annotations: &d.annotations,
	}, nil
}

// annotate puts what the mesh reads of a function into its annotations.
func (d *deployment) annotate() error {
	if d.annotations == nil {
		d.annotations = map[string]string{}
	}
	if d.idempotent {
		d.annotations[faas.AnnotationIdempotent] = "true"
	}
	if d.weight != 0 {
		if d.weight < 0.02 || d.weight > 64 {
			return fmt.Errorf("--weight %v: want 0.02 to 64", d.weight)
		}
		d.annotations[faas.AnnotationWeight] = strconv.FormatFloat(d.weight, 'g', -1, 64)
	}
	if d.deadline < 0 {
		return fmt.Errorf("--deadline %v: want a positive duration, as 2s", d.deadline)
	}
	if d.deadline > 0 {
		d.annotations[faas.AnnotationDeadline] = d.deadline.String()
	}
	return nil
}

// send updates the function, or creates it where there is none, as faas-cli
// does: so it works with every OpenFaaS gateway too.
func (d *deployment) send(cmd *cobra.Command, c *remote, f types.FunctionDeployment) error {
	const path = "/system/functions"
	err := c.call(cmd.Context(), http.MethodPut, path, "", f, nil)
	if hasStatus(err, http.StatusNotFound) {
		err = c.call(cmd.Context(), http.MethodPost, path, "", f, nil)
	}
	if err != nil {
		return fmt.Errorf("deploy %s: %w", f.Service, err)
	}
	if d.scales {
		if err := scale(cmd.Context(), c, f, d.replicas); err != nil {
			return fmt.Errorf("%s is deployed, but scale it to %d: %w", f.Service, d.replicas, err)
		}
	}
	name := faas.Name{Function: f.Service, Namespace: f.Namespace}
	fmt.Fprintf(cmd.OutOrStdout(), "deployed %s, call it at %s/function/%s\n", name, c.base, name)
	return nil
}

func scale(ctx context.Context, c *remote, f types.FunctionDeployment, replicas int) error {
	path := "/system/scale-function/" + url.PathEscape(f.Service)
	query := url.Values{"namespace": {f.Namespace}}.Encode()
	return c.call(ctx, http.MethodPost, path, query, scaleRequest{ServiceName: f.Service, Replicas: replicas}, nil)
}

type scaleRequest struct {
	ServiceName string `json:"serviceName"`
	Replicas    int    `json:"replicas"`
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
