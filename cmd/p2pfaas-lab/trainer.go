package main

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// trainer trains a policy in runs, one after the other or all from one beginning.
type trainer struct {
	*virtual
	ended func()
	// report is told of each run, and of the default's on the same arrivals.
	report func(of, beside *outcome) error
}

// train is what is known after all runs.
func (t *trainer) train(ctx context.Context, trials []trial, together bool) (*model, error) {
	if together {
		return t.together(ctx, trials)
	}
	known := trials[0].choice.model
	for i := range trials {
		trial := trials[i]
		trial.choice.model = known
		e, err := t.run(ctx, &trial, 1)
		if err == nil {
			err = t.report(e.outcome, e.beside)
		}
		if err == nil {
			known, err = averaged(trial.choice.name, e.models)
		}
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// together has all runs begin alike.
func (t *trainer) together(ctx context.Context, trials []trial) (*model, error) {
	episodes := make([]*episode, len(trials))
	all, within := errgroup.WithContext(ctx)
	all.SetLimit((t.parallel + 1) / 2) // each runs the default as well
	for i := range trials {
		all.Go(func() (err error) {
			episodes[i], err = t.run(within, &trials[i], len(trials))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var models [][]byte
	for _, e := range episodes {
		if err := t.report(e.outcome, e.beside); err != nil {
			return nil, err
		}
		models = append(models, e.models...)
	}
	return averaged(trials[0].choice.name, models)
}

// episode is a run that is over, and what its nodes know.
type episode struct {
	outcome, beside *outcome
	models          [][]byte
}

// run runs the policy, and the default on the same arrivals. So many runs begin with
// the same model and are averaged together.
func (t *trainer) run(ctx context.Context, tr *trial, alike int) (*episode, error) {
	var e episode
	nodes, err := agentsOf(tr, t.registry, alike)
	if err != nil {
		return nil, err
	}
	beside := *tr
	beside.choice = choice{name: theDefault}
	all, within := errgroup.WithContext(ctx)
	all.SetLimit(min(2, t.parallel))
	all.Go(func() (err error) {
		e.outcome, err = t.simulateWith(within, tr, nodes.enter)
		t.ended()
		return err
	})
	all.Go(func() (err error) {
		e.beside, err = t.simulateWith(within, &beside, nil)
		t.ended()
		return err
	})
	if err = all.Wait(); err == nil {
		e.models, err = nodes.models()
	}
	return &e, err
}
