package api

import (
	"cmp"
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
		out = append(out, FromStatus(&found[i]))
	}
	writeJSON(w, http.StatusOK, out)
}

func (a *API) get(w http.ResponseWriter, r *http.Request) {
	name, err := resolve(r.PathValue("name"), queryNamespace(r))
	if err != nil {
		fail(w, r, err)
		return
	}
	status, err := a.runtime.Get(r.Context(), name)
	if err != nil {
		fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, FromStatus(&status))
}

func (a *API) deploy(w http.ResponseWriter, r *http.Request) {
	f, err := decodeDeployment(w, r)
	if err == nil {
		err = a.runtime.Deploy(r.Context(), f)
	}
	a.accepted(w, r, err)
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
	a.accepted(w, r, err)
}

func (a *API) remove(w http.ResponseWriter, r *http.Request) {
	name, err := decodeRemoval(w, r)
	if err == nil {
		err = a.runtime.Remove(r.Context(), name)
	}
	a.accepted(w, r, err)
}

func (a *API) scale(w http.ResponseWriter, r *http.Request) {
	name, replicas, err := decodeScale(w, r)
	if err == nil {
		err = a.runtime.Scale(r.Context(), name, replicas)
	}
	a.accepted(w, r, err)
}

// accepted ends each call that changes something. 202 is the one status of
// success that every client in use takes on all of them.
func (a *API) accepted(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		fail(w, r, err)
		return
	}
	a.changed()
	w.WriteHeader(http.StatusAccepted)
}
