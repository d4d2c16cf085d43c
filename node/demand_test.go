package node

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
)

// meterOf is a faas.Meter that says what the test wrote down.
type meterOf map[faas.Name]faas.CPUTime

func (m meterOf) CPUTime(n faas.Name) (faas.CPUTime, bool) {
	t, ok := m[n]
	return t, ok
}

// listed is a runtime with these deployments.
type listed struct {
	faas.Runtime
	functions []faas.Function
}

func (l *listed) List(context.Context, string) (all []faas.Status, err error) {
	for _, f := range l.functions {
		all = append(all, faas.Status{Function: f})
	}
	return all, nil
}

func work(version string, annotations ...string) faas.Function {
	f := faas.Function{Name: faas.Name{Function: "work", Namespace: faas.DefaultNamespace}, Image: "x"}
	f.Annotations = map[string]string{faas.AnnotationVersion: version}
	for i := 0; i+1 < len(annotations); i += 2 {
		f.Annotations[annotations[i]] = annotations[i+1]
	}
	return f
}

// scale is a weigher whose clock and meter the test moves.
type scale struct {
	*weigher
	now     time.Duration
	runtime *listed
	meter   meterOf
}

func newScale(t *testing.T, f faas.Function) *scale {
	s := &scale{runtime: &listed{functions: []faas.Function{f}}, meter: meterOf{f.Name: {}}}
	s.weigher = &weigher{functions: newFunctions(s.runtime), clock: func() time.Duration { return s.now }}
	s.reload(t)
	s.weigh(s.meter, false)
	return s
}

func (s *scale) reload(t *testing.T) {
	t.Helper()
	if err := s.functions.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *scale) function() *function { return s.functions.get("work") }

// second passes, with calls that run all the time and what the function had of
// the processors meanwhile.
func (s *scale) second(calls int, used, waited time.Duration) {
	s.fullSecond(calls, used, waited, false)
}

func (s *scale) fullSecond(calls int, used, waited time.Duration, full bool) {
	d := s.function().demand
	for range calls {
		d.begin(s.now)
	}
	s.now += time.Second
	for range calls {
		d.end(s.now)
	}
	name := s.function().name
	cpu := s.meter[name]
	s.meter[name] = faas.CPUTime{Used: cpu.Used + used, Waited: cpu.Waited + waited}
	s.weigh(s.meter, full)
}

func near(got, want, share float64) bool { return got >= want*(1-share) && got <= want*(1+share) }

func TestWeighs(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name         string
		calls        int
		used, waited time.Duration
		want         float64
	}{
		{"computes", 1, 1000 * ms, 0, 1},
		{"computes in a crowd", 8, 2000 * ms, 6000 * ms, 1},
		{"computes, a little off", 4, 4100 * ms, 20 * ms, 1},
		{"computes on four cores", 1, 3900 * ms, 0, 4},
		{"computes in turns, inside one process", 8, 1000 * ms, 0, 1},
		{"computes half the time", 1, 500 * ms, 0, 0.5},
		{"sleeps", 50, 2 * ms, 1 * ms, minWeight},
		{"sleeps in a crowd", 10, 20 * ms, 480 * ms, 0.05},
		{"wants more than there can be", 1, 400 * time.Second, 0, maxWeight},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScale(t, work("1"))
			if w := s.function().weighs(); w != 1 {
				t.Errorf("it weighs %v before it was measured", w)
			}
			for range 5 {
				s.second(c.calls, c.used, c.waited)
			}
			if w := s.function().weighs(); !near(w, c.want, 0.1) {
				t.Errorf("after five samples it weighs %v, want %v", w, c.want)
			}
		})
	}
}

// What is admitted by its weight is what the next sample sees: a machine that is
// full of work that computes stays as it is, and one that admitted too much
// comes back; be it the kernel or the program that lets the calls wait.
func TestWeighingIsNoViciousCircle(t *testing.T) {
	const cores, waiting = 2, 64
	for _, c := range []struct {
		name             string
		servers          float64
		misjudged, inner bool
	}{
		{"as many servers as cores", cores, false, false},
		{"four times as many", 4 * cores, false, false},
		{"four times as many, waiting inside", 4 * cores, false, true},
		{"misjudged", cores, true, false},
		{"misjudged, waiting inside", cores, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScale(t, work("1"))
			for c.misjudged && s.function().weighs() > minWeight {
				s.second(10, 0, 0)
			}
			for range 40 {
				calls := min(waiting, int(c.servers/s.function().weighs()))
				used, waited := time.Duration(min(calls, cores))*time.Second, time.Duration(0)
				if !c.inner {
					waited = time.Duration(calls)*time.Second - used
				}
				s.fullSecond(calls, used, waited, calls >= cores)
			}
			if w := s.function().weighs(); w != 1 {
				t.Errorf("it weighs %v in the end, want 1", w)
			}
		})
	}
}

// What a crowd of others made heavy is itself again once they are gone.
func TestWeighsLessAfterTheCrowd(t *testing.T) {
	s := newScale(t, work("1"))
	for range 5 {
		s.second(1, time.Second, 2*time.Second)
	}
	for range 10 {
		s.second(1, time.Second, 0)
	}
	if w := s.function().weighs(); w != 1 {
		t.Errorf("it weighs %v, want 1", w)
	}
}

func TestNotWeighed(t *testing.T) {
	t.Run("annotated", func(t *testing.T) {
		s := newScale(t, work("1", faas.AnnotationWeight, "3"))
		s.second(1, 0, 0)
		if w := s.function().weighs(); w != 3 {
			t.Errorf("it weighs %v, want what its annotation says", w)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		s := newScale(t, work("1"))
		s.function().demand.begin(s.now)
		s.now += time.Second
		s.weigh(meterOf{}, false)
		if _, ok := s.function().demand.weight(); ok {
			t.Error("a second was weighed of which nothing is known")
		}
	})
	t.Run("hardly called", func(t *testing.T) {
		s := newScale(t, work("1"))
		s.function().demand.begin(s.now)
		s.function().demand.end(s.now + leastHeld/2)
		s.second(0, 0, 0)
		if _, ok := s.function().demand.weight(); ok {
			t.Error("25 ms were taken for a sample")
		}
	})
	t.Run("what it does when idle", func(t *testing.T) {
		s := newScale(t, work("1"))
		for range 20 {
			s.second(0, time.Second, 0)
		}
		s.second(1, 10*time.Millisecond, 0)
		if w := s.function().weighs(); w > idleRead.Seconds()+1 {
			t.Errorf("it weighs %v: what it did when nobody called was taken for the call's", w)
		}
	})
}

func TestWeightAfterRedeployment(t *testing.T) {
	for _, c := range []struct {
		name string
		next faas.Function
		want float64
	}{
		{"the same", work("1", "note", "hi"), minWeight},
		{"another version", work("2"), 1},
		{"annotated now", work("1", faas.AnnotationWeight, "2"), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScale(t, work("1"))
			for range 10 {
				s.second(5, 0, 0)
			}
			s.runtime.functions = []faas.Function{c.next}
			s.reload(t)
			if w := s.function().weighs(); w != c.want {
				t.Errorf("it weighs %v, want %v", w, c.want)
			}
		})
	}
	t.Run("removed and back", func(t *testing.T) {
		s := newScale(t, work("1"))
		s.second(1, time.Second, 0)
		s.meter[s.function().name] = faas.CPUTime{}
		s.second(1, 0, 0) // its account begins anew: not a sample
		s.second(1, time.Second, 0)
		if w := s.function().weighs(); w != 1 {
			t.Errorf("it weighs %v, want 1", w)
		}
	})
}

// What invocations hold is counted exactly, in whatever order they come and go.
func TestDemandCountsWhatIsHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, now, running := newDemand(), time.Duration(0), 0
		var want span
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			step := time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond
			now += step
			want.held += time.Duration(running) * step
			if running > 0 {
				want.called += step
			}
			if running > 0 && rapid.Bool().Draw(t, "ends") {
				d.end(now)
				running--
			} else {
				d.begin(now)
				running++
			}
		}
		if diff := cmp.Diff(want, d.until(now), cmp.AllowUnexported(span{})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEstimateStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newDemand().estimate
		low, high := 1.0, 1.0
		for range rapid.IntRange(1, 30).Draw(t, "samples") {
			x := rapid.Float64Range(0, 200).Draw(t, "x")
			e.add(x, rapid.Float64Range(0.05, 100).Draw(t, "seconds"))
			low, high = min(low, x), max(high, x)
			if w := e.weight(); w < minWeight || w > maxWeight || e.mean < low-1e-6 || e.mean > high+1e-6 {
				t.Fatalf("weight %v, mean %v of samples from %v to %v", w, e.mean, low, high)
			}
		}
	})
}

// A function that is mostly over at once, and seldom takes a second, is not brief.
func TestBriefIsMeantOfAllCalls(t *testing.T) {
	fn := newScale(t, work("1")).function()
	for i := range 2000 {
		took := 50 * time.Microsecond
		if i%20 == 19 {
			took = time.Second
		}
		fn.service.add(took)
	}
	if w := fn.weighs(); w != 1 {
		t.Errorf("with calls of 50 ms on average it weighs %v, want 1", w)
	}
}

func TestBriefFunctionsAreBounded(t *testing.T) {
	s := newScale(t, work("1"))
	for range 5 {
		s.second(50, 0, 0)
	}
	s.function().service.add(time.Microsecond)
	if w := s.function().weighs(); w != minWeight {
		t.Errorf("a light and brief one weighs %v, want %v", w, minWeight)
	}
}

// What is over at once is not made to wait for a server.
func TestBriefFunctionsWeighLess(t *testing.T) {
	for _, c := range []struct {
		service time.Duration
		want    float64
	}{
		{0, 1}, {time.Second, 1}, {brief, 1}, {brief / 2, 0.5}, {brief / 10, 0.1}, {1, 0.05},
	} {
		measured, annotated := newScale(t, work("1")).function(), newScale(t, work("1", faas.AnnotationWeight, "1")).function()
		if c.service > 0 {
			measured.service.add(c.service)
			annotated.service.add(c.service)
		}
		if w := measured.weighs(); w != c.want {
			t.Errorf("%v long it weighs %v, want %v", c.service, w, c.want)
		}
		if w := annotated.weighs(); w != 1 {
			t.Errorf("%v long and annotated with 1 it weighs %v", c.service, w)
		}
	}
}
