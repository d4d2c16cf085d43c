package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/sched"
)

// printWhy tells a call's story to people.
func printWhy(w io.Writer, why *control.Why) error {
	t := teller{names: namesOf(peersIn(why)...)}
	path := visits(why)
	if len(path) > 0 {
		t.line("call %s of %s: %s", shown(why.CallID), shown(path[0].call.Function), t.ending(path[0].call))
	}
	for _, v := range path {
		t.visit(v)
	}
	for i := range why.Accounts {
		if a := &why.Accounts[i]; a.Trouble != "" {
			t.line("")
			t.line("%s  told nothing: %s", a.Peer, troubleText(a.Trouble))
		}
	}
	_, err := io.WriteString(w, t.text.String())
	return err
}

func peersIn(why *control.Why) (peers []peer.ID) {
	for i := range why.Accounts {
		peers = append(peers, why.Accounts[i].Peer)
		for _, c := range why.Accounts[i].Calls {
			peers = append(append(peers, c.From, c.Ran), c.Hops...)
			for _, s := range c.Steps {
				peers = append(peers, s.Peer)
				for _, n := range s.Candidates {
					peers = append(peers, n.Peer)
				}
			}
		}
	}
	return peers
}

// teller writes the text.
type teller struct {
	names peerNames
	text  strings.Builder
}

func (t *teller) line(format string, a ...any) { fmt.Fprintf(&t.text, format+"\n", a...) }

func (t *teller) ending(c *control.Call) string {
	switch {
	case c.Outcome == control.OutcomeUnderWay:
		return "under way"
	case c.Ran != "":
		return fmt.Sprintf("%s after %s, ran on %s", outcome(c), span(c.Total), t.names[c.Ran])
	}
	return fmt.Sprintf("%s after %s", outcome(c), span(c.Total))
}

func (t *teller) visit(v visit) {
	c := v.call
	t.line("")
	t.line("%s  %s at %s%s", v.peer, t.arrival(c), timeOfDay(c.Began), byPolicy(c))
	for i := range c.Steps {
		t.step(&c.Steps[i])
	}
	t.line("  %s%s", t.ending(c), parts(c))
}

func (t *teller) arrival(c *control.Call) string {
	switch c.Origin {
	case control.OriginPeer:
		return "came from " + t.names[c.From]
	case control.OriginSDK:
		return "entered here, sent by " + t.names[c.From]
	}
	return "entered here over HTTP"
}

func byPolicy(c *control.Call) string {
	if c.Policy == "" {
		return ""
	}
	return ", policy " + c.Policy
}

// parts are what the total was made of.
func parts(c *control.Call) string {
	var list []string
	for _, part := range []struct {
		name string
		took time.Duration
	}{{"deciding", c.Decide}, {"of that probing", c.Probe}, {"in the queue", c.Queue}, {"until the function answered", c.Service}} {
		if part.took >= 10*time.Microsecond { // less is shown as 0
			list = append(list, part.name+" "+short(part.took))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}

func (t *teller) step(s *control.Step) {
	t.line("  at %s %s", span(s.At), t.decision(s))
	if s.Own.Servers > 0 {
		t.line("    this node: %s", loadText(&s.Own))
	}
	t.candidates(s)
	if text := t.result(s); text != "" {
		t.line("    %s", text)
	}
}

// decision is what was decided and why, in words.
func (t *teller) decision(s *control.Step) string {
	why := reasonText(s)
	switch s.Action {
	case sched.Run.String():
		return "kept here: " + why
	case sched.Forward.String():
		return "forwarded to " + t.names[s.Peer] + ": " + why + reportAge(s)
	case sched.Refuse.String():
		return "refused: " + why
	case sched.Probe.String():
		return "asked others for their load: " + why
	}
	return spaced(s.Action) + ": " + why
}

// reportAge tells how old the news was that led to a forward.
func reportAge(s *control.Step) string {
	for i := range s.Candidates {
		if c := &s.Candidates[i]; c.Chosen {
			return "; its report was " + span(c.Age) + " old"
		}
	}
	return ""
}

func (t *teller) result(s *control.Step) string {
	forwarded := s.Action == sched.Forward.String()
	switch {
	case s.Result == "" || !forwarded && s.Result == control.ResultOK || s.Action == sched.Refuse.String():
		return ""
	case s.Result == control.ResultOK:
		return fmt.Sprintf("%s began to answer after %s", t.names[s.Peer], span(s.Took))
	case s.Result == control.ResultNotReached:
		return fmt.Sprintf("%s was not reached, given up after %s", t.names[s.Peer], span(s.Took))
	case forwarded:
		return fmt.Sprintf("%s gave no answer: %s, after %s", t.names[s.Peer], spaced(s.Result), span(s.Took))
	}
	return fmt.Sprintf("no answer: %s, after %s", spaced(s.Result), span(s.Took))
}

// candidates is a table of how the others looked.
func (t *teller) candidates(s *control.Step) {
	if len(s.Candidates) == 0 {
		return
	}
	w := tabwriter.NewWriter(&t.text, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "      CANDIDATE\tWAIT\tBUSY\tQUEUED\tSENT\tAGE\tRTT\tHEALTH\tHONESTY")
	for i := range s.Candidates {
		c := &s.Candidates[i]
		mark := " "
		if c.Chosen {
			mark = ">"
		}
		fmt.Fprintf(w, "    %s %s\t%s\t%d/%d\t%d\t%d\t%s\t%s\t%s\t%s\n", mark, t.names[c.Peer], span(c.Load.Wait), c.Load.Running, c.Load.Servers,
			c.Load.Queued, c.OwnSends, span(c.Age), short(c.RTT), fraction(c.Health), fraction(c.Honesty))
	}
	_ = w.Flush() // a Builder does not fail
	if more := s.InAll - len(s.Candidates); more > 0 {
		t.line("      and %d more", more)
	}
}

func fraction(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

func troubleText(word string) string {
	switch word {
	case control.TroubleNoAnswer:
		return "no answer in time"
	case control.TroubleNotReached:
		return "it was not reached"
	case control.TroubleDenied:
		return "it does not admit the node that asked"
	case control.TroubleForgotten:
		return "it keeps nothing of the call, or not any more"
	case control.TroubleNotServed:
		return "its version cannot tell"
	case control.TroubleFailed:
		return "asking it failed"
	}
	return spaced(word)
}
