package stage

import (
	"runtime"

	"github.com/p2pfaas/p2pfaas/examples/bench/process"
	"github.com/p2pfaas/p2pfaas/examples/bench/soak"
)

// View is what a process of a route holds.
type View struct {
	Name string
	soak.Look
}

// Look looks at the client, this process, and at the product's nodes.
func (r *Route) Look() ([]View, error) {
	client, err := look(0)
	if err != nil {
		return nil, err
	}
	client.Goroutines = runtime.NumGoroutine()
	views := []View{{"client", client}}
	for _, p := range r.hops {
		if p.node == nil {
			continue
		}
		l, err := look(p.ID())
		if err != nil {
			return nil, err
		}
		n, err := p.node.metric(r.stage.ctx, "go_goroutines")
		if err != nil {
			return nil, err
		}
		l.Goroutines = int(n)
		views = append(views, View{p.node.name, l})
	}
	return views, nil
}

func look(pid int) (l soak.Look, err error) {
	if l.Memory, err = process.Resident(pid); err != nil {
		return l, err
	}
	l.Files, err = process.Open(pid)
	return l, err
}
