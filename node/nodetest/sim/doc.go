// Package sim runs whole nodes on a simulated network in virtual time: real
// libp2p hosts, QUIC, gossip and DHT, policies and HTTP routes; only packets, the
// clock and the functions are made up. Seconds of a mesh take a fraction of one.
//
//	synctest.Test(t, func(t *testing.T) {
//		m := sim.NewMesh(t, 3, sim.Options{})
//		m.Deploy(1, sim.Function{Name: "resize", Service: 100 * time.Millisecond})
//		m.Settle()
//		answer := m.Call(0, "resize", "picture")
//	})
//
// Pitfalls:
//
//   - Everything that a node waits for has to be made inside the bubble of
//     synctest. A socket of the machine is not: use Call, or the node's Handler
//     with httptest, rather than HTTP over TCP.
//   - Only what waits takes time: computing takes none, so nothing is learnt here of
//     how fast the code is. Time that passes is the network's and the functions'.
//   - The order of goroutines stays free. Assert on results and on ranges of time.
//   - A connection is QUIC. TCP, mDNS and address changes need real networks:
//     packages nodetest and lan.
package sim
