package faas_test

import (
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestFingerprint(t *testing.T) {
	base := func() faas.Function {
		return faas.Function{
			Name: faas.Name{Function: "f", Namespace: "ns"}, Image: "img", EnvProcess: "cat",
			Annotations: map[string]string{faas.AnnotationVersion: "1"},
		}
	}
	tests := []struct {
		name   string
		change func(*faas.Function)
		same   bool
	}{
		{"nothing", func(*faas.Function) {}, true},
		{"environment", func(f *faas.Function) { f.EnvVars = map[string]string{"a": "b"} }, true},
		{"labels", func(f *faas.Function) { f.Labels = map[string]string{"a": "b"} }, true},
		{"limits", func(f *faas.Function) { f.Limits = &faas.Resources{Memory: "1Gi"} }, true},
		{"other annotation", func(f *faas.Function) { f.Annotations[faas.AnnotationMesh] = "off" }, true},
		{"name", func(f *faas.Function) { f.Name.Function = "g" }, false},
		{"namespace", func(f *faas.Function) { f.Name.Namespace = "other" }, false},
		{"image", func(f *faas.Function) { f.Image = "img2" }, false},
		{"process", func(f *faas.Function) { f.EnvProcess = "tac" }, false},
		{"version", func(f *faas.Function) { f.Annotations[faas.AnnotationVersion] = "2" }, false},
		{"no version", func(f *faas.Function) { f.Annotations = nil }, false},
		{"parts that run together", func(f *faas.Function) { f.Image, f.EnvProcess = "imgc", "at" }, false},
	}
	was := base()
	for _, tt := range tests {
		f := base()
		tt.change(&f)
		if same := f.Fingerprint() == was.Fingerprint(); same != tt.same {
			t.Errorf("%s: same %v, want %v", tt.name, same, tt.same)
		}
	}
}

// TestFingerprintStays: two versions of this program must agree.
func TestFingerprintStays(t *testing.T) {
	f := faas.Function{Name: faas.Name{Function: "echo", Namespace: faas.DefaultNamespace}, Image: "builtin:echo"}
	if got, want := f.Fingerprint(), (faas.Fingerprint{0x44, 0x53, 0x80, 0x7e, 0x02, 0x29, 0x6b, 0x0f}); got != want {
		t.Errorf("fingerprint %x, want %x", got, want)
	}
}
