package api

import (
	"net/http"
	"runtime"
	"slices"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

// infoBody is what OpenFaaS's gateway answers, and one object more.
type infoBody struct {
	Provider types.ProviderInfo `json:"provider"`
	Version  types.VersionInfo  `json:"version"`
	Arch     string             `json:"arch"`
	P2pfaas  any                `json:"p2pfaas,omitempty"`
}

func (a *API) info(w http.ResponseWriter, r *http.Request) {
	in, err := a.runtime.Info(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	body := infoBody{
		Provider: types.ProviderInfo{
			Name:          "p2pfaas",
			Version:       &types.VersionInfo{Release: in.Version},
			Orchestration: in.Name,
		},
		Version: types.VersionInfo{Release: a.options.Version, SHA: a.options.Commit},
		Arch:    machine(),
	}
	if a.options.P2pfaas != nil {
		body.P2pfaas = a.options.P2pfaas()
	}
	writeJSON(w, http.StatusOK, body)
}

// machine is the processor's name as uname gives it, which is what OpenFaaS
// reports.
func machine() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}

func (a *API) health(w http.ResponseWriter, r *http.Request) {
	if _, err := a.runtime.Info(r.Context()); err != nil {
		fail(w, r, err)
	}
}

func (a *API) namespaces(w http.ResponseWriter, r *http.Request) {
	found, err := a.runtime.List(r.Context(), "")
	if err != nil {
		fail(w, r, err)
		return
	}
	names := []string{faas.DefaultNamespace}
	for i := range found {
		names = append(names, found[i].Name.Namespace)
	}
	slices.Sort(names)
	writeJSON(w, http.StatusOK, slices.Compact(names))
}
