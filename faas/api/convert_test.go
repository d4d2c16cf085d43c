package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openfaas/faas-provider/types"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

func maps(t *rapid.T, label string) map[string]string {
	if rapid.Bool().Draw(t, label+" nil") {
		return nil
	}
	return rapid.MapOfN(rapid.StringN(0, 4, 8), rapid.StringN(0, 4, 8), 0, 3).Draw(t, label)
}

func lists(t *rapid.T, label string) []string {
	if rapid.Bool().Draw(t, label+" nil") {
		return nil
	}
	return rapid.SliceOfN(rapid.StringN(0, 4, 8), 0, 3).Draw(t, label)
}

func resources(t *rapid.T, label string) *faas.Resources {
	if rapid.Bool().Draw(t, label+" nil") {
		return nil
	}
	s := rapid.SampledFrom([]string{"", "64Mi", "100m", "1"})
	return &faas.Resources{
		Memory: s.Draw(t, label+" memory"), CPU: s.Draw(t, label+" cpu"),
		NvidiaGPU: s.Draw(t, "nvidia"), AmdGPU: s.Draw(t, "amd"), IntelGPU: s.Draw(t, "intel"),
	}
}

func drawStatus(t *rapid.T) faas.Status {
	s := rapid.StringN(0, 6, 12)
	return faas.Status{
		Function: faas.Function{
			Name:                   faas.Name{Function: s.Draw(t, "name"), Namespace: rapid.StringN(1, 6, 12).Draw(t, "namespace")},
			Image:                  s.Draw(t, "image"),
			EnvProcess:             s.Draw(t, "process"),
			EnvVars:                maps(t, "env"),
			Constraints:            lists(t, "constraints"),
			Secrets:                lists(t, "secrets"),
			Labels:                 maps(t, "labels"),
			Annotations:            maps(t, "annotations"),
			Limits:                 resources(t, "limits"),
			Requests:               resources(t, "requests"),
			ReadOnlyRootFilesystem: rapid.Bool().Draw(t, "read only"),
		},
		Replicas:          rapid.IntRange(0, 1<<31-1).Draw(t, "replicas"),
		AvailableReplicas: rapid.IntRange(0, 1<<31-1).Draw(t, "available"),
		Invocations:       rapid.Uint64Range(0, 1<<53).Draw(t, "invocations"),
		CreatedAt:         time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "created"), 0).UTC(),
	}
}

// Conversion keeps everything, nil apart from empty.
func TestConversionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatus(t)
		d := api.FromFunction(&s.Function)
		if diff := cmp.Diff(s.Function, api.ToFunction(&d)); diff != "" {
			t.Fatal("function", diff)
		}
		status := api.FromStatus(&s)
		if diff := cmp.Diff(s, api.ToStatus(&status)); diff != "" {
			t.Fatal("status", diff)
		}
	})
}

func TestJSONShape(t *testing.T) {
	for _, row := range []struct {
		function faas.Function
		want     string
	}{
		{faas.Function{}, `{"service":"","image":""}`},
		{
			faas.Function{Labels: map[string]string{}, Limits: &faas.Resources{}},
			`{"service":"","image":"","labels":{},"limits":{}}`,
		},
	} {
		got, err := json.Marshal(api.FromFunction(&row.function))
		if err != nil || string(got) != row.want {
			t.Errorf("%s %v, want %s", got, err, row.want)
		}
	}
}

func TestNamespaceDefault(t *testing.T) {
	f := api.ToFunction(&types.FunctionDeployment{Service: "echo"})
	if want := (faas.Name{Function: "echo", Namespace: faas.DefaultNamespace}); f.Name != want {
		t.Errorf("%v, want %v", f.Name, want)
	}
}
