package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/protocol/control"
)

// statusLimit bounds how long another node has to tell how it fares.
const statusLimit = 2 * time.Second

// Routes adds the paths that this package serves, each behind guard, which lets
// only those through that have the credentials.
func (h *Handlers) Routes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /system/why/{id}": h.serveWhy,
		"GET /system/calls":    h.serveCalls,
		"GET /system/status":   h.serveStatus,
		"GET /system/peers":    h.servePeers,
	} {
		mux.Handle(pattern, guard(serve))
	}
}

func (h *Handlers) serveWhy(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	why, err := h.why(r.Context(), control.WhyQuery{CallID: id, Budget: whyLimit}, all)
	if errors.Is(err, control.ErrNotFound) {
		api.Error(w, r, http.StatusNotFound, "not_found", fmt.Sprintf("this node keeps nothing of call %q", id),
			"ask a node on its path (the answer's header X-P2pfaas-Path names them); each keeps its latest calls only, see p2pfaas-node calls")
		return
	}
	h.write(w, r, why, err)
}

func (h *Handlers) serveCalls(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	q := control.CallsQuery{Function: query.Get("function"), Outcome: query.Get("outcome")}
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > control.MaxCalls {
			api.Error(w, r, http.StatusBadRequest, "invalid", fmt.Sprintf("limit %q: want a number from 1 to %d", s, control.MaxCalls), "")
			return
		}
		q.Limit = n
	}
	h.write(w, r, h.calls(q, all), nil)
}

func (h *Handlers) serveStatus(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("peer")
	if name == "" {
		h.write(w, r, h.status(), nil)
		return
	}
	s, err := h.statusOf(r.Context(), name)
	switch {
	case err == nil:
		h.write(w, r, s, nil)
	case errors.Is(err, errNoPeer):
		api.Error(w, r, http.StatusNotFound, "not_found", err.Error(), "p2pfaas-node peers lists them")
	default:
		api.Error(w, r, http.StatusBadGateway, "unavailable", err.Error(), "p2pfaas-node peers tells how it fared lately")
	}
}

// statusOf is the status of the node of that ID, or of an ID that ends so.
func (h *Handlers) statusOf(ctx context.Context, name string) (control.Status, error) {
	id, err := h.find(name)
	if err != nil {
		return control.Status{}, err
	}
	if id == h.cfg.Self {
		return h.status(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	s, err := h.cfg.Ask.Status(ctx, id)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("it did not answer within %v", statusLimit)
	}
	if err != nil {
		return s, fmt.Errorf("ask %s: %w", id, err)
	}
	return s, nil
}

func (h *Handlers) servePeers(w http.ResponseWriter, r *http.Request) {
	h.write(w, r, h.cfg.Peers(), nil)
}

func (h *Handlers) write(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		api.Error(w, r, http.StatusInternalServerError, "internal", err.Error(), "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client has gone
}
