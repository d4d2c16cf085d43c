package api

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/p2pfaas/p2pfaas/faas"
)

// FuzzDeployment: what is accepted is valid and says the same once it has been
// written and read again; what is not is the client's mistake.
func FuzzDeployment(f *testing.F) {
	f.Add(`{"service":"echo","image":"i"}`, "")
	f.Add(`{"service":"echo","envProcess":"cat","namespace":"edge","labels":{},"limits":{"memory":"1"}}`, "old")
	f.Add(`{"service":"echo","image":"i","labels":null,"envVars":{},"secrets":[]}`, "x")
	f.Add(`[`, "")
	f.Fuzz(func(t *testing.T, body, namespace string) {
		r := httptest.NewRequest("POST", "/system/functions", strings.NewReader(body))
		r.URL.RawQuery = "namespace=" + namespace
		got, err := decodeDeployment(httptest.NewRecorder(), r)
		if err != nil {
			if !errors.Is(err, faas.ErrInvalid) && len(body) <= maxBody {
				t.Fatalf("%v does not wrap ErrInvalid", err)
			}
			return
		}
		if err := got.Name.Validate(); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(FromFunction(&got))
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeDeployment(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(string(raw))))
		if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}
