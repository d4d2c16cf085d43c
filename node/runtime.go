package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
)

// starter is a runtime with a life of its own.
type starter interface {
	Start(ctx context.Context) error
}

// Names of the runtimes, as [Ready] has them.
const (
	runtimeEmbedded = "embedded"
	runtimeOpenFaaS = "openfaas"
	runtimeGiven    = "given" // by Parts
)

// OpenFaaSNone as Config.OpenFaaSURL runs functions inside the node, and looks
// for no gateway.
const OpenFaaSNone = "none"

const (
	// gatewayProbe bounds the look for a gateway that nobody named.
	gatewayProbe = time.Second
	// gatewayWeight is the share of a server that an invocation takes here if the
	// gateway runs it: this node passes bytes on.
	gatewayWeight = 0.1
)

// chooseRuntime decides what runs the functions: the gateway that was named,
// down or not, or one that answers where OpenFaaS listens, or else the node.
func (n *Node) chooseRuntime(ctx context.Context) error {
	place, why, err := n.findGateway(ctx)
	if err != nil {
		return err
	}
	if place == nil {
		log.Infow("functions run inside the node", "runtime", runtimeEmbedded, "reason", why)
		return nil
	}
	log.Infow("functions run behind an OpenFaaS gateway", "runtime", runtimeOpenFaaS, "url", place.Redacted(), "reason", why)
	c := openfaas.Default(*place)
	c.Changed = n.gatewayChanged
	rt, err := openfaas.New(c)
	if err != nil {
		return err
	}
	unused := n.backend
	n.useRuntime(rt, runtimeOpenFaaS)
	n.dispatcher.functions.weight, n.dispatcher.functions.seeks = gatewayWeight, true
	return unused.Close()
}

// gatewayChanged tells the mesh of other functions behind the gateway, and of
// its health. In an outage the functions stay as they were.
func (n *Node) gatewayChanged(ctx context.Context) error {
	err := n.functionsChanged(ctx)
	if errors.Is(err, faas.ErrUnavailable) {
		n.mesh.FunctionsChanged()
		return nil
	}
	return err
}

// takesNothing is what peers are told: that this node drains, or that it could
// run nothing now.
func (n *Node) takesNothing() bool {
	if n.dispatcher.slots.draining() {
		return true
	}
	_, err := n.backend.Info(context.Background())
	return errors.Is(err, faas.ErrUnavailable)
}

// useRuntime has all parts use rt; before they start.
func (n *Node) useRuntime(rt faas.Runtime, name string) {
	n.backend, n.runtimeName = rt, name
	n.runtime = &checkedRuntime{Runtime: rt, changed: n.functionsChanged}
	n.dispatcher.runtime, n.dispatcher.functions.runtime = rt, rt
}

// findGateway returns nil and why if there is none to use.
func (n *Node) findGateway(ctx context.Context) (*openfaas.Place, string, error) {
	if n.cfg.OpenFaaSURL == OpenFaaSNone {
		return nil, "configured", nil
	}
	if n.cfg.OpenFaaSURL != "" {
		place, err := openfaas.Locate(n.cfg.OpenFaaSURL, n.cfg.OpenFaaSAuth)
		return &place, "configured", err
	}
	place, err := openfaas.Locate(openfaas.DefaultURL, n.cfg.OpenFaaSAuth)
	if err != nil {
		return nil, "", err
	}
	err = openfaas.Probe(ctx, place, gatewayProbe)
	switch {
	case err == nil:
		return &place, "it answers at OpenFaaS's own port", nil
	case openfaas.RefusesCredentials(err):
		log.Warnw("an OpenFaaS gateway answers, but not to this node: give its credentials by --openfaas-auth, or say --openfaas-url none",
			"url", place.Redacted(), "credentials", place.From, "error", err)
	}
	return nil, fmt.Sprintf("no OpenFaaS gateway at %s: %v", place.Redacted(), err), nil
}

// startRuntime chooses the runtime, starts it and learns what it has. A gateway
// that is down will tell later.
func (n *Node) startRuntime(ctx context.Context) error {
	if n.runtimeName != runtimeGiven {
		if err := n.chooseRuntime(ctx); err != nil {
			return fmt.Errorf("choose what runs the functions: %w", err)
		}
	}
	if s, ok := n.backend.(starter); ok {
		if err := s.Start(ctx); err != nil {
			return fmt.Errorf("start the %s runtime: %w", n.runtimeName, err)
		}
	}
	if err := n.startSamples(ctx); err != nil {
		return err
	}
	err := n.dispatcher.functions.reload(ctx)
	if errors.Is(err, faas.ErrUnavailable) && n.runtimeName == runtimeOpenFaaS {
		return nil // the runtime has said so, and calls Changed once it is back
	}
	return err
}

func (n *Node) startSamples(ctx context.Context) error {
	switch {
	case !n.cfg.Samples:
		return nil
	case n.runtimeName != runtimeEmbedded:
		log.Warnw("samples are not deployed: they run inside the node only", "runtime", n.runtimeName)
		return nil
	}
	return deploySamples(ctx, n.backend)
}
