package autoscale

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestParse(t *testing.T) {
	usual := Policy{Min: 1, Max: 5, Type: RPS, Target: 50, Proportion: 0.9, Factor: 10, DownWindow: 30 * time.Second, ZeroAfter: 15 * time.Minute}
	but := func(change func(*Policy)) Policy { p := usual; change(&p); return p }
	for name, tt := range map[string]struct {
		labels map[string]string
		want   Policy
	}{
		"none":             {nil, usual},
		"min alone":        {map[string]string{LabelMin: "2"}, but(func(p *Policy) { p.Min = 2 })},
		"high min":         {map[string]string{LabelMin: "9"}, but(func(p *Policy) { p.Min, p.Max = 9, 9 })},
		"max":              {map[string]string{LabelMax: "20"}, but(func(p *Policy) { p.Max, p.ByLoad = 20, true })},
		"static":           {map[string]string{LabelMin: "3", LabelMax: "3"}, but(func(p *Policy) { p.Min, p.Max = 3, 3 })},
		"no factor":        {map[string]string{LabelMax: "20", LabelFactor: "0"}, but(func(p *Policy) { p.Max, p.Factor = 20, 0 })},
		"capacity":         {map[string]string{LabelType: "capacity", LabelTarget: "1.5", LabelProportion: "1"}, but(func(p *Policy) { p.Type, p.Target, p.Proportion, p.ByLoad = Capacity, 1.5, 1, true })},
		"cpu, other label": {map[string]string{LabelType: " cpu ", "com.openfaas.scale": "x"}, but(func(p *Policy) { p.Type, p.ByLoad = CPU, true })},
		"zero":             {map[string]string{LabelZero: "true", LabelZeroDuration: "90s"}, but(func(p *Policy) { p.Zero, p.ZeroAfter = true, 90*time.Second })},
		"empty":            {map[string]string{LabelMax: "", LabelZero: ""}, usual},
		"window":           {map[string]string{LabelDownWindow: "0s"}, but(func(p *Policy) { p.DownWindow = 0 })},
	} {
		got, err := Parse(tt.labels)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for label, values := range map[string][]string{
		LabelMin: {"0", "-1", "many", "1.5", "99999"}, LabelMax: {"0", "two"}, LabelFactor: {"101", "-1", "10%"},
		LabelTarget: {"0", "-3", "NaN", "Inf", "fifty"}, LabelProportion: {"0", "1.1", "90%"}, LabelType: {"queue", "RPS"},
		LabelDownWindow: {"6m", "-1s", "60"}, LabelZero: {"yes", "2"}, LabelZeroDuration: {"0s", "15", "-1m"},
	} {
		for _, value := range values {
			if _, err := Parse(map[string]string{label: value}); !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), label) {
				t.Errorf("%s=%s: error %v", label, value, err)
			}
		}
	}
	_, err := Parse(map[string]string{LabelMin: "4", LabelMax: "3", LabelZero: "maybe"})
	if err == nil || !strings.Contains(err.Error(), "from the minimum, 4") || !strings.Contains(err.Error(), "true or false") {
		t.Errorf("error %v does not say all", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1", "5", "0.9", "50", "15m", "true", "10")
	f.Fuzz(func(t *testing.T, low, high, proportion, target, after, zero, factor string) {
		p, err := Parse(map[string]string{
			LabelMin: low, LabelMax: high, LabelProportion: proportion, LabelTarget: target, LabelZeroDuration: after, LabelZero: zero, LabelFactor: factor,
		})
		if err != nil {
			return
		}
		if p.Min < 1 || p.Max < p.Min || !(p.Target*p.Proportion > 0) || math.IsInf(p.Target, 0) || p.ZeroAfter <= 0 || p.step() < 1 {
			t.Fatalf("accepted as %+v", p)
		}
	})
}
