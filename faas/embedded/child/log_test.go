package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
)

func openLog(t testing.TB, path string, limit int64) *Log {
	t.Helper()
	l, err := OpenLog(path, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func everything() faas.LogQuery { return faas.LogQuery{Tail: -1} }

// texts reads what q asks for, following only until there is nothing more.
func texts(t testing.TB, l *Log, q faas.LogQuery) []string {
	t.Helper()
	all := []string{}
	for line, err := range l.Lines(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line.Text)
	}
	return all
}

// TestLog: whatever is written and in whatever parts, the log holds the last
// lines of it, whole, within its limit, and more than half of that.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(dir, "logs", strconv.Itoa(rapid.Int().Draw(rt, "name")))
		limit := rapid.Int64Range(2*minLog, 6000).Draw(rt, "limit")
		l, err := OpenLog(path, limit)
		if err != nil {
			rt.Fatal(err)
		}
		w := l.Writer("7")
		var said strings.Builder
		for _, part := range rapid.SliceOfN(rapid.StringMatching("[a-z\n]{0,200}"), 0, 60).Draw(rt, "parts") {
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				rt.Fatal(n, err)
			}
			said.WriteString(part)
		}
		_ = w.Close()
		want := strings.Split(strings.TrimSuffix(said.String(), "\n"), "\n")
		if said.Len() == 0 {
			want = nil
		}
		got := texts(t, l, everything())
		if len(got) > len(want) || !slices.Equal(want[len(want)-len(got):], got) {
			rt.Fatalf("kept %q\nof %q", got, want)
		}
		used := size(path) + size(path+olderSuffix)
		if used > limit {
			rt.Fatalf("%d bytes on disk, limit %d", used, limit)
		}
		if len(got) < len(want) && used < limit/2-maxEntryOf(l) {
			rt.Fatalf("lines are gone although only %d bytes of %d are used", used, limit)
		}
		tail := rapid.IntRange(0, len(got)+2).Draw(rt, "tail")
		if diff := cmp.Diff(got[max(0, len(got)-tail):], texts(t, l, faas.LogQuery{Tail: tail})); diff != "" {
			rt.Fatalf("the last %d lines:\n%s", tail, diff)
		}
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			rt.Fatal(err)
		}
		l.Remove()
	})
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func maxEntryOf(l *Log) int64 { return int64(l.maxLine + len(entryTime) + 16) }

func TestEntry(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := faas.LogLine{
			At:       time.Unix(rapid.Int64Range(0, 1<<34).Draw(rt, "s"), rapid.Int64Range(0, 1e9-1).Draw(rt, "ns")).UTC(),
			Instance: rapid.StringMatching("[0-9a-z]{0,9}").Draw(rt, "instance"),
			Text:     rapid.StringMatching(`[^\n]*`).Draw(rt, "text"),
		}
		entry := appendEntry(nil, want.At, want.Instance, []byte(want.Text))
		if got := parseEntry(entry[:len(entry)-1]); got != want {
			rt.Fatalf("%q was read as %+v, want %+v", entry, got, want)
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte("2026-01-02T03:04:05.000000006Z 17 text"))
	f.Add([]byte("2026-01-02T03:04:05.000000006Z - "))
	f.Add([]byte("written by something else"))
	f.Fuzz(func(t *testing.T, entry []byte) {
		line := parseEntry(entry)
		if line.At.IsZero() && line.Instance == "" {
			return // it is all text
		}
		if again := parseEntry(appendEntry(nil, line.At, line.Instance, []byte(line.Text))); again.Text != line.Text+"\n" || !again.At.Equal(line.At) {
			t.Errorf("%q became %+v", entry, again)
		}
	})
}

func TestLogKeepsWhoAndWhen(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "log"), 4096)
	before := time.Now()
	_, _ = l.Writer("1").Write([]byte("one\n"))
	middle := time.Now()
	_, _ = l.Writer("2").Write([]byte("two\r\n"))
	l.Print("1", "Forking\nboth")
	for _, tt := range []struct {
		name string
		q    faas.LogQuery
		want []string
	}{
		{"all", everything(), []string{"one", "two", "Forking", "both"}},
		{"instance", faas.LogQuery{Tail: -1, Instance: "1"}, []string{"one", "Forking", "both"}},
		{"since", faas.LogQuery{Tail: -1, Since: middle}, []string{"two", "Forking", "both"}},
		{"tail of an instance", faas.LogQuery{Tail: 2, Instance: "1"}, []string{"Forking", "both"}},
		{"since later", faas.LogQuery{Tail: -1, Since: time.Now().Add(time.Hour)}, []string{}},
		{"none", faas.LogQuery{}, []string{}},
	} {
		if diff := cmp.Diff(tt.want, texts(t, l, tt.q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	name := faas.Name{Function: "f", Namespace: "n"}
	for line := range l.Lines(t.Context(), faas.LogQuery{Name: name, Tail: -1}) {
		if line.At.Before(before.Truncate(0)) || line.At.After(time.Now()) || line.Name != name {
			t.Errorf("line %+v", line)
		}
	}
	if l.LastLine() != "two" {
		t.Errorf("last line %q", l.LastLine())
	}
}

func TestLongLineIsCut(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "log"), 1<<20)
	w := l.Writer("1")
	for range 10 {
		_, _ = w.Write([]byte(strings.Repeat("x", 10_000)))
	}
	if got := texts(t, l, everything()); len(got) != 1 {
		t.Fatalf("a line that does not end is not shown: %d lines", len(got))
	}
	_, _ = w.Write([]byte("end\nnext\n"))
	got := texts(t, l, everything())
	if len(got) != 2 || len(got[0]) != MaxLine || !strings.HasSuffix(got[0], fmt.Sprintf("(cut at %d bytes)", MaxLine)) || got[1] != "next" {
		t.Errorf("%d lines, the first %d bytes, ends %q", len(got), len(got[0]), got[0][len(got[0])-30:])
	}
}

// TestLogContinues after a restart, and after one that tore the last line.
func TestLogContinues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, line := range []string{"one", "two"} {
		l := openLog(t, path, 4096)
		_, _ = l.Writer("1").Write([]byte(line + "\n"))
		if l.LastLine() != line {
			t.Errorf("last line %q", l.LastLine())
		}
		_ = l.Close()
		_, _ = l.Writer("1").Write([]byte("late\n"))
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("2026-11-22T10:11:12.1")
	_ = f.Close()
	l := openLog(t, path, 4096)
	l.Print("1", "three")
	if diff := cmp.Diff([]string{"one", "two", "three"}, texts(t, l, everything())); diff != "" {
		t.Error(diff)
	}
}

// follow passes on lines until the log is closed or ctx ends.
func follow(ctx context.Context, l *Log, q faas.LogQuery) <-chan string {
	q.Follow = true
	lines := make(chan string)
	go func() {
		defer close(lines)
		for line, err := range l.Lines(ctx, q) {
			text := line.Text
			if err != nil {
				text = err.Error()
			}
			select {
			case lines <- text:
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// TestFollow: nothing is missed and nothing comes twice while the files turn,
// and the end of the log ends who follows.
func TestFollow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l := openLog(t, filepath.Join(t.TempDir(), "log"), 8192)
	w := l.Writer("1")
	const together = 7 // fewer than a file holds
	say := func(from int) {
		var text strings.Builder
		for j := range together {
			_, _ = fmt.Fprintf(&text, "line %d %s\n", from+j, strings.Repeat(".", (from+j)%300))
		}
		_, _ = w.Write([]byte(text.String()))
	}
	_, _ = w.Write([]byte("line -1\n"))
	say(0)
	followers := []<-chan string{follow(ctx, l, faas.LogQuery{Tail: together}), follow(ctx, l, faas.LogQuery{Tail: together, Instance: "1"})}
	for range l.Lines(ctx, faas.LogQuery{Tail: -1, Follow: true}) {
		break // who leaves early is not waited for
	}
	for i := 0; i < 1000; i += together {
		for _, f := range followers {
			for j := range together {
				if got, want := <-f, "line "+strconv.Itoa(i+j); strings.TrimRight(got, " .") != want {
					t.Fatalf("got %q, want %s", got, want)
				}
			}
		}
		say(i + together)
	}
	if l.end.turn < 10 {
		t.Errorf("the files were turned %d times only", l.end.turn)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range followers {
		n := 0
		for range f {
			n++
		}
		if n != together {
			t.Errorf("%d lines came behind the end, want %d", n, together)
		}
	}
}

// TestSlowFollower misses lines, and goes on with those that are there.
func TestSlowFollower(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "log"), 4096)
	w := l.Writer("1")
	_, _ = w.Write([]byte("line 0\n"))
	lines := follow(t.Context(), l, everything())
	if got := <-lines; got != "line 0" {
		t.Fatal(got)
	}
	for i := 1; i <= 1000; i++ {
		_, _ = fmt.Fprintf(w, "line %d\n", i)
	}
	_ = l.Close()
	last := 0
	for text := range lines {
		n, err := strconv.Atoi(strings.TrimPrefix(text, "line "))
		if err != nil || n <= last {
			t.Fatalf("%q after line %d, %v", text, last, err)
		}
		last = n
	}
	if last != 1000 {
		t.Errorf("the last line is %d", last)
	}
}

// TestFollowEnds with its context, and when the log is removed.
func TestFollowEnds(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "log"), 4096)
	ctx, cancel := context.WithCancel(t.Context())
	left, removed := follow(ctx, l, everything()), follow(t.Context(), l, everything())
	cancel()
	ends(t, left)
	_ = l.Close()
	l.Remove()
	ends(t, removed)
	ends(t, follow(t.Context(), l, everything())) // who comes late
}

func ends(t *testing.T, lines <-chan string) {
	t.Helper()
	select {
	case text, more := <-lines:
		if more {
			t.Errorf("line %q", text)
		}
	case <-time.After(time.Minute):
		t.Fatal("it hangs")
	}
}

// TestLogIsSucceeded: a removed log that is still written leaves its path to
// another one, and who follows it goes on.
func TestLogIsSucceeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	old := openLog(t, path, 4096)
	old.Print("1", "before")
	lines := follow(t.Context(), old, everything())
	if got := <-lines; got != "before" {
		t.Fatal(got)
	}
	old.Remove()
	next := openLog(t, path, 4096)
	next.Print("2", "other")
	old.Print("1", "after")
	if got := <-lines; got != "after" {
		t.Errorf("followed: %q", got)
	}
	for range 1000 {
		old.Print("1", "more than the file holds")
	}
	for range lines {
	}
	if diff := cmp.Diff([]string{"other"}, texts(t, next, everything())); diff != "" {
		t.Errorf("the other log (-want +got):\n%s", diff)
	}
	old.Remove()
	if got := texts(t, old, everything()); len(got) > 0 {
		t.Errorf("what is gone is read: %q", got)
	}
}
