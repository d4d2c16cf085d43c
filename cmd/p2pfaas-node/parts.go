package main

import (
	"maps"
	"math/rand/v2"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

// policies are all that can be had by name.
func policies() sched.Registry {
	all := sched.Policies()
	maps.Copy(all, rl.Policies())
	return all
}

// nodeParts are what a node has besides what package node makes.
func nodeParts() node.Parts {
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	return node.Parts{Policies: policies(), Learner: rl.NewTableLearner(chance)}
}
