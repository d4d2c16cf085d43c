package node

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
)

// servedFile is where what the learner that this node serves has learned is kept.
func (n *Node) servedFile() string { return filepath.Join(n.cfg.DataDir, "learner", "model") }

// recallServed gives that learner what it had learned before.
func (n *Node) recallServed() {
	file := n.servedFile()
	switch age, err := recallModel(file, n.served.Restore); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		log.Warnw("what the learner had learned cannot be used, it starts anew", "set_aside", setAside(file), "error", err)
	default:
		log.Infow("the learner goes on with what it had learned", "age", age)
	}
	n.servedModel, _ = n.served.Snapshot() // with an error all is written once more
}

// rememberServed writes it down, if there is any and that has changed.
func (n *Node) rememberServed() {
	if n.served == nil {
		return
	}
	model, err := n.served.Snapshot()
	if err == nil && (model == nil || bytes.Equal(model, n.servedModel)) {
		return
	}
	if err == nil {
		err = writeModel(n.servedFile(), model)
	}
	if err != nil {
		log.Warnw("what the learner has learned could not be written down", "file", n.servedFile(), "error", err)
		return
	}
	n.servedModel = model
}
