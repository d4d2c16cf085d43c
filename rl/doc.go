// Package rl has policies that learn while they serve. They are policies of
// package sched like any other: data in, data out, no clock, no goroutine, no file.
//
//	all := sched.Policies()
//	maps.Copy(all, rl.Policies())
//	policy, err := all.New("calibrated", nil)
//
// Three of them stand on spread, the default, and correct what it believes of an
// invocation's chance to be on time, here and at a peer. While nothing is known they
// decide exactly as it does, and the order of the queue, the asking for work and
// all reports are its own. They gain where its model is wrong: nodes slower than they
// report, a function that one machine is bad at. Where the model is right there is
// nothing to learn, and they come out level.
//
//   - calibrated: a logistic regression for each function, with a bias for each peer.
//   - residual: by how much rewards differ from the chances, in tile coding.
//   - bandit: Thompson sampling over here and the peers drawn. It explores more than the
//     others and pays for it.
//
// Two learn the whole decision from rewards, as the literature does; they are
// here to be compared with, and for settings that have no model at all:
//
//   - sarsa: differential semi-gradient SARSA, in the form tiles (tile coding) or table
//     (the Q table, the states and the actions of P2PFaaS).
//   - q-learning: the same with Watkins' rule.
//
// An [Agent] is the learner inside those two, for states and actions of one's own.
//
// # Outcomes
//
// Each Decision bears a Token, by which its Outcome finds back to what it was
// decided on. An Outcome may come late, out of order, twice or never; nothing waits for
// one. Who learns from transitions puts rewards back in order, and gives up one that is
// missing once 40 later ones are there. Rewards are told on the node that decided.
//
// # Safety
//
// A share of the decisions (holdout) stays with the default to compare with. If what
// was learned does worse, and not by chance, the default decides for a minute; so it does for
// the first 200 decisions on a function, while no outcome is told at all, and after
// something was not a number. [sched.Learner] tells which.
//
// # Sharing
//
// With share=true calibrated, residual and bandit tell other nodes what they have learned from
// their own outcomes, and heed what those tell ([sched.Sharer]): what a newcomer knows
// nothing of, it believes of a majority. Others are never certain: each counts as 20 outcomes
// at most, all together as 80, so that own outcomes win in the end; what one says of itself is
// ignored; and each number is clipped around the median over all who know it. One that
// lies, be it alone with this node, changes no chance by more than 0.1; as long as fewer lie
// than not, this node counted, what is believed lies within that of what the others say.
// Several identities are several voices: share in a mesh whose members are known. A new
// function is left to the default during its warm-up all the same. sarsa and q-learning
// do not share: their values are of one node's own load and neighbours.
//
// # Pitfalls
//
// A policy learns for one node; another may see another mesh. What was learned is
// kept by [sched.Snapshotter]; a snapshot of other features or another version is an
// [ErrForeign], a damaged one an [ErrCorrupt]. Models are kept for 256 functions, the
// ones used last. sarsa and q-learning begin by exploring at random and
// are poor for minutes; with fallback=true the default takes over while they are.
package rl
