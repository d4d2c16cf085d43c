package api

import (
	"net/http"
	"runtime"

	"github.com/openfaas/faas-provider/types"
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

// telemetry is asked for by some clients. Nothing is collected, so nothing is told.
func (a *API) telemetry(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct{}{})
}
