package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestShowLearned(t *testing.T) {
	near, far := peer.ID("\x00\x04near"), peer.ID("\x00\x03far")
	reply := &node.PolicyReply{
		Describe: "calibrated: learns", Policies: []string{"calibrated"}, Learning: &node.LearningReply{State: "learned", Outcomes: 5},
		Explained: []sched.Explanation{
			{Function: "resize", Outcomes: 5, Sentences: []sched.Sentence{{Text: "as reckoned here"}, {Peer: near, Text: "on time 41 %"}, {Peer: far, Text: "on time 80 %"}}},
			{Outcomes: 2, Sentences: []sched.Sentence{{Text: "run here"}}},
		},
	}
	reply.Policy = "calibrated"
	var b strings.Builder
	if err := printLearned(&b, reply, peerNames{near: "…near (arm64, attic)"}); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(b.String(), "policies: calibrated\n")
	want := `
resize: learned from 5 outcomes
  as reckoned here
  peer …near (arm64, attic): on time 41 %
  peer ` + far.String() + `: on time 80 %

all functions: learned from 2 outcomes
  run here
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		learning *node.LearningReply
		want     string
	}{{nil, "This policy learns nothing."}, {&node.LearningReply{}, "Nothing was learned yet"}} {
		b.Reset()
		if err := printLearned(&b, &node.PolicyReply{Learning: c.learning}, nil); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%v, %q does not say %q", err, b.String(), c.want)
		}
	}
}
