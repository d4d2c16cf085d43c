package openfaas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/openfaas/faas-provider/types"
)

// product is the part of GET /system/info that says what answers.
type product struct {
	provider string // "faasd", "faas-netes", …
	version  string // of the gateway, else of the provider
}

func (g *gateway) info(ctx context.Context) (product, error) {
	var raw json.RawMessage
	if err := g.do(ctx, call{method: http.MethodGet, path: "/system/info", into: &raw}); err != nil {
		return product{}, err
	}
	return readInfo(raw)
}

// readInfo reads what a gateway answers, which has the provider's object
// inside, and what a provider without a gateway answers: that object alone.
func readInfo(raw []byte) (product, error) {
	var outer struct {
		Provider types.ProviderInfo `json:"provider"`
		Version  *types.VersionInfo `json:"version"`
	}
	inner := &outer.Provider
	if err := json.Unmarshal(raw, &outer); err != nil {
		var bare types.ProviderInfo
		if err := json.Unmarshal(raw, &bare); err != nil {
			return product{}, fmt.Errorf("GET /system/info: not what OpenFaaS answers: %w", err)
		}
		inner = &bare
	}
	if inner.Name == "" {
		return product{}, errors.New("GET /system/info: not what OpenFaaS answers: it names no provider")
	}
	p := product{provider: inner.Name}
	for _, v := range []*types.VersionInfo{outer.Version, inner.Version} {
		if v != nil && p.version == "" {
			p.version = v.Release
		}
	}
	return p, nil
}

// own is what a node of this project calls itself as a provider.
const own = "p2pfaas"

// Probe is nil if an OpenFaaS gateway answers at p within limit and takes the
// credentials. They are sent only to what asks for some as OpenFaaS does: many
// programs listen at its port. A node of this project, which speaks the same
// API, is no gateway.
func Probe(ctx context.Context, p Place, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stranger := newGateway(Place{URL: p.URL}, limit)
	defer stranger.close()
	if err := stranger.health(ctx, limit); err != nil {
		return err
	}
	found, err := stranger.info(ctx)
	if RefusesCredentials(err) && p.Credentials.User != "" {
		g := newGateway(p, limit)
		defer g.close()
		found, err = g.info(ctx)
	}
	if err == nil && found.provider == own {
		err = errors.New("a node of p2pfaas answers there")
	}
	return err
}

// RefusesCredentials tells whether err, of [Probe], is that there is a gateway
// but not for these credentials.
func RefusesCredentials(err error) bool { return errors.Is(err, errCredentials) }
