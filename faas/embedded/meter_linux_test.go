package embedded_test

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

func needThreadTimes(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/schedstat"); errors.Is(err, os.ErrNotExist) {
		t.Skip("this kernel does not tell how long a thread waited")
	}
}

func (b *bed) cpu(name string) faas.CPUTime {
	b.Helper()
	c, ok := b.rt.CPUTime(named(name))
	if !ok {
		b.Fatalf("it is not known what %s used", name)
	}
	return c
}

// wants is what a function asked of the processors for each second of calls.
func (b *bed) wants(name string, calls int) float64 {
	b.Helper()
	b.mustGet(name) // it has started
	before, began := b.cpu(name), time.Now()
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			if _, _, err := b.get(name); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	held, after := time.Since(began)*time.Duration(calls), b.cpu(name)
	got := (after.Used - before.Used + after.Waited - before.Waited).Seconds() / held.Seconds()
	b.Logf("%s: used %v, waited %v of %v", name, after.Used-before.Used, after.Waited-before.Waited, held)
	return got
}

// TestCPUTime: a process that computes wants all the time that its call takes,
// however many there are for however few processors, and one that sleeps wants
// little.
func TestCPUTime(t *testing.T) {
	needThreadTimes(t)
	b := newBed(t)
	env := map[string]string{"duration": "1s"}
	b.deploy(faas.Function{Name: named("burn"), Image: "builtin:burn", EnvVars: env})
	b.deploy(faas.Function{Name: named("sleep"), Image: "builtin:sleep", EnvVars: env})
	b.deploy(faas.Function{Name: named("forked"), Image: "exec:" + b.script("forked", "exec timeout 1 sh -c 'while :; do :; done' || true")})
	b.deploy(faas.Function{Name: named("children"), Image: "exec:" + b.script("children", "timeout 1 sh -c 'while :; do :; done'; exit 0")})
	for _, c := range []struct {
		name      string
		calls     int
		low, high float64
	}{
		{"burn", 1, 0.7, 1.8}, // more calls wait inside the program, which the kernel does not see
		{"sleep", 1, 0, 0.4}, {"sleep", 20, 0, 0.2},
		{"forked", 1, 0.5, 2.5}, {"forked", 8, 0.5, 2.5}, {"children", 8, 0.4, 2.5},
	} {
		if got := b.wants(c.name, c.calls); got < c.low || got > c.high {
			t.Errorf("%d calls of %s want %.3f processors each, want %v to %v", c.calls, c.name, got, c.low, c.high)
		}
	}
}

func TestCPUTimeOutlivesProcesses(t *testing.T) {
	needThreadTimes(t)
	b := newBed(t)
	f := faas.Function{Name: named("burn"), Image: "builtin:burn", EnvVars: map[string]string{"duration": "300ms"}}
	b.deploy(f)
	last := faas.CPUTime{}
	check := func(when string) {
		t.Helper()
		now := b.cpu("burn")
		if now.Used < last.Used || now.Waited < last.Waited {
			t.Errorf("%s it fell from %+v to %+v", when, last, now)
		}
		last = now
	}
	b.mustGet("burn")
	check("after a call")
	if last.Used < 50*time.Millisecond {
		t.Errorf("a call that computes 300 ms used %v", last.Used)
	}
	if err := b.rt.Scale(t.Context(), f.Name, 0); err != nil {
		t.Fatal(err)
	}
	until(t, "no process", func() bool { check("stopping"); return b.status("burn").AvailableReplicas == 0 })
	b.mustGet("burn")
	check("in another process")
	f.Annotations = map[string]string{"note": "hi"}
	b.deploy(f)
	b.mustGet("burn")
	check("deployed again")
}

func TestCPUTimeUnknown(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("outside"), Image: "http://127.0.0.1:9"})
	for _, name := range []string{"outside", "nobody"} {
		if c, ok := b.rt.CPUTime(named(name)); ok {
			t.Errorf("%s used %+v: that cannot be known here", name, c)
		}
		want := map[string]error{"outside": faas.ErrUnsupported, "nobody": faas.ErrNotFound}[name]
		if u, err := b.rt.Usage(t.Context(), named(name)); !errors.Is(err, want) {
			t.Errorf("%s takes %+v, %v", name, u, err)
		}
	}
}

func (b *bed) usage(name string) faas.Usage {
	b.Helper()
	u, err := b.rt.Usage(b.Context(), named(name))
	if err != nil {
		b.Fatal(err)
	}
	return u
}

func TestUsage(t *testing.T) {
	needThreadTimes(t)
	b := newBed(t)
	b.deploy(faas.Function{Name: named("f"), Image: "builtin:burn", EnvVars: map[string]string{"duration": "2s"}})
	b.usage("f")
	done := make(chan struct{})
	go func() { defer close(done); _, _, _ = b.get("f") }()
	until(t, "it shows what it takes", func() bool {
		u := b.usage("f")
		return u.CPU > 0.1 && u.CPU < 4 && u.Memory > 1<<20
	})
	<-done
	if err := b.rt.Scale(t.Context(), named("f"), 0); err != nil {
		t.Fatal(err)
	}
	until(t, "it takes nothing", func() bool { u := b.usage("f"); return u.CPU < 0.1 && u.Memory == 0 })
	if st := b.status("f"); st.Usage != nil {
		t.Errorf("who does not ask for it is told %+v", st.Usage)
	}
}
