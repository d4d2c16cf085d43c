package faas

import (
	"fmt"
	"regexp"
	"strings"
)

// MaxSecret is the largest value of a secret, in bytes.
const MaxSecret = 1 << 20

var secretName = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

// Validate returns an error wrapping ErrInvalid unless name, namespace and size
// are as they should be.
func (s Secret) Validate() error {
	if err := ValidateSecretName(s.Name); err != nil {
		return err
	}
	if err := ValidateNamespace(s.Namespace); err != nil {
		return err
	}
	if len(s.Value) > MaxSecret {
		return fmt.Errorf("secret %q: %w: its value has %d bytes, of which %d are allowed", s.Name, ErrInvalid, len(s.Value), MaxSecret)
	}
	return nil
}

// ValidateSecretName returns an error wrapping ErrInvalid unless name can be a
// secret's: it becomes a file's name.
func ValidateSecretName(name string) error {
	if !secretName.MatchString(name) || strings.Contains(name, "..") {
		return fmt.Errorf("secret name %q: %w: want 1 to 253 of a-z, 0-9, - and ., the first and last a letter or digit, and no .. in it", name, ErrInvalid)
	}
	return nil
}

// ValidateNamespace returns an error wrapping ErrInvalid unless name is a DNS label.
func ValidateNamespace(name string) error {
	if !isLabel(name) {
		return fmt.Errorf("namespace %q: %w: want 1 to 63 of a-z, 0-9 and -, neither first nor last a -", name, ErrInvalid)
	}
	return nil
}
