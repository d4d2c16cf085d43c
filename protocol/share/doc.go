// Package share carries what nodes tell each other of what they have learned: the
// GossipSub topic /p2pfaas/MESH/learning/1. A node joins it only while it shares, and
// leaves what is said to whoever says it: to the topic it is some bytes of a known
// origin, later than those before.
//
//	topic, err := share.NewTopic(host, share.Config{Mesh: "home", Own: policy.Share, …})
//	err = topic.Start(ctx)
//	defer topic.Close()
//
// The topic has streams of its own, /p2pfaas/learning/1.0.0, beside those of the load
// topic: who does not share has nothing to do with it, and much being said here is
// no reason to hear less there.
//
// Pitfall: a statement is certain to be its signer's and not one from before, but not
// to be true. Whoever takes it in must see to it that a lie does no harm.
package share
