package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

// decodeSecret reads a secret with its value: text as value, or any bytes in
// base64 as rawValue, which counts only without the other, as in OpenFaaS.
func decodeSecret(w http.ResponseWriter, r *http.Request) (faas.Secret, error) {
	var body types.Secret
	s, err := secretOf(w, r, &body)
	if err != nil {
		return s, err
	}
	s.Value = body.RawValue
	if body.Value != "" {
		s.Value = []byte(body.Value)
	}
	if len(s.Value) == 0 {
		return s, fmt.Errorf("secret %q: %w: neither value nor rawValue (base64) has anything in it", s.Name, faas.ErrInvalid)
	}
	return s, s.Validate()
}

func decodeSecretName(w http.ResponseWriter, r *http.Request) (faas.Secret, error) {
	s, err := secretOf(w, r, new(types.Secret))
	if err != nil {
		return s, err
	}
	return s, s.Validate()
}

func secretOf(w http.ResponseWriter, r *http.Request, into *types.Secret) (faas.Secret, error) {
	if err := decode(w, r, into); err != nil {
		return faas.Secret{}, err
	}
	if into.Name == "" {
		return faas.Secret{}, fmt.Errorf("secret: %w: name is missing", faas.ErrInvalid)
	}
	return faas.Secret{Name: into.Name, Namespace: cmp.Or(into.Namespace, queryNamespace(r), faas.DefaultNamespace)}, nil
}

// decodeNamespace takes the name from the path, from the body or from both. A
// request that names it in its path needs no body.
func decodeNamespace(w http.ResponseWriter, r *http.Request) (faas.Namespace, error) {
	var body types.FunctionNamespace
	inPath := r.PathValue("name")
	if inPath == "" || r.ContentLength != 0 {
		if err := decode(w, r, &body); err != nil {
			return faas.Namespace{}, err
		}
	}
	n := faas.Namespace{Name: cmp.Or(inPath, body.Name), Labels: body.Labels, Annotations: body.Annotations}
	switch {
	case n.Name == "":
		return n, fmt.Errorf("namespace: %w: name is missing", faas.ErrInvalid)
	case body.Name != "" && body.Name != n.Name:
		return n, fmt.Errorf("namespace %q: %w: the body's name is %q", n.Name, faas.ErrInvalid, body.Name)
	}
	return n, faas.ValidateNamespace(n.Name)
}

func decodeLogQuery(query url.Values) (q faas.LogQuery, err error) {
	if query.Get("name") == "" {
		return q, fmt.Errorf("logs: %w: parameter name (the function's) is missing", faas.ErrInvalid)
	}
	if q.Name, err = resolve(query.Get("name"), query.Get("namespace")); err != nil {
		return q, err
	}
	if q.Tail, err = decodeTail(query.Get("tail")); err != nil {
		return q, err
	}
	if since := query.Get("since"); since != "" {
		if q.Since, err = time.Parse(time.RFC3339, since); err != nil {
			return q, fmt.Errorf("logs of %s: %w: since=%q: want a time such as 2006-01-02T15:04:05Z", q.Name, faas.ErrInvalid, since)
		}
	}
	q.Instance = query.Get("instance")
	q.Follow, err = decodeBool(query, "follow")
	return q, err
}

// decodeTail: OpenFaaS's clients say 0, -1 or nothing for all lines.
func decodeTail(s string) (int, error) {
	if s == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("logs: %w: tail=%q: want a number of lines, -1 for all", faas.ErrInvalid, s)
	}
	if n <= 0 {
		return -1, nil
	}
	return int(n), nil
}

// decodeBool is false for a parameter that is not there.
func decodeBool(query url.Values, name string) (bool, error) {
	s := query.Get(name)
	if s == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("parameter %s=%q: %w: want true or false", name, s, faas.ErrInvalid)
	}
	return b, nil
}
