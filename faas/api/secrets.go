package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (a *API) secretKeeper() (faas.SecretKeeper, error) {
	return offered[faas.SecretKeeper](a.runtime, "secrets")
}

// listSecrets never tells a value.
func (a *API) listSecrets(w http.ResponseWriter, r *http.Request) {
	keeper, err := a.secretKeeper()
	if err != nil {
		fail(w, r, err)
		return
	}
	found, err := keeper.Secrets(r.Context(), cmp.Or(queryNamespace(r), faas.DefaultNamespace))
	if err != nil {
		fail(w, r, err)
		return
	}
	out := make([]types.Secret, 0, len(found)) // [] rather than null
	for i := range found {
		out = append(out, types.Secret{Name: found[i].Name, Namespace: found[i].Namespace})
	}
	writeJSON(w, http.StatusOK, out)
}

func (a *API) createSecret(w http.ResponseWriter, r *http.Request) {
	a.changeSecret(w, r, decodeSecret, faas.SecretKeeper.CreateSecret)
}

func (a *API) updateSecret(w http.ResponseWriter, r *http.Request) {
	a.changeSecret(w, r, decodeSecret, faas.SecretKeeper.UpdateSecret)
}

func (a *API) deleteSecret(w http.ResponseWriter, r *http.Request) {
	a.changeSecret(w, r, decodeSecretName, func(k faas.SecretKeeper, ctx context.Context, s faas.Secret) error {
		return k.DeleteSecret(ctx, s.Namespace, s.Name)
	})
}

func (a *API) changeSecret(w http.ResponseWriter, r *http.Request,
	decode func(http.ResponseWriter, *http.Request) (faas.Secret, error),
	change func(faas.SecretKeeper, context.Context, faas.Secret) error,
) {
	keeper, err := a.secretKeeper()
	var s faas.Secret
	if err == nil {
		s, err = decode(w, r)
	}
	if err == nil {
		err = change(keeper, r.Context(), s)
	}
	accepted(w, r, err)
}
