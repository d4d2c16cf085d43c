package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	mdnsDomain = "local"
	// mdnsPort must be given and is read by nobody: the addresses are in the text
	// records (libp2p/specs discovery/mdns.md).
	mdnsPort = 4001
	// mdnsText precedes each address there.
	mdnsText = "dnsaddr="
	// interfacesEvery is how often the machine's addresses are looked at.
	interfacesEvery = 2 * time.Second
	// retryEvery is how often a network that has no multicast is tried.
	retryEvery = 15 * time.Second
)

// discovery announces the host on the local network and hears of others. It
// speaks the mDNS of libp2p (service name, text records) on the same library as
// libp2p's own package; that one neither shows us announcements under our own
// peer ID nor keeps public addresses out.
type discovery struct {
	host     corehost.Host
	service  string
	announce bool
	heard    func(peer.AddrInfo) // also of the host's own announcements; MUST NOT block

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newDiscovery(h corehost.Host, mesh string, announce bool, heard func(peer.AddrInfo)) *discovery {
	return &discovery{host: h, service: "_p2pfaas-" + mesh + "._udp", announce: announce, heard: heard}
}

// start begins; a failure is logged and tried again when an address changes.
func (d *discovery) start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.wg.Go(func() { d.run(ctx) })
}

func (d *discovery) close() {
	if d.cancel != nil {
		d.cancel()
	}
	d.wg.Wait()
}

// run restarts announcing and browsing whenever the machine's addresses change:
// sockets join the multicast groups of the interfaces that are there when they
// are opened. A round that fails is tried again every retryEvery.
func (d *discovery) run(ctx context.Context) {
	quiet := false // the same trouble is told once
	for ctx.Err() == nil {
		known := interfaceAddrs()
		round, stop := context.WithCancel(ctx)
		failed := make(chan error, 1)
		d.wg.Go(func() { failed <- d.round(round) })
		err := untilChanged(ctx, known, failed)
		stop()
		if err == nil {
			<-failed
			quiet = false
			continue
		}
		if !quiet {
			log.Warnw("no discovery on the local network; use --bootstrap, or see that it has multicast", "err", err)
		}
		quiet = true
		retry, stop := context.WithTimeout(ctx, retryEvery)
		_ = untilChanged(retry, known, nil)
		stop()
	}
}

// round announces and browses until ctx ends.
func (d *discovery) round(ctx context.Context) error {
	if d.announce {
		server, err := d.register()
		if err != nil {
			return fmt.Errorf("announce by mDNS: %w", err)
		}
		defer server.Shutdown()
	}
	entries := make(chan *zeroconf.ServiceEntry, 64)
	browsed, listened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(listened)
		d.listen(entries, browsed)
	}()
	err := zeroconf.Browse(ctx, d.service, mdnsDomain, entries)
	close(browsed)
	<-listened
	if err != nil {
		return fmt.Errorf("browse by mDNS: %w", err)
	}
	return nil
}

// listen ends when browsing has, which closes entries only if it had begun.
func (d *discovery) listen(entries <-chan *zeroconf.ServiceEntry, browsed <-chan struct{}) {
	for {
		select {
		case e, ok := <-entries:
			if !ok {
				return
			}
			d.hear(e.Text)
		case <-browsed:
			return
		}
	}
}

func (d *discovery) register() (*zeroconf.Server, error) {
	addrs, err := d.host.Network().InterfaceListenAddresses()
	if err != nil {
		return nil, err
	}
	texts, ips := announcement(d.host.ID(), addrs)
	if len(texts) == 0 {
		return nil, errors.New("the host listens on no address of the local network")
	}
	name := instanceName()
	return zeroconf.RegisterProxy(name, d.service, mdnsDomain, mdnsPort, name, ips, texts, nil)
}

// announcement is what to announce: addresses of the local network, since an
// open mesh admits nobody by another. Loopback ones only if there are no others:
// on another machine they would lead nowhere.
func announcement(id peer.ID, addrs []multiaddr.Multiaddr) (texts, ips []string) {
	local := slices.DeleteFunc(slices.Clone(addrs), func(a multiaddr.Multiaddr) bool { return !isLocal(a) })
	if lan := slices.DeleteFunc(slices.Clone(local), manet.IsIPLoopback); len(lan) > 0 {
		local = lan
	}
	suffix := "/p2p/" + id.String()
	for _, a := range local {
		texts = append(texts, mdnsText+a.String()+suffix)
		first, _ := multiaddr.SplitFirst(a)
		if ip := first.Value(); !slices.Contains(ips, ip) {
			ips = append(ips, ip)
		}
	}
	return texts, ips
}

// instanceName is random, so that a restarted node is heard as a new instance at
// once instead of when the old one's record has expired.
func instanceName() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

// hear passes on the peers of one announcement. Anybody on the network can send
// it: what does not parse is dropped.
func (d *discovery) hear(texts []string) {
	for _, info := range parseAnnouncement(texts) {
		d.heard(info)
	}
}

func parseAnnouncement(texts []string) []peer.AddrInfo {
	var addrs []multiaddr.Multiaddr
	for _, t := range texts[:min(len(texts), 64)] {
		value, ok := strings.CutPrefix(t, mdnsText)
		if !ok {
			continue
		}
		a, err := multiaddr.NewMultiaddr(value)
		if err == nil && isLocal(a) {
			addrs = append(addrs, a)
		}
	}
	infos, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil {
		return nil
	}
	return infos
}

// interfaceAddrs are the machine's addresses with their interfaces, sorted.
func interfaceAddrs() []string {
	var all []string
	ifaces, _ := net.Interfaces() // none is a state like any other
	for _, i := range ifaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			all = append(all, i.Name+" "+a.String())
		}
	}
	slices.Sort(all)
	return all
}

// untilChanged returns when the machine's addresses are not those known, or ctx
// ends, or something fails.
func untilChanged(ctx context.Context, known []string, failed <-chan error) error {
	tick := time.NewTicker(interfacesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-tick.C:
			if !slices.Equal(known, interfaceAddrs()) {
				return nil
			}
		}
	}
}
