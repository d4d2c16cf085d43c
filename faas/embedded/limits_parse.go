package embedded

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

const (
	// leastMemory is what no process starts below.
	leastMemory = 1 << 20
	mostMemory  = 1 << 50
	mostCPU     = 10_000_000 // thousandths of a core
)

// quantityForm is that of Kubernetes: a decimal number, and a suffix or an
// exponent. Longer numbers say nothing more here.
var quantityForm = regexp.MustCompile(`^([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(Ki|Mi|Gi|Ti|Pi|Ei|m|k|M|G|T|P|E|[eE][+-]?[0-9]{1,2})?$`)

// quantity reads a Kubernetes quantity, nil if it is none.
func quantity(s string) *big.Rat {
	parts := quantityForm.FindStringSubmatch(s)
	if parts == nil {
		return nil
	}
	number, suffix := parts[1], parts[2]
	if len(suffix) > 1 && (suffix[0] == 'e' || suffix[0] == 'E') && suffix != "Ei" {
		number, suffix = number+suffix, ""
	}
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		return nil
	}
	return value.Mul(value, unit(suffix))
}

func unit(suffix string) *big.Rat {
	switch suffix {
	case "":
		return big.NewRat(1, 1)
	case "m":
		return big.NewRat(1, 1000)
	}
	base := big.NewInt(1000)
	if strings.HasSuffix(suffix, "i") {
		base.SetInt64(1024)
	}
	power := 1 + strings.Index("kMGTPE", strings.ReplaceAll(suffix[:1], "K", "k"))
	return new(big.Rat).SetInt(base.Exp(base, big.NewInt(int64(power)), nil))
}

// whole rounds up, as Kubernetes does.
func whole(value *big.Rat) *big.Int {
	n, rest := new(big.Int).QuoRem(value.Num(), value.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	return n
}

// between returns s times scale as a whole number, if it is one from low to high.
func between(s string, scale, low, high int64) (int64, bool) {
	value := quantity(s)
	if value == nil {
		return 0, false
	}
	n := whole(value.Mul(value, new(big.Rat).SetInt64(scale)))
	if !n.IsInt64() || n.Int64() < low || n.Int64() > high {
		return 0, false
	}
	return n.Int64(), true
}

// parseLimits reads what is limited of memory and processor time.
func parseLimits(r *faas.Resources) (l cgroup.Limits, err error) {
	if r == nil {
		return l, nil
	}
	ok := true
	if s := strings.TrimSpace(r.Memory); s != "" {
		if l.Memory, ok = between(s, 1, leastMemory, mostMemory); !ok {
			return l, fmt.Errorf("limits.memory %q: %w: want bytes, at least 1Mi, such as 64Mi, 128M or 1.5Gi", r.Memory, faas.ErrInvalid)
		}
	}
	if s := strings.TrimSpace(r.CPU); s != "" {
		if l.CPU, ok = between(s, 1000, 1, mostCPU); !ok {
			return l, fmt.Errorf("limits.cpu %q: %w: want cores, at least 1m (a thousandth), such as 100m, 0.5 or 2", r.CPU, faas.ErrInvalid)
		}
	}
	return l, nil
}
