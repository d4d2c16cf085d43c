package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (a *API) list(w http.ResponseWriter, r *http.Request) {
	namespace := cmp.Or(queryNamespace(r), faas.DefaultNamespace)
	found, err := a.runtime.List(r.Context(), namespace)
	if err != nil {
		fail(w, r, err)
		return
	}
	out := make([]types.FunctionStatus, 0, len(found)) // [] rather than null
	for i := range found {
		found[i].Usage = nil // as in OpenFaaS, only who asks for one function is told
		out = append(out, FromStatus(&found[i]))
	}
	writeJSON(w, http.StatusOK, out)
}

// noted is a status with what OpenFaaS's has no place for.
type noted struct {
	types.FunctionStatus
	// Note says what is not enforced, or which version answers, for people.
	Note string `json:"note,omitempty"`
}

func (a *API) get(w http.ResponseWriter, r *http.Request) {
	name, err := resolve(r.PathValue("name"), queryNamespace(r))
	if err != nil {
		fail(w, r, err)
		return
	}
	usage, err := decodeBool(r.URL.Query(), "usage")
	if err != nil {
		fail(w, r, err)
		return
	}
	status, err := a.runtime.Get(r.Context(), name)
	if err == nil && usage && status.Usage == nil {
		status.Usage, err = a.usage(r.Context(), name)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	if !usage {
		status.Usage = nil
	}
	writeJSON(w, http.StatusOK, noted{FromStatus(&status), status.Note})
}

// usage is nil where nobody can tell.
func (a *API) usage(ctx context.Context, name faas.Name) (*faas.Usage, error) {
	teller, err := offered[faas.UsageTeller](a.runtime, "usage")
	if err != nil {
		return nil, nil
	}
	u, err := teller.Usage(ctx, name)
	if errors.Is(err, faas.ErrUnsupported) {
		return nil, nil
	}
	return &u, err
}

func (a *API) deploy(w http.ResponseWriter, r *http.Request) {
	f, err := decodeDeployment(w, r)
	if err == nil {
		err = a.runtime.Deploy(r.Context(), f)
	}
	accepted(w, r, err)
}

// update replaces a deployment. One that is removed between the question and
// the deployment comes back, as if the removal had come first.
func (a *API) update(w http.ResponseWriter, r *http.Request) {
	f, err := decodeDeployment(w, r)
	if err == nil {
		_, err = a.runtime.Get(r.Context(), f.Name)
	}
	if err == nil {
		err = a.runtime.Deploy(r.Context(), f)
	}
	accepted(w, r, err)
}

func (a *API) remove(w http.ResponseWriter, r *http.Request) {
	name, err := decodeRemoval(w, r)
	if err == nil {
		err = a.runtime.Remove(r.Context(), name)
	}
	accepted(w, r, err)
}

func (a *API) scale(w http.ResponseWriter, r *http.Request) {
	name, replicas, err := decodeScale(w, r)
	if err == nil {
		err = a.runtime.Scale(r.Context(), name, replicas)
	}
	accepted(w, r, err)
}

// accepted ends each call that changes something. 202 is the one status of
// success that every client in use takes on all of them.
func accepted(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
