// Package lan is a local network for tests and experiments: machines that are
// network namespaces of this kernel, joined by an Ethernet switch in user space.
// Each machine has a loopback and an eth0, a TAP device whose frames the switch
// carries; it floods multicast, so that mDNS works. What the kernel's traffic
// control would do is done by the switch: between any two machines it delays,
// loses or silently drops frames, by rules that change at any moment.
//
//	net, err := lan.Open()
//	defer net.Close()
//	a, err := net.Machine()
//	b, err := net.Machine()
//	net.Delay(a, b, 3*time.Millisecond) // one way
//	cmd := a.Command("p2pfaas-node", "run")
//	conn, err := b.Dial(ctx, "tcp", "127.0.0.1:18080") // from b
//	net.Cut(a, b) // no reset, no loss of carrier: as behind a dead switch
//	net.Heal()
//
// It takes Linux, root, the program ip (Debian package iproute2) and
// /dev/net/tun. Tests use it through nodetest.NewNetwork.
//
// Pitfalls: what runs on the machines must end before Close, which removes only
// the network; a namespace lives on as long as a process is in it. A program
// that dies before Close leaves its namespaces, and what runs in them, to the
// next Open, which clears them away. Machines share this kernel's CPU and disk.
// Delays are accurate to about a millisecond.
package lan
