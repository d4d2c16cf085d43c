package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/p2pfaas/p2pfaas/faas"
)

// alert scales the functions that Alertmanager names. What can be done is done,
// whatever becomes of the rest.
func (a *API) alert(w http.ResponseWriter, r *http.Request) {
	alerts, err := decodeAlerts(w, r)
	for _, one := range alerts {
		err = errors.Join(err, a.heed(r.Context(), one))
	}
	if err != nil {
		fail(w, r, err)
	}
}

// functionAlert says that a function is called more often than it should be, or
// is no longer.
type functionAlert struct {
	name   faas.Name
	firing bool
}

func (a *API) heed(ctx context.Context, alert functionAlert) error {
	status, err := a.runtime.Get(ctx, alert.name)
	if err != nil {
		return err
	}
	replicas := newBounds(status.Labels).after(status.Replicas, alert.firing)
	if replicas == status.Replicas {
		return nil
	}
	return a.runtime.Scale(ctx, alert.name, replicas)
}

// bounds are a function's, by its labels com.openfaas.scale.*.
type bounds struct {
	min, max int // replicas
	factor   int // per cent of max that an alert adds
}

func newBounds(labels map[string]string) bounds {
	b := bounds{
		min: labelNumber(labels, "min", 1), max: labelNumber(labels, "max", 5),
		factor: min(labelNumber(labels, "factor", 10), 100),
	}
	b.max = max(b.min, b.max)
	return b
}

// maxLabel bounds a number in a label.
const maxLabel = 1 << 16

// labelNumber takes a label that is no such number for one that is not there.
func labelNumber(labels map[string]string, what string, otherwise int) int {
	n, err := strconv.Atoi(labels["com.openfaas.scale."+what])
	if err != nil || n < 0 || n > maxLabel {
		return otherwise
	}
	return n
}

// after is the number of replicas after an alert: one step more, or the least
// once it is over. What sleeps is not woken because an alert is over.
func (b bounds) after(replicas int, firing bool) int {
	switch {
	case b.factor == 0:
		return replicas
	case firing:
		step := (b.max*b.factor + 99) / 100
		return min(max(replicas+step, b.min), b.max)
	}
	return min(replicas, b.min)
}

// alertBody is what Alertmanager sends, as far as it is of use here.
type alertBody struct {
	Alerts []struct {
		Status string `json:"status"`
		Labels struct {
			FunctionName string `json:"function_name"` // NAME[.NAMESPACE]
		} `json:"labels"`
	} `json:"alerts"`
}

func decodeAlerts(w http.ResponseWriter, r *http.Request) ([]functionAlert, error) {
	var body alertBody
	if err := decode(w, r, &body); err != nil {
		return nil, err
	}
	if len(body.Alerts) == 0 {
		return nil, fmt.Errorf("alert: %w: alerts is missing", faas.ErrInvalid)
	}
	list := make([]functionAlert, 0, len(body.Alerts))
	for _, one := range body.Alerts {
		name, err := resolve(one.Labels.FunctionName, "")
		if err != nil {
			return nil, fmt.Errorf("alert: label function_name: %w", err)
		}
		if one.Status != "firing" && one.Status != "resolved" {
			return nil, fmt.Errorf("alert of %s: %w: status %q, want firing or resolved", name, faas.ErrInvalid, one.Status)
		}
		list = append(list, functionAlert{name: name, firing: one.Status == "firing"})
	}
	return list, nil
}
