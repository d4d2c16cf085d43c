package cell_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// liar answers rightly but for every nth call.
type liar struct {
	calls  atomic.Int64
	nth    int64
	answer func(x *path.Exchange) error
}

func (l *liar) Call(_ context.Context, x *path.Exchange) error {
	if l.calls.Add(1)%l.nth == 0 {
		return l.answer(x)
	}
	return x.CompareAll(bytes.NewReader(x.Body))
}

func (l *liar) Close() error { return nil }

// still is a Meter that has used as much as it was read.
type still struct{ reads float64 }

func (s *still) CPU() (client, hops time.Duration, err error) { return 0, 0, nil }

func (s *still) Allocations() (client, hops float64, err error) {
	s.reads++
	return 1000 * s.reads, -1, nil
}

func TestLossesAreSeen(t *testing.T) {
	bodies := cell.NewBodies(1 << 10)
	for name, answer := range map[string]func(x *path.Exchange) error{
		"truncated": func(x *path.Exchange) error { return x.CompareAll(bytes.NewReader(x.Body[:1])) },
		"failed":    func(*path.Exchange) error { return errors.New("no") },
		"of another": func(x *path.Exchange) error {
			return x.CompareAll(bytes.NewReader(append(x.Body[1:len(x.Body):len(x.Body)], 0)))
		},
	} {
		l := &liar{nth: 10, answer: answer}
		res, err := cell.Endure(t.Context(), l, cell.Load{Body: 1 << 10, AtOnce: 4}, 400, bodies)
		if err != nil || res.Lost != 40 || res.Calls != 360 || res.Loss == "" {
			t.Errorf("%s: %+v, %v, want 40 of 400 lost", name, res, err)
		}
	}
}

func TestMeasure(t *testing.T) {
	l := &liar{nth: 1 << 60}
	res, err := cell.Measure(t.Context(), l, cell.Load{Body: 100, AtOnce: 3, Time: 20 * time.Millisecond}, cell.NewBodies(100), &still{})
	if err != nil || res.Lost > 0 || res.Calls < 3 || res.P50 <= 0 || res.P99 < res.P50 || res.Rate <= 0 {
		t.Errorf("%+v, %v", res, err)
	}
	if res.HopObjs >= 0 {
		t.Errorf("%v allocations of hops that do not tell", res.HopObjs)
	}
}

// A caller makes one call even if the time is over.
func TestMeasureOnce(t *testing.T) {
	res, err := cell.Measure(t.Context(), &liar{nth: 1 << 60}, cell.Load{Body: 1, AtOnce: 5}, cell.NewBodies(1), &still{})
	if err != nil || res.Calls != 5 {
		t.Errorf("%+v, %v, want 5 calls", res, err)
	}
}
