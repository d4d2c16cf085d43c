package api

import (
	"fmt"

	"github.com/p2pfaas/p2pfaas/faas"
)

// wrapper is a Runtime around another one, which may offer more.
type wrapper interface {
	Unwrap() faas.Runtime
}

// offered finds the interface T that rt, or a Runtime within it, offers besides.
// It returns ErrUnsupported if none does; what names it for people.
func offered[T any](rt faas.Runtime, what string) (T, error) {
	for {
		if t, ok := rt.(T); ok {
			return t, nil
		}
		w, ok := rt.(wrapper)
		if !ok {
			var none T
			return none, fmt.Errorf("%s: %w", what, faas.ErrUnsupported)
		}
		rt = w.Unwrap()
	}
}
