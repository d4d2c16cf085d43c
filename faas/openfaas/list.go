package openfaas

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/openfaas/faas-provider/types"
	"golang.org/x/sync/errgroup"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

// atOnce bounds the statuses asked for at a time where there is no list.
const atOnce = 8

// Without a list, the next try comes after firstRetry, and then ever later: to
// a gateway that lacks Prometheus each try is a crash in its log.
const (
	firstRetry = 4 * time.Second
	lastRetry  = time.Minute
)

// listing remembers whether the gateway's list works. Guarded by
// Runtime.reading.
type listing struct {
	broken bool
	pause  time.Duration
	next   time.Time
}

// refresh reads all functions anew.
func (rt *Runtime) refresh(ctx context.Context) error {
	rt.reading.Lock()
	defer rt.reading.Unlock()
	for {
		edition, names := rt.table.begin()
		list, err := rt.readAll(ctx, names)
		if err != nil {
			return err
		}
		if rt.table.replace(list, edition, time.Now()) {
			return nil
		}
	}
}

// readAll takes the list, or where the gateway breaks off instead of listing,
// the status of each function known.
func (rt *Runtime) readAll(ctx context.Context, known []faas.Name) ([]faas.Status, error) {
	l := &rt.listing
	if l.broken && time.Now().Before(l.next) {
		return rt.oneByOne(ctx, known)
	}
	list, err := rt.gateway.list(ctx)
	switch {
	case err == nil && l.broken:
		log.Infow("OpenFaaS gateway lists its functions again", "functions", len(list))
		*l = listing{}
	case brokeOff(err) && rt.gateway.health(ctx, rt.cfg.HealthTimeout) == nil:
		rt.noList(err, len(known))
		return rt.oneByOne(ctx, known)
	}
	return list, err
}

// brokeOff tells whether the connection ended instead of bringing an answer.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

func (rt *Runtime) noList(err error, known int) {
	l := &rt.listing
	if !l.broken {
		log.Warnw("OpenFaaS gateway breaks off instead of listing its functions, as it does without Prometheus: those known are watched one by one, others show when they are called", "known", known, "error", err)
	}
	l.broken = true
	l.pause = min(max(2*l.pause, firstRetry), lastRetry)
	l.next = time.Now().Add(l.pause)
}

// oneByOne asks for each function. One that cannot be asked for now is kept as
// it was known.
func (rt *Runtime) oneByOne(ctx context.Context, names []faas.Name) ([]faas.Status, error) {
	found := make([]*faas.Status, len(names))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, n := range names {
		group.Go(func() error {
			s, err := rt.gateway.status(ctx, n, false)
			if err != nil && !errors.Is(err, faas.ErrNotFound) {
				s, _, _ = rt.table.get(n)
			}
			if s.Name == n {
				found[i] = &s
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	list := []faas.Status{}
	for _, s := range found {
		if s != nil {
			list = append(list, *s)
		}
	}
	return list, ctx.Err()
}

// list reads the functions of all namespaces.
func (g *gateway) list(ctx context.Context) ([]faas.Status, error) {
	namespaces, err := g.namespaces(ctx)
	if err != nil {
		return nil, err
	}
	list := []faas.Status{}
	for _, namespace := range namespaces {
		some, err := g.listOne(ctx, namespace)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// namespaces is at least one, "" where the gateway knows of none.
func (g *gateway) namespaces(ctx context.Context) ([]string, error) {
	var names []string
	err := g.do(ctx, call{method: http.MethodGet, path: "/system/namespaces", into: &names})
	if errors.Is(err, faas.ErrNotFound) || errors.Is(err, faas.ErrUnsupported) {
		err = nil
	}
	if len(names) == 0 {
		names = []string{""}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

func (g *gateway) listOne(ctx context.Context, namespace string) ([]faas.Status, error) {
	c := call{method: http.MethodGet, path: "/system/functions"}
	if namespace != "" {
		c.query = url.Values{"namespace": {namespace}}
	}
	var answer []types.FunctionStatus
	c.into = &answer
	if err := g.do(ctx, c); err != nil {
		return nil, err
	}
	list := make([]faas.Status, 0, len(answer))
	for i := range answer {
		answer[i].Namespace = cmp.Or(answer[i].Namespace, namespace)
		if s := api.ToStatus(&answer[i]); s.Name.Validate() == nil { // no other can be called
			list = append(list, s)
		}
	}
	return list, nil
}

// status reads one function, with what it uses only if that is wanted.
func (g *gateway) status(ctx context.Context, n faas.Name, usage bool) (faas.Status, error) {
	var answer types.FunctionStatus
	query := url.Values{"namespace": {n.Namespace}, "usage": {strconv.FormatBool(usage)}}
	c := call{method: http.MethodGet, path: "/system/function/" + n.Function, query: query, into: &answer}
	if err := g.do(ctx, c); err != nil {
		return faas.Status{}, err
	}
	answer.Name, answer.Namespace = n.Function, n.Namespace
	return api.ToStatus(&answer), nil
}
