package embedded_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// scaling is a bed whose functions are looked at often.
func scaling(t *testing.T) *bed {
	t.Helper()
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.ScaleEvery = 100 * time.Millisecond
	return &bed{t, dir, start(t, cfg)}
}

// labels of a function that sleeps, of which a replica is to have 2 calls.
func labels(more map[string]string) map[string]string {
	all := map[string]string{
		"com.openfaas.scale.type": "capacity", "com.openfaas.scale.target": "2", "com.openfaas.scale.target-proportion": "1",
		"com.openfaas.scale.max": "4", "com.openfaas.scale.factor": "100", "com.openfaas.scale.down.window": "1s",
	}
	maps.Copy(all, more)
	return all
}

// TestAutoscale: up under load, down without, to zero when idle, and back with
// the next call; no call fails.
func TestAutoscale(t *testing.T) {
	t.Parallel()
	b := scaling(t)
	b.deploy(faas.Function{Name: named("f"), Image: "builtin:sleep", Labels: labels(map[string]string{
		"com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "3s",
	})})
	stop := b.load("f", 6)
	until(t, "3 replicas for 6 calls", func() bool { return b.status("f").AvailableReplicas == 3 })
	stop()
	until(t, "1 replica without calls", func() bool { return b.status("f").Replicas == 1 })
	until(t, "no replica when idle", func() bool { return b.status("f").Replicas == 0 })
	if body := b.mustGet("f"); !strings.HasPrefix(body, "slept") {
		t.Errorf("answer %q", body)
	}
	if st := b.status("f"); st.Replicas != 1 {
		t.Errorf("%d replicas after a call", st.Replicas)
	}
}

// TestScaledByHand: what is set by hand is where scaling goes on from.
func TestScaledByHand(t *testing.T) {
	t.Parallel()
	b := scaling(t)
	b.deploy(faas.Function{Name: named("f"), Image: "builtin:sleep", Labels: labels(nil)})
	b.mustGet("f")
	for _, n := range []int{3, 9, 0} {
		if err := b.rt.Scale(t.Context(), named("f"), n); err != nil {
			t.Fatal(err)
		}
		want := 1
		if n == 0 {
			want = 0
		}
		until(t, "back within the bounds", func() bool { return b.status("f").Replicas == want })
	}
	time.Sleep(300 * time.Millisecond)
	if st := b.status("f"); st.Replicas != 0 {
		t.Errorf("%d replicas of a function stopped by hand", st.Replicas)
	}
	b.mustGet("f")
}

// TestZeroDuringCall: a call under way keeps a function from zero, and is
// answered when somebody else sets it.
func TestZeroDuringCall(t *testing.T) {
	t.Parallel()
	b := scaling(t)
	b.deploy(faas.Function{Name: named("f"), Image: "builtin:sleep", Labels: map[string]string{
		"com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "200ms",
	}})
	answered := make(chan error, 1)
	go func() {
		_, _, err := b.call(&faas.Request{Name: named("f"), Method: "GET", Query: "d=2s"})
		answered <- err
	}()
	until(t, "it runs", func() bool { return b.status("f").AvailableReplicas == 1 })
	time.Sleep(time.Second)
	if st := b.status("f"); st.Replicas != 1 {
		t.Errorf("%d replicas during a call", st.Replicas)
	}
	if err := b.rt.Scale(t.Context(), named("f"), 0); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestForkedReplicas: they are a number; it follows zero, not the load.
func TestForkedReplicas(t *testing.T) {
	t.Parallel()
	b := scaling(t)
	b.deploy(faas.Function{Name: named("f"), Image: "exec:/bin/cat", Labels: labels(map[string]string{
		"com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "300ms", "com.openfaas.scale.target": "0.001",
	})})
	if b.mustGet("f"); b.status("f").Replicas != 1 {
		t.Errorf("%d replicas", b.status("f").Replicas)
	}
	until(t, "zero", func() bool { return b.status("f").Replicas == 0 })
	if b.mustGet("f"); b.status("f").Replicas != 1 {
		t.Errorf("%d replicas after a call", b.status("f").Replicas)
	}
}

// TestSettingsAreRefused where they would be ignored.
func TestSettingsAreRefused(t *testing.T) {
	b := newBed(t)
	for name, f := range map[string]faas.Function{
		"label":      {Labels: map[string]string{"com.openfaas.scale.max": "lots"}},
		"memory":     {Limits: &faas.Resources{Memory: "64MB"}},
		"CPU":        {Limits: &faas.Resources{CPU: "fast"}},
		"path":       {Annotations: map[string]string{"com.openfaas.health.http.path": "healthz"}},
		"escape":     {Annotations: map[string]string{"com.openfaas.ready.http.path": "/%zz"}},
		"space":      {Annotations: map[string]string{"com.openfaas.ready.http.path": "/is it"}},
		"period":     {Annotations: map[string]string{"com.openfaas.health.http.periodSeconds": "often"}},
		"no period":  {Annotations: map[string]string{"com.openfaas.ready.http.periodSeconds": "0"}},
		"threshold":  {Annotations: map[string]string{"com.openfaas.ready.http.failureThreshold": "0"}},
		"first look": {Annotations: map[string]string{"com.openfaas.ready.http.initialDelay": "-1s"}},
	} {
		f.Name, f.Image = named("f"), "exec:/bin/cat"
		if err := b.rt.Deploy(t.Context(), f); !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestEarlierSettings: what an earlier version of this program accepted and this
// one does not, does not keep a function from coming back.
func TestEarlierSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := `{"Version":1,"Replicas":1,"Function":{"Name":{"Function":"f","Namespace":"` + faas.DefaultNamespace + `"},"Image":"exec:/bin/cat","Labels":{"com.openfaas.scale.max":"lots"},"Limits":{"Memory":"64MB"}}}`
	folder := filepath.Join(dir, "functions")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "f."+faas.DefaultNamespace+".json"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	b := &bed{t, dir, start(t, testConfig(dir))}
	b.mustGet("f")
	if note := b.status("f").Note; !strings.Contains(note, "ignored") || !strings.Contains(note, "64MB") || !strings.Contains(note, "lots") {
		t.Errorf("note %q", note)
	}
}

// TestCountsAreStored before a node is killed.
func TestCountsAreStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.SaveEvery = 50 * time.Millisecond
	b := &bed{t, dir, start(t, cfg)}
	b.deploy(faas.Function{Name: named("f"), Image: "exec:/bin/cat"})
	b.mustGet("f")
	b.mustGet("f")
	until(t, "the count is in the file", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "functions", "f."+faas.DefaultNamespace+".json"))
		return err == nil && strings.Contains(string(text), `"Invocations": 2`)
	})
}
