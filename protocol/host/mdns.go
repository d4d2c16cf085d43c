package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	again    chan struct{}       // holds one: begin anew

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newDiscovery(h corehost.Host, mesh string, announce bool, heard func(peer.AddrInfo)) *discovery {
	return &discovery{host: h, service: "_p2pfaas-" + mesh + "._udp", announce: announce, heard: heard, again: make(chan struct{}, 1)}
}

// start begins; a failure is logged and tried again when an address changes.
func (d *discovery) start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.wg.Go(func() { d.run(ctx) })
}

// restart begins anew: the machine's addresses have changed. Sockets have joined
// the multicast groups of the interfaces that there were when they were opened.
func (d *discovery) restart() {
	select {
	case d.again <- struct{}{}:
	default:
	}
}

func (d *discovery) close() {
	if d.cancel != nil {
		d.cancel()
	}
	d.wg.Wait()
}

// run announces and browses, in rounds that end when restart is called. One that
// fails is tried again every retryEvery.
func (d *discovery) run(ctx context.Context) {
	quiet := false // the same trouble is told once
	for ctx.Err() == nil {
		round, stop := context.WithCancel(ctx)
		failed := make(chan error, 1)
		d.wg.Go(func() { failed <- d.round(round) })
		err := d.untilOver(ctx, failed)
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
		_ = d.untilOver(retry, nil)
		stop()
	}
}

// untilOver returns when restart is called, ctx ends, or something fails.
func (d *discovery) untilOver(ctx context.Context, failed <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.again:
		return nil
	case err := <-failed:
		return err
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
	addrs, err := listenAddrs(d.host.Network())
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
