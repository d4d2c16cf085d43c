package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/sched"
)

const (
	// modelPeriod is how often what a policy has learned is written down.
	modelPeriod = 30 * time.Second
	// modelLife is after what time it tells too little of the mesh as it is.
	modelLife = 7 * 24 * time.Hour
	// maxModel bounds what is read of it, in bytes.
	maxModel = 16 << 20
)

// errNoModel: the policy learns nothing.
var errNoModel = errors.New("this policy learns nothing: it has no model")

// modelFile is where a policy's model is kept. The name is one of the registry's.
func (n *Node) modelFile(policy string) string { return filepath.Join(n.cfg.DataDir, "models", policy) }

// snapshot is what the policy in force has learned.
func (b *policyBox) snapshot() (label string, model []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.policy.(sched.Snapshotter)
	if !ok {
		return b.label, nil, errNoModel
	}
	model, err = s.Snapshot()
	return b.label, model, err
}

// restore has the policy in force go on from a model, or says why it cannot.
func (b *policyBox) restore(model []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.policy.(sched.Snapshotter)
	if !ok {
		return errNoModel
	}
	return s.Restore(model)
}

// recall gives a policy what it had learned before.
func (n *Node) recall(name string, p sched.Policy) {
	s, ok := p.(sched.Snapshotter)
	if !ok {
		return
	}
	file := n.modelFile(name)
	switch age, err := recallModel(file, s.Restore); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		log.Warnw("what the policy had learned cannot be used, it starts anew", "policy", name, "set_aside", setAside(file), "error", err)
	default:
		log.Infow("the policy goes on with what it had learned", "policy", name, "age", age)
	}
}

// setAside is where a model goes that cannot be used.
func setAside(file string) string { return file + ".bad" }

// recallModel hands on what is in the file. What cannot be used is set aside, so that
// somebody may look at it. The error is fs.ErrNotExist where there is nothing.
func recallModel(file string, restore func([]byte) error) (age time.Duration, err error) {
	age, err = readModel(file, restore)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.Rename(file, setAside(file)) // else it is refused once more at the next start
	}
	return age, err
}

// readModel hands on what is in the file, if it can still be of use. The error is
// fs.ErrNotExist where there is none.
func readModel(file string, restore func([]byte) error) (age time.Duration, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	age = time.Since(info.ModTime()).Round(time.Second)
	switch {
	case age > modelLife:
		return age, fmt.Errorf("it is older than %v", modelLife)
	case info.Size() > maxModel:
		return age, fmt.Errorf("it has %d bytes, at most %d are read", info.Size(), maxModel)
	}
	model, err := os.ReadFile(file)
	if err != nil {
		return age, err
	}
	return age, restore(model)
}

// writeModel replaces the file as a whole.
func writeModel(file string, model []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return replaceFile(file, model)
}

// remember writes down what the policy in force has learned, if that has changed.
func (n *Node) remember() {
	name, model, err := n.dispatcher.policy.snapshot()
	if errors.Is(err, errNoModel) || err == nil && bytes.Equal(model, n.model) {
		return
	}
	if err == nil {
		err = writeModel(n.modelFile(name), model)
	}
	if err != nil {
		log.Warnw("what the policy has learned could not be written down", "policy", name, "error", err)
		return
	}
	n.model = model
}

// remembering writes it down now and then until ctx ends, and once more.
func (n *Node) remembering(ctx context.Context) {
	tick := time.NewTicker(modelPeriod)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.withScheduling(n.remember)
			n.rememberServed()
		case <-ctx.Done():
			n.withScheduling(n.remember)
			n.rememberServed()
			return
		}
	}
}

func (n *Node) withScheduling(do func()) {
	n.scheduling.mu.Lock()
	defer n.scheduling.mu.Unlock()
	do()
}

// exportModel serves what the policy in force has learned.
func (n *Node) exportModel(w http.ResponseWriter, r *http.Request) {
	name, model, err := n.dispatcher.policy.snapshot()
	if err != nil {
		api.Error(w, r, http.StatusConflict, "no_model", fmt.Sprintf("policy %s: %v", name, err), "put one in force that learns: GET /system/policy lists them")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-P2pfaas-Policy", name)
	_, _ = w.Write(model)
}

// importModel has the policy in force go on from a model that it, or one like
// it elsewhere, has learned.
func (n *Node) importModel(w http.ResponseWriter, r *http.Request) {
	model, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxModel))
	if err == nil {
		err = n.dispatcher.policy.restore(model)
	}
	if err != nil {
		api.Error(w, r, http.StatusBadRequest, "invalid", fmt.Sprintf("the model cannot be used: %v", err), "it must come from the same policy, with the same features, of this version or an older one")
		return
	}
	n.withScheduling(n.remember)
	w.WriteHeader(http.StatusNoContent)
}
