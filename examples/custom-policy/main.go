// Custom-policy is a node with a policy of one's own, "zone-first": work that
// cannot start here goes to the least loaded node of this node's zone, and only
// to others if there is none. It takes the place of p2pfaas-node on each machine:
//
//	go run ./examples/custom-policy
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/sched"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, node.Default()); err != nil {
		log.Fatal(err)
	}
}

// policies are those of package sched, and ours.
func policies() sched.Registry {
	all := sched.Policies()
	all["zone-first"] = newZoneFirst
	return all
}

func run(ctx context.Context, cfg node.Config) error {
	cfg.Policy = "zone-first"
	n, err := node.NewWith(cfg, node.Parts{Policies: policies()})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	log.Printf("ready: %+v", n.Ready())
	<-ctx.Done()
	return n.Close()
}
