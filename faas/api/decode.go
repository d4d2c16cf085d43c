package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

// maxBody bounds a request's body in bytes: a secret of [faas.MaxSecret] in
// base64, and more than any deployment needs.
const maxBody = 2 * faas.MaxSecret

// decode reads one JSON object of at most maxBody bytes from r's body. Unknown
// fields are ignored: a newer client may send them.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	if err != nil {
		return fmt.Errorf("body of the request: %w: it broke off after %d bytes", faas.ErrInvalid, len(raw))
	}
	return decodeObject(raw, into)
}

func decodeObject(raw []byte, into any) error {
	raw = bytes.TrimSpace(raw)
	// Unmarshal takes null for any type and leaves it as it was.
	if len(raw) == 0 || raw[0] != '{' {
		return fmt.Errorf("body of the request: %w: want a JSON object", faas.ErrInvalid)
	}
	err := json.Unmarshal(raw, into)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("body of the request: %w: field %s: want %s, got %s", faas.ErrInvalid, kind.Field, kind.Type, kind.Value)
	case err != nil:
		return fmt.Errorf("body of the request: %w: %v", faas.ErrInvalid, err)
	}
	return nil
}

func decodeDeployment(w http.ResponseWriter, r *http.Request) (faas.Function, error) {
	var d types.FunctionDeployment
	if err := decode(w, r, &d); err != nil {
		return faas.Function{}, err
	}
	d.Namespace = cmp.Or(d.Namespace, queryNamespace(r))
	return checked(&d)
}

func checked(d *types.FunctionDeployment) (faas.Function, error) {
	f := ToFunction(d)
	if d.Service == "" {
		return f, fmt.Errorf("deployment: %w: service (the function's name) is missing", faas.ErrInvalid)
	}
	if d.Image == "" && d.EnvProcess == "" {
		return f, fmt.Errorf("deployment of %q: %w: neither image nor envProcess says what to run", d.Service, faas.ErrInvalid)
	}
	return f, f.Name.Validate()
}

func decodeRemoval(w http.ResponseWriter, r *http.Request) (faas.Name, error) {
	var d types.DeleteFunctionRequest
	if err := decode(w, r, &d); err != nil {
		return faas.Name{}, err
	}
	if d.FunctionName == "" {
		return faas.Name{}, fmt.Errorf("removal: %w: functionName is missing", faas.ErrInvalid)
	}
	return resolve(d.FunctionName, cmp.Or(d.Namespace, queryNamespace(r)))
}

// scaleRequest is types.ScaleServiceRequest that tells an absent number of
// replicas from 0.
type scaleRequest struct {
	ServiceName string  `json:"serviceName"`
	Replicas    *uint64 `json:"replicas"`
	Namespace   string  `json:"namespace"`
}

func decodeScale(w http.ResponseWriter, r *http.Request) (faas.Name, int, error) {
	var s scaleRequest
	if err := decode(w, r, &s); err != nil {
		return faas.Name{}, 0, err
	}
	name, err := resolve(r.PathValue("name"), cmp.Or(s.Namespace, queryNamespace(r)))
	switch {
	case err != nil:
		return name, 0, err
	case s.Replicas == nil:
		return name, 0, fmt.Errorf("scale %s: %w: replicas is missing", name, faas.ErrInvalid)
	case *s.Replicas > math.MaxInt32:
		return name, 0, fmt.Errorf("scale %s: %w: %d replicas, at most %d", name, faas.ErrInvalid, *s.Replicas, math.MaxInt32)
	case s.ServiceName != "" && s.ServiceName != r.PathValue("name"):
		return name, 0, fmt.Errorf("scale %s: %w: the body's serviceName is %q", name, faas.ErrInvalid, s.ServiceName)
	}
	return name, int(*s.Replicas), nil
}

func queryNamespace(r *http.Request) string { return r.URL.Query().Get("namespace") }

// resolve names a function that is looked up: namespace, else what follows the
// last dot, else the default.
func resolve(function, namespace string) (faas.Name, error) {
	if namespace == "" {
		return faas.ParseName(function)
	}
	n := faas.Name{Function: strings.TrimSuffix(function, "."+namespace), Namespace: namespace}
	return n, n.Validate()
}
