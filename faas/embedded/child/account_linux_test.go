package child

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestMeterTakes(t *testing.T) {
	ms := time.Millisecond
	type reading struct {
		used    time.Duration
		threads map[int]threadTime
	}
	for _, c := range []struct {
		name     string
		readings []reading
		want     faas.CPUTime
	}{
		{"a thread", []reading{{10 * ms, map[int]threadTime{1: {10 * ms, 5 * ms}}}, {30 * ms, map[int]threadTime{1: {30 * ms, 25 * ms}}}}, faas.CPUTime{Used: 30 * ms, Waited: 25 * ms}},
		{"a thread ends", []reading{{20 * ms, map[int]threadTime{1: {10 * ms, 1 * ms}, 2: {10 * ms, 9 * ms}}}, {30 * ms, map[int]threadTime{1: {20 * ms, 3 * ms}}}}, faas.CPUTime{Used: 30 * ms, Waited: 12 * ms}},
		{"much went unseen", []reading{{100 * ms, map[int]threadTime{1: {10 * ms, 20 * ms}}}}, faas.CPUTime{Used: 100 * ms, Waited: 200 * ms}},
		{"unseen, and without time to wait as much", []reading{{250 * ms, map[int]threadTime{1: {10 * ms, 20 * ms}}}}, faas.CPUTime{Used: 250 * ms, Waited: 50 * ms}},
		{"all went unseen", []reading{{100 * ms, nil}}, faas.CPUTime{Used: 100 * ms}},
		{"a child is lost", []reading{{50 * ms, nil}, {20 * ms, nil}, {30 * ms, nil}}, faas.CPUTime{Used: 60 * ms}},
		{"coarse ticks", []reading{{0, map[int]threadTime{1: {8 * ms, 2 * ms}}}}, faas.CPUTime{Waited: 2 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := time.Now()
			m := meter{at: at}
			for i, r := range c.readings {
				m.take(at.Add(time.Duration(i+1)*300*ms), r.used, r.threads)
			}
			if diff := cmp.Diff(c.want, m.total); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A program's children count while they run, and what ran is kept when all is
// killed.
func TestAccountSeesDescendants(t *testing.T) {
	account := NewAccount()
	if account == nil {
		t.Skip("this kernel does not tell how long a thread waited")
	}
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Start(Command{Path: "/bin/sh", Args: []string{"sh", "-c", "while :; do :; done & wait"}, Account: account})
	if err != nil {
		t.Fatal(err)
	}
	last := faas.CPUTime{}
	for deadline := time.Now().Add(30 * time.Second); last.Used < 300*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		now := account.CPUTime()
		if now.Used < last.Used || now.Waited < last.Waited {
			t.Fatalf("it fell from %+v to %+v", last, now)
		}
		if last = now; time.Now().After(deadline) {
			t.Fatalf("a child that computes was charged %+v in 30 s", now)
		}
	}
	p.Kill()
	<-p.Done()
	if end := account.CPUTime(); end.Used < last.Used || end.Waited < last.Waited {
		t.Errorf("it fell from %+v to %+v with the process's end", last, end)
	}
}

func FuzzParseThreadTime(f *testing.F) {
	f.Add("230460 86456 2\n")
	f.Add("")
	f.Add("1 x 2")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseThreadTime(s); err != nil && r != (threadTime{}) {
			t.Errorf("%q: %+v with an error", s, r)
		}
	})
}
