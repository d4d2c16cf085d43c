package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/fork"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
)

const (
	// labelMinReplicas is OpenFaaS's: how many replicas a new deployment gets.
	labelMinReplicas = "com.openfaas.scale.min"
	// annotationReady is OpenFaaS's path for readiness checks.
	annotationReady = "com.openfaas.ready.http.path"
)

// build makes the deployment of a record, with its replicas starting. It
// continues the log and the account of the one that it replaces, if any.
func (rt *Runtime) build(r record, old *deployment) (*deployment, error) {
	t, err := rt.cfg.resolve(&r.Function)
	if err != nil {
		return nil, err
	}
	d := newDeployment(r)
	if old != nil {
		d.log, d.account = old.log, old.account
	}
	if t.kind == kindRunning {
		d.backend = &remote{client: httpcall.New(t.addr, httpcall.Default()), over: d.over}
		d.note, d.log, d.account = unenforced(&r.Function), nil, nil
	} else if err := rt.buildLocal(d, t); err != nil {
		return nil, err
	}
	d.backend.scale(min(r.Replicas, rt.cfg.MaxReplicas))
	return d, nil
}

// buildLocal makes what runs a program of this machine.
func (rt *Runtime) buildLocal(d *deployment, t target) error {
	cmd, note, err := rt.command(&d.function, t)
	if err != nil {
		return err
	}
	if d.account == nil {
		d.account = child.NewAccount()
	}
	cmd.Account = d.account
	timeout, err := execTimeout(d.function.EnvVars)
	if err != nil {
		return err
	}
	if d.log == nil {
		if d.log, err = child.OpenLog(rt.logPath(d.function.Name), rt.cfg.LogLimit); err != nil {
			return fmt.Errorf("open function's log: %w", err)
		}
	}
	d.note = joinNotes(unenforced(&d.function), note)
	if t.kind == kindForked {
		d.backend = &forked{runner: &fork.Runner{
			Command: cmd, Spawner: rt.spawner, Log: d.log, Timeout: timeout,
			ContentType: d.function.EnvVars["content_type"], Released: d.over,
		}}
		return nil
	}
	d.backend = kept{over: d.over, group: process.NewGroup(d.function.Name.String(), process.Config{
		Command: cmd, Spawner: rt.spawner, Ports: rt.ports, Log: d.log, Released: d.over,
		ReadyPath: d.function.Annotations[annotationReady], ReadyTimeout: rt.cfg.ReadyTimeout,
		Grace: rt.cfg.Grace, MinBackoff: rt.cfg.MinBackoff, MaxBackoff: rt.cfg.MaxBackoff,
	})}
	return nil
}

func (rt *Runtime) logPath(n faas.Name) string {
	return filepath.Join(rt.cfg.DataDir, "logs", n.Function+"."+n.Namespace+".log")
}

// command is what is started, with the note that it needs.
func (rt *Runtime) command(f *faas.Function, t target) (child.Command, string, error) {
	env, err := rt.environment(f)
	if err != nil {
		return child.Command{}, "", err
	}
	cmd := child.Command{Path: t.path, Args: t.args, Env: env}
	if os.Geteuid() != 0 {
		return cmd, "", nil
	}
	if rt.cfg.RunAs == nil {
		return cmd, "runs as root", nil
	}
	if err := rt.cfg.RunAs.Reachable(t.path); err != nil {
		return cmd, fmt.Sprintf("runs as root: %v", err), nil
	}
	cmd.RunAs = rt.cfg.RunAs
	return cmd, "", nil
}

// environment is all that a function inherits.
func (rt *Runtime) environment(f *faas.Function) ([]string, error) {
	env := []string{
		"PATH=" + strings.Join(rt.cfg.ExecPath, string(os.PathListSeparator)),
		"HOME=/",
		"OPENFAAS_NAME=" + f.Name.Function,
		"OPENFAAS_NAMESPACE=" + f.Name.Namespace,
	}
	for name, value := range f.EnvVars {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.IndexByte(value, 0) >= 0 {
			return nil, fmt.Errorf("environment variable %q: %w: a name has no =, and neither name nor value a zero byte", name, faas.ErrInvalid)
		}
		env = append(env, name+"="+value)
	}
	slices.Sort(env[4:])
	return env, nil
}

// execTimeout reads the watchdog's variable: a Go duration, or seconds.
func execTimeout(env map[string]string) (time.Duration, error) {
	s := env["exec_timeout"]
	if s == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("environment variable exec_timeout=%q: %w: want a duration such as 10s, or seconds", s, faas.ErrInvalid)
	}
	return d, nil
}

// firstReplicas is how many a new deployment starts with.
func (rt *Runtime) firstReplicas(f *faas.Function) int {
	n, err := strconv.Atoi(f.Labels[labelMinReplicas])
	if err != nil {
		return 1
	}
	return max(1, min(n, rt.cfg.MaxReplicas))
}
