package faas

import (
	"fmt"
	"strings"
)

// DefaultNamespace is where functions live when no namespace is named, as in
// OpenFaaS.
const DefaultNamespace = "openfaas-fn"

// Name identifies a function within a mesh.
type Name struct {
	Function  string
	Namespace string
}

// ParseName reads "name[.namespace]": the namespace is what follows the last
// dot. Both parts are DNS labels of at most 63 characters.
func ParseName(s string) (Name, error) {
	n := Name{Function: s, Namespace: DefaultNamespace}
	if i := strings.LastIndexByte(s, '.'); i >= 0 {
		n = Name{Function: s[:i], Namespace: s[i+1:]}
	}
	return n, n.Validate()
}

// Validate returns an error wrapping ErrInvalid unless both parts are DNS labels.
func (n Name) Validate() error {
	if !isLabel(n.Function) {
		return fmt.Errorf("function name %q: %w: want 1 to 63 of a-z, 0-9 and -, neither first nor last a -", n.Function, ErrInvalid)
	}
	return ValidateNamespace(n.Namespace)
}

// maxLabel bounds a DNS label, in bytes.
const maxLabel = 63

// isLabel tells whether s is a DNS label as Kubernetes wants them: each
// invocation's name is looked at, so without a regular expression.
func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// String is name.namespace, without the namespace where it is the default.
func (n Name) String() string {
	if n.Namespace == DefaultNamespace || n.Namespace == "" {
		return n.Function
	}
	return n.Function + "." + n.Namespace
}
