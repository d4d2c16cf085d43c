package faastest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (s *suite) logger() faas.Logger {
	s.Helper()
	l, ok := s.rt.(faas.Logger)
	if !ok {
		s.Fatal("it keeps no logs")
	}
	return l
}

// sayer deploys a function, and returns what makes it say something.
func (s *suite) sayer() (n faas.Name, say func(text string)) {
	n = named("sayer")
	s.check(s.rt.Deploy(s.Context(), faas.Function{Name: n, Image: s.images.Say, EnvVars: map[string]string{"combine_output": "false"}}))
	return n, func(text string) { s.finish(s.invoke(get(n, "", "say="+text))) }
}

// said are the lines of a log that say was asked for: a runtime may write others.
func (s *suite) said(q faas.LogQuery) []faas.LogLine {
	s.Helper()
	lines, err := s.logger().Logs(s.Context(), q)
	s.check(err)
	var all []faas.LogLine
	for line, err := range lines {
		s.check(err)
		if line.Name != q.Name {
			s.Errorf("line of %v in the log of %v", line.Name, q.Name)
		}
		if strings.HasPrefix(line.Text, "said-") {
			all = append(all, line)
		}
	}
	return all
}

func textsOf(lines []faas.LogLine) []string {
	all := []string{}
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func (s *suite) logs() {
	n, say := s.sayer()
	begun := time.Now().Add(-time.Minute) // clocks may differ
	for _, text := range []string{"said-1", "said-2", "said-3"} {
		say(text)
		s.until(text+" is in the log", func() bool {
			return slices.Contains(textsOf(s.said(faas.LogQuery{Name: n, Tail: -1})), text)
		})
	}
	all := s.said(faas.LogQuery{Name: n, Tail: -1})
	if diff := cmp.Diff([]string{"said-1", "said-2", "said-3"}, textsOf(all)); diff != "" {
		s.Fatalf("log (-want +got):\n%s", diff)
	}
	for _, line := range all {
		if line.At.Before(begun) || line.At.After(time.Now().Add(time.Minute)) || line.Instance == "" {
			s.Errorf("line %+v", line)
		}
	}
	s.asked(faas.LogQuery{Name: n, Tail: -1, Since: all[2].At}, "said-3")
	s.asked(faas.LogQuery{Name: n, Tail: -1, Since: time.Now().Add(time.Hour)})
	s.asked(faas.LogQuery{Name: n, Tail: 0})
	s.asked(faas.LogQuery{Name: n, Tail: -1, Instance: "nobody"})
	mine := faas.LogQuery{Name: n, Tail: -1, Instance: all[1].Instance}
	if got := textsOf(s.said(mine)); !slices.Contains(got, "said-2") {
		s.Errorf("the instance that said said-2 is said to have said %v", got)
	}
	if got := textsOf(s.said(faas.LogQuery{Name: n, Tail: 1})); len(got) > 1 || len(got) == 1 && got[0] != "said-3" {
		s.Errorf("the last line is %v", got)
	}
}

func (s *suite) asked(q faas.LogQuery, want ...string) {
	s.Helper()
	if diff := cmp.Diff(append([]string{}, want...), textsOf(s.said(q))); diff != "" {
		s.Errorf("log, asked for %+v (-want +got):\n%s", q, diff)
	}
}

func (s *suite) logOfNobody() {
	_, err := s.logger().Logs(s.Context(), faas.LogQuery{Name: named("nobody"), Tail: -1})
	s.wants(err, faas.ErrNotFound)
}

// followedLog: who follows gets lines as they are written, until it leaves or the
// function is removed.
func (s *suite) followedLog() {
	n, say := s.sayer()
	say("said-before")
	ctx, leave := context.WithCancel(s.Context())
	defer leave()
	left, removed := s.follow(ctx, n), s.follow(s.Context(), n)
	for _, lines := range []<-chan string{left, removed} {
		s.comes(lines, "said-before")
	}
	say("said-after")
	for _, lines := range []<-chan string{left, removed} {
		s.comes(lines, "said-after")
	}
	leave()
	s.ends(left)
	s.check(s.rt.Remove(s.Context(), n))
	s.ends(removed)
}

// follow returns the said lines; the channel is closed when the log ends.
func (s *suite) follow(ctx context.Context, n faas.Name) <-chan string {
	s.Helper()
	lines, err := s.logger().Logs(ctx, faas.LogQuery{Name: n, Tail: -1, Follow: true})
	s.check(err)
	texts := make(chan string, 16)
	go func() {
		defer close(texts)
		for line, err := range lines {
			if err != nil {
				return // how a log ends is not what this is about
			}
			if strings.HasPrefix(line.Text, "said-") {
				texts <- line.Text
			}
		}
	}()
	return texts
}

func (s *suite) comes(lines <-chan string, want string) {
	s.Helper()
	select {
	case got, more := <-lines:
		if got != want {
			s.Fatalf("followed log says %q (more: %v), want %q", got, more, want)
		}
	case <-time.After(patience):
		s.Fatalf("%q is not in the followed log after %v", want, patience)
	}
}

func (s *suite) ends(lines <-chan string) {
	s.Helper()
	select {
	case got, more := <-lines:
		if more {
			s.Errorf("followed log says %q instead of ending", got)
		}
	case <-time.After(patience):
		s.Fatalf("a followed log has not ended after %v", patience)
	}
}
