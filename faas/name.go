package faas

import (
	"fmt"
	"regexp"
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

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

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
	if !dnsLabel.MatchString(n.Function) {
		return fmt.Errorf("function name %q: %w: want 1 to 63 of a-z, 0-9 and -, neither first nor last a -", n.Function, ErrInvalid)
	}
	return ValidateNamespace(n.Namespace)
}

// String is name.namespace, without the namespace where it is the default.
func (n Name) String() string {
	if n.Namespace == DefaultNamespace || n.Namespace == "" {
		return n.Function
	}
	return n.Function + "." + n.Namespace
}
