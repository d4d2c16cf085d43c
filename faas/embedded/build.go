package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/fork"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// build makes the deployment of a record, with its replicas starting. It
// continues the log and the account of the one that it replaces, if any.
func (rt *Runtime) build(r record, old *deployment) (*deployment, error) {
	t, err := rt.cfg.resolve(&r.Function, r.Module)
	if err != nil {
		return nil, err
	}
	if err := rt.hasSecrets(&r.Function); err != nil {
		return nil, err
	}
	d := newDeployment(r, old)
	set, ignored := rt.cfg.settings(&r.Function) // what Deploy accepts changes with versions
	switch t.kind {
	case kindRunning:
		d.backend = &remote{client: httpcall.New(t.addr, httpcall.Default()), over: d.over}
		d.note, d.log, d.account = joinNotes(unenforced(&r.Function), withheld(&r.Function), unlimited(&r.Function, "it runs elsewhere")), nil, nil
	case kindModule:
		err = rt.buildModule(d, t, &set, r.Module)
	default:
		err = rt.buildLocal(d, t, &set)
	}
	if err != nil {
		d.secrets.close()
		if old == nil || old.log != d.log {
			d.closeLog()
		}
		return nil, err
	}
	if ignored != nil {
		d.note = joinNotes(d.note, "ignored: "+strings.ReplaceAll(ignored.Error(), "\n", "; "))
	}
	d.scaler = newScaler(set.scaling, d.backend)
	d.backend.scale(min(r.Replicas, rt.cfg.MaxReplicas))
	return d, nil
}

// buildLocal makes what runs a program of this machine.
func (rt *Runtime) buildLocal(d *deployment, t target, set *settings) error {
	cmd, note, err := rt.command(&d.function, t)
	if err != nil {
		return err
	}
	settings, err := watchdog.ReadSettings(d.function.EnvVars)
	if err != nil {
		return err
	}
	if err := rt.prepare(d); err != nil {
		return err
	}
	if d.secrets, err = rt.views.open(&d.function, cmd.RunAs); err != nil {
		return err
	}
	cmd.Account, cmd.Mounts, cmd.Env = d.account, d.secrets.mounted(), d.secrets.environ(cmd.Env, d.function.EnvVars)
	limit, unlimited := rt.limiter(&d.function, set.limits)
	d.note = joinNotes(unenforced(&d.function), unlimited, note, d.secrets.says(), quoted(t.args))
	if t.kind == kindForked {
		if limit != nil {
			if d.limits, err = limit(); err != nil {
				return fmt.Errorf("limit function: %w", err)
			}
			cmd.Group = d.limits
		}
		d.backend = &forked{runner: &fork.Runner{
			Command: cmd, Spawner: rt.spawner, Log: d.log, Settings: settings, Released: d.over,
		}}
		return nil
	}
	d.backend = kept{over: d.over, patience: set.ready.Delay + rt.cfg.ReadyTimeout, group: process.NewGroup(d.function.Name.String(), process.Config{
		Command: cmd, Spawner: rt.spawner, Ports: rt.ports, Log: d.log, Released: d.over,
		Limit: limit, Ready: set.ready, Health: set.health, ReadyTimeout: rt.cfg.ReadyTimeout, Changed: rt.notify,
		Drain: rt.cfg.Drain, Grace: rt.cfg.Grace, MinBackoff: rt.cfg.MinBackoff, MaxBackoff: rt.cfg.MaxBackoff,
	})}
	return nil
}

// prepare opens what d does not continue of the version before: its account and
// its log.
func (rt *Runtime) prepare(d *deployment) (err error) {
	if d.account == nil {
		d.account = child.NewAccount()
	}
	if d.log == nil {
		if d.log, err = child.OpenLog(rt.logPath(d.function.Name), rt.cfg.LogLimit); err != nil {
			return fmt.Errorf("open function's log: %w", err)
		}
	}
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

// environment is all that a program inherits.
func (rt *Runtime) environment(f *faas.Function) ([]string, error) {
	own, err := ownEnvironment(f)
	path := "PATH=" + strings.Join(rt.cfg.ExecPath, string(os.PathListSeparator))
	return append([]string{path, "HOME=/"}, own...), err
}

// ownEnvironment is what concerns the function alone.
func ownEnvironment(f *faas.Function) ([]string, error) {
	env := []string{
		"OPENFAAS_NAME=" + f.Name.Function,
		"OPENFAAS_NAMESPACE=" + f.Name.Namespace,
	}
	for name, value := range f.EnvVars {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.IndexByte(value, 0) >= 0 {
			return nil, fmt.Errorf("environment variable %q: %w: a name has no =, and neither name nor value a zero byte", name, faas.ErrInvalid)
		}
		env = append(env, name+"="+value)
	}
	slices.Sort(env[2:])
	return env, nil
}
