package compat

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxBody bounds a configuration's JSON, in bytes.
const maxBody = 64 << 10

// Routes adds P2PFaaS's endpoints: the configuration behind guard, which lets
// those through that have the credentials, and the load for everyone.
func (d *Dialect) Routes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /configuration":            d.showCapacity,
		"POST /configuration":           d.setCapacity,
		"GET /configuration/scheduler":  d.showScheduler,
		"POST /configuration/scheduler": d.setScheduler,
	} {
		mux.Handle(pattern, guard(serve))
	}
	mux.HandleFunc("GET /monitoring/load", d.showLoad)
}

// capacity is P2PFaaS's dynamic configuration.
type capacity struct {
	Parallel *int  `json:"parallel_running_functions_max,omitempty"`
	Queue    *int  `json:"queue_length_max,omitempty"`
	Enabled  *bool `json:"queue_enabled,omitempty"`
}

// openQueue is what queue_length_max says where no count bounds the queue.
const openQueue = 1024

func (d *Dialect) showCapacity(w http.ResponseWriter, _ *http.Request) {
	s := d.node.Scheduling()
	_, _, servers := d.node.Load()
	queue, enabled := s.Queue, s.Queue != 0
	if queue < 0 {
		queue = openQueue
	}
	tell(w, capacity{Parallel: &servers, Queue: &queue, Enabled: &enabled})
}

func (d *Dialect) setCapacity(w http.ResponseWriter, r *http.Request) {
	var c capacity
	if !read(w, r, &c) {
		return
	}
	s := d.node.Scheduling()
	if c.Parallel != nil {
		s.Servers = *c.Parallel
	}
	if c.Queue != nil {
		s.Queue = *c.Queue
	}
	if c.Enabled != nil && !*c.Enabled {
		s.Queue = 0
	}
	d.change(w, s)
}

func (d *Dialect) showScheduler(w http.ResponseWriter, _ *http.Request) {
	s := d.node.Scheduling()
	tell(w, describe(s.Policy, s.Set))
}

func (d *Dialect) setScheduler(w http.ResponseWriter, r *http.Request) {
	var wanted Descriptor
	if !read(w, r, &wanted) {
		return
	}
	s := d.node.Scheduling()
	var err error
	if s.Policy, s.Set, err = d.policy(wanted); err != nil {
		write(w, codeGeneric, err.Error())
		return
	}
	d.change(w, s)
}

func (d *Dialect) change(w http.ResponseWriter, s Scheduling) {
	if err := d.node.SetScheduling(s); err != nil {
		write(w, codeGeneric, err.Error())
		return
	}
	w.WriteHeader(http.StatusOK)
}

// showLoad answers a P2PFaaS probe.
func (d *Dialect) showLoad(w http.ResponseWriter, _ *http.Request) {
	running, queued, servers := d.node.Load()
	for name, n := range map[string]int{"X-P2PFaaS-Load": running, "X-P2PFaaS-MaxLoad": servers, "X-P2PFog-Queue-Length": queued} {
		w.Header().Set(name, strconv.Itoa(n))
	}
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		write(w, codeInput, fmt.Sprintf("not the JSON expected here: %v", err))
	}
	return err == nil
}

func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client has gone
}
