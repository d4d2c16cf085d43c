package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

// deployment are the flags of deploy that say how a function is deployed.
type deployment struct {
	image, envProcess        string
	env, labels, annotations map[string]string
	secrets, constraints     []string
	limits, requests         map[string]string
	readOnly                 bool
	namespace                string
	idempotent               bool
	weight                   float64
	deadline                 time.Duration
	replicas                 int
	scales                   bool // replicas was given
}

func (d *deployment) addTo(cmd *cobra.Command, t *target) {
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&d.image, "image", "", "`what` runs: builtin:NAME, exec:PATH, serve:PATH, wasm:PATH, http://HOST:PORT, or an alias")
	fs.StringVar(&d.envProcess, "env-process", "", "`command` to run per request: a program and its arguments, without a shell")
	fs.VarP(pairs{&d.env}, "env", "e", "`KEY=VALUE` for the function's environment; repeatable")
	fs.VarP(pairs{&d.labels}, "label", "l", "`KEY=VALUE`; repeatable")
	fs.Var(pairs{&d.annotations}, "annotation", "`KEY=VALUE`; repeatable")
	fs.StringArrayVar(&d.secrets, "secret", nil, "`name` of a secret that the function may read; repeatable")
	fs.Var(pairs{&d.limits}, "limit", "`memory=64Mi` or cpu=500m: the most that it may take; repeatable")
	fs.Var(pairs{&d.requests}, "request", "`memory=64Mi` or cpu=500m: what it asks for; repeatable")
	fs.StringArrayVar(&d.constraints, "constraint", nil, "`constraint` on where it runs, kept and told as it is; repeatable")
	fs.BoolVar(&d.readOnly, "read-only", false, "the function may not write files")
	fs.StringVar(&d.namespace, "namespace", "", "`namespace` of the function (default "+faas.DefaultNamespace+")")
	fs.BoolVar(&d.idempotent, "idempotent", false, "an invocation may run twice, so that a lost one is tried again")
	fs.Float64Var(&d.weight, "weight", 0, "share of a server that an invocation takes, 0.02 to 64 (default measured)")
	fs.DurationVar(&d.deadline, "deadline", 0, "deadline of invocations that bring none (default 60s)")
	fs.IntVar(&d.replicas, "scale", 0, "set the number of replicas, 0 to start at the first invocation (default as the runtime does)")
	t.completeFlag(cmd, "namespace", listNamespaces)
	t.completeFlag(cmd, "secret", listSecretNames)
}

// check says what is wrong with the flags, whatever they are applied to.
func (d *deployment) check() error {
	switch {
	case d.replicas < 0:
		return fmt.Errorf("--scale %d: want 0 or more replicas", d.replicas)
	case d.weight != 0 && (d.weight < 0.02 || d.weight > 64):
		return fmt.Errorf("--weight %v: want 0.02 to 64", d.weight)
	case d.deadline < 0:
		return fmt.Errorf("--deadline %v: want a positive duration, as 2s", d.deadline)
	}
	if err := checkResources("--limit", d.limits); err != nil {
		return err
	}
	return checkResources("--request", d.requests)
}

func checkResources(flag string, m map[string]string) error {
	for key := range m {
		if key != "memory" && key != "cpu" {
			return fmt.Errorf("%s %s=%s: want memory=AMOUNT or cpu=AMOUNT, as memory=64Mi", flag, key, m[key])
		}
	}
	return nil
}

// function is the deployment that the flags alone ask for.
func (d *deployment) function(name string) (types.FunctionDeployment, error) {
	f := types.FunctionDeployment{}
	n, err := nameIn(name, d.namespace)
	if err != nil {
		return f, err
	}
	f.Service, f.Namespace, f.Image, f.EnvProcess = n.Function, n.Namespace, d.image, d.envProcess
	d.onto(&f)
	return f, checkRuns(&f)
}

// checkRuns says what keeps a deployment from running anywhere.
func checkRuns(f *types.FunctionDeployment) error {
	if f.Image == "" && f.EnvProcess == "" {
		return errors.New("nothing to run: give --image (as builtin:hello) or --env-process; in a stack file, image or fprocess")
	}
	if strings.ContainsAny(f.EnvProcess, "\"'") {
		return fmt.Errorf("--env-process %s: no shell: quotes are not interpreted; put the command into a script", f.EnvProcess)
	}
	return nil
}

// onto adds what the flags say, but for what runs and under which name.
func (d *deployment) onto(f *types.FunctionDeployment) {
	f.EnvVars = merged(f.EnvVars, d.env)
	labels := merged(deref(f.Labels), d.labels)
	annotations := merged(merged(deref(f.Annotations), d.annotations), d.meshAnnotations())
	f.Labels, f.Annotations = &labels, &annotations
	f.Secrets = union(f.Secrets, d.secrets)
	f.Constraints = union(f.Constraints, d.constraints)
	f.Limits = resources(f.Limits, d.limits)
	f.Requests = resources(f.Requests, d.requests)
	f.ReadOnlyRootFilesystem = f.ReadOnlyRootFilesystem || d.readOnly
}

// meshAnnotations are the flags that the mesh reads as annotations of a function.
func (d *deployment) meshAnnotations() map[string]string {
	m := map[string]string{}
	if d.idempotent {
		m[faas.AnnotationIdempotent] = "true"
	}
	if d.weight != 0 {
		m[faas.AnnotationWeight] = strconv.FormatFloat(d.weight, 'g', -1, 64)
	}
	if d.deadline > 0 {
		m[faas.AnnotationDeadline] = d.deadline.String()
	}
	return m
}

// merged is both, over where they differ; nil if there is nothing in them.
func merged(under, over map[string]string) map[string]string {
	if len(under)+len(over) == 0 {
		return nil
	}
	all := maps.Clone(over)
	if all == nil {
		all = map[string]string{}
	}
	for key, value := range under {
		if _, ok := all[key]; !ok {
			all[key] = value
		}
	}
	return all
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func resources(under *types.FunctionResources, over map[string]string) *types.FunctionResources {
	if len(over) == 0 {
		return under
	}
	r := deref(under)
	if v, ok := over["memory"]; ok {
		r.Memory = v
	}
	if v, ok := over["cpu"]; ok {
		r.CPU = v
	}
	return &r
}
