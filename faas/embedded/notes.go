package embedded

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// unenforced says which parts of f have no effect here.
func unenforced(f *faas.Function) string {
	var parts []string
	if l := f.Limits; l != nil {
		parts = append(parts,
			limit("NVIDIA GPU", l.NvidiaGPU), limit("AMD GPU", l.AmdGPU), limit("Intel GPU", l.IntelGPU))
	}
	if len(f.Constraints) > 0 {
		parts = append(parts, "constraints")
	}
	if f.ReadOnlyRootFilesystem {
		parts = append(parts, "the read-only root file system")
	}
	parts = filled(parts)
	if len(parts) == 0 {
		return ""
	}
	return "not enforced by this runtime: " + strings.Join(parts, ", ")
}

// withheld says that f, which runs elsewhere, gets no secrets.
func withheld(f *faas.Function) string {
	if len(f.Secrets) == 0 {
		return ""
	}
	return "secrets are not given to it, as it runs elsewhere: " + strings.Join(f.Secrets, ", ")
}

// quoted says what becomes of quotes, which a shell would take away.
func quoted(args []string) string {
	if !slices.ContainsFunc(args, func(a string) bool { return strings.ContainsAny(a, `'"`) }) {
		return ""
	}
	return "quotes in its command are passed on to it: arguments are what stands between spaces"
}

func limit(of, quantity string) string {
	if quantity == "" {
		return ""
	}
	return fmt.Sprintf("the %s limit %s", of, quantity)
}

func joinNotes(notes ...string) string { return strings.Join(filled(notes), "; ") }

func filled(all []string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// copyFunction separates what is stored from what a caller holds.
func copyFunction(f faas.Function) faas.Function {
	f.EnvVars = maps.Clone(f.EnvVars)
	f.Labels = maps.Clone(f.Labels)
	f.Annotations = maps.Clone(f.Annotations)
	f.Constraints = slices.Clone(f.Constraints)
	f.Secrets = slices.Clone(f.Secrets)
	f.Limits = copyOf(f.Limits)
	f.Requests = copyOf(f.Requests)
	return f
}

func copyOf(r *faas.Resources) *faas.Resources {
	if r == nil {
		return nil
	}
	c := *r
	return &c
}
