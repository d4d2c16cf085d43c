// Package host is the libp2p host of a node or of an SDK client: its identity,
// transports and limits, how it finds others and keeps connected to them, and
// who of them may do what.
//
//	key, err := host.LoadIdentity(filepath.Join(data, "identity.key"))
//	cfg := host.Default()
//	cfg.Key, cfg.Mesh = key, "default"
//	h, err := host.New(cfg)
//	h.Libp2p().SetStreamHandler(…)    // guarded by h.Access().Allow
//	unsubscribe := h.Subscribe(func(e host.Event) { … })
//	err = h.Start(ctx)
//	defer h.Close()
//
// A peer becomes a member when both sides of a connection have said hello
// rightly (package hello), and leaves with its last connection. It is found by
// mDNS, as a bootstrap peer, among the remembered ones, through a member by the
// mesh's DHT, or because it dials us. Found peers are dialled as long as there are
// not enough (64 nodes, or half of Limits.Conns in all).
//
// Nodes are also found by what they advertise:
//
//	h.Advertise([]string{"function/resize"})
//	for info := range h.Providers(ctx, "function/resize") { … }
//
// The machine's addresses are watched: when they change, mDNS begins anew, dead
// connections are closed, and lost peers are dialled at once.
//
// Pitfalls:
//
//   - Set stream handlers before Start: peers learn the list of protocols when
//     they connect.
//   - Nothing here may depend on the clocks of two machines being alike; see
//     certificate in tls.go.
//   - Closing the host that Libp2p gives is Close's business.
package host
