package host

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	kad "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	kadrecords "github.com/libp2p/go-libp2p-kad-dht/records"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multihash"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

const (
	// replicas is Kademlia's k: how many nodes keep a record, and the size of a
	// bucket. The library's 20 is for networks of strangers who come and go.
	replicas = 8
	// recordLife is how long a record is believed by who keeps it, on its own
	// clock; provideEvery how often it is made anew.
	recordLife   = 10 * time.Minute
	provideEvery = 4 * time.Minute
	// lookupTime bounds one round of lookups or records.
	lookupTime = 5 * time.Second
	// maxProvided bounds the keys that one node advertises.
	maxProvided = 1024
)

// directory is the mesh's own Kademlia DHT: it holds records of which nodes
// there are and who provides what. It speaks with members only, and never dials:
// whom it hears of goes to the dialler.
type directory struct {
	host *Host
	kept *records
	news chan struct{} // holds one: somebody came
	keys chan struct{} // holds one: there is more to advertise

	kad    *kad.IpfsDHT // nil before start
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex // guards what follows
	provided map[string]*provision
}

// provision is one key that this node advertises.
type provision struct {
	at      time.Time // zero: not yet
	members int       // that there were then
}

func newDirectory(h *Host) *directory {
	d := &directory{host: h, kept: newRecords(), news: make(chan struct{}, 1), keys: make(chan struct{}, 1)}
	d.advertise(nil)
	return d
}

// start begins. Call it before the host listens, so that peers are told of the
// protocol when they connect.
func (d *directory) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	mode := kad.ModeServer
	if d.host.cfg.Client {
		mode = kad.ModeClient
	}
	var err error
	d.kad, err = kad.New(membersOnly{d.host.host, d.host.access, ctx},
		kad.ProtocolPrefix(d.prefix()), kad.Mode(mode), kad.DisableValues(), kad.BucketSize(replicas),
		// Its refresh walks the whole network to find neighbours. Members are put
		// into the table as they join instead.
		kad.DisableAutoRefresh(),
		kad.ProviderDatastore(d.kept.datastore()),
		kad.ProviderManagerOpts(kadrecords.ProvideValidity(recordLife), kadrecords.ProviderAddrTTL(recordLife), kadrecords.CleanupInterval(recordLife/2)),
		kad.RoutingTableFilter(func(_ any, p peer.ID) bool { return d.serves(p) }),
		kad.QueryFilter(func(_ any, info peer.AddrInfo) bool { return d.serves(info.ID) || d.heard(info) }),
		kad.AddressFilter(lanAddrs),
		kad.OnRequestHook(d.requested),
	)
	if err != nil {
		cancel()
		return fmt.Errorf("start the DHT: %w", err)
	}
	d.wg.Go(func() { d.run(ctx) })
	return nil
}

func (d *directory) close() error {
	if d.kad == nil {
		return nil
	}
	d.cancel()
	d.wg.Wait()
	return d.kad.Close()
}

func (d *directory) prefix() protocol.ID { return protocol.ID("/p2pfaas/" + d.host.cfg.Mesh) }

// serves tells whether p is a node of the mesh, which answers lookups.
func (d *directory) serves(p peer.ID) bool {
	m, ok := d.host.members.get(p)
	return ok && m.Role == hello.Member
}

// met is told when a peer has said hello, and when it has said what it speaks,
// in whichever order these come.
func (d *directory) met(p peer.ID) {
	if d.kad != nil && d.enter(p) {
		stir(d.news)
	}
}

// enter takes a member that speaks the DHT's protocol into the routing table,
// and tells whether it is new there.
func (d *directory) enter(p peer.ID) bool {
	if !d.serves(p) {
		return false
	}
	spoken, err := d.host.host.Peerstore().FirstSupportedProtocol(p, d.prefix()+"/kad/1.0.0")
	if err != nil || spoken == "" {
		return false
	}
	added, err := d.kad.RoutingTable().TryAddPeer(p, true, false)
	return added && err == nil // an error is a full bucket: there are enough like p
}

// presume takes a member into the routing table that has not told what it speaks:
// libp2p asks once for each connection, and a busy machine may answer too late. Where
// that is the only member known nobody else would ever be found. One that does
// not speak the DHT's protocol leaves the table with the first question.
func (d *directory) presume(p peer.ID) {
	if d.kad == nil || !d.serves(p) {
		return
	}
	if _, err := d.host.host.Peerstore().Get(p, "AgentVersion"); err == nil {
		return // it has told
	}
	if added, err := d.kad.RoutingTable().TryAddPeer(p, true, false); added && err == nil {
		stir(d.news)
	}
}

// left takes a peer out: a lookup must not wait for one that is gone.
func (d *directory) left(p peer.ID) {
	if d.kad != nil {
		d.kad.RoutingTable().RemovePeer(p)
	}
}

// stir makes a round happen soon.
func stir(why chan struct{}) {
	select {
	case why <- struct{}{}:
	default:
	}
}

// heard gives a peer that a member knows to the dialler. It is not asked in this
// lookup: who has not said hello is not spoken with.
func (d *directory) heard(info peer.AddrInfo) (ask bool) {
	info.Addrs = lanAddrs(info.Addrs)
	known := info.ID == d.host.ID() || d.host.host.Network().Connectedness(info.ID) == network.Connected
	if !known && len(info.Addrs) > 0 && !d.host.crowded() {
		d.host.dialler.want(info, found)
	}
	return false
}

// requested sees each request before it is answered, and takes from those of
// clients what they would have us keep.
func (d *directory) requested(_ context.Context, s network.Stream, req *pb.Message) {
	if req.GetType() == pb.Message_ADD_PROVIDER && !d.serves(s.Conn().RemotePeer()) {
		req.ProviderPeers = nil
	}
}

// lanAddrs are those of addrs that an open mesh admits, few enough for a record:
// loopback ones only if there are no others, as on another machine they would
// lead nowhere.
func lanAddrs(addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	local := slices.DeleteFunc(slices.Clone(addrs), func(a multiaddr.Multiaddr) bool { return a == nil || !isLocal(a) })
	if lan := slices.DeleteFunc(slices.Clone(local), manet.IsIPLoopback); len(lan) > 0 {
		local = lan
	}
	return local[:min(len(local), maxAddrs)]
}

// advertise replaces the keys under which this node is to be found, besides the
// one of the mesh.
func (d *directory) advertise(keys []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := make(map[string]*provision, len(keys)+1)
	fresh := false
	for _, k := range append([]string{rendezvousKey}, keys[:min(len(keys), maxProvided)]...) {
		p := d.provided[k]
		if p == nil {
			p, fresh = new(provision), true
		}
		next[k] = p
	}
	d.provided = next
	if fresh {
		stir(d.keys)
	}
}

// providers yields the peers other than this one that advertise a key, as they
// are found, until ctx ends or all were asked that may know.
func (d *directory) providers(ctx context.Context, key string) iter.Seq[peer.AddrInfo] {
	return func(yield func(peer.AddrInfo) bool) {
		if d.kad == nil || d.kad.RoutingTable().Size() == 0 {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		found := d.kad.FindProvidersAsync(ctx, d.id(key), 0)
		defer func() {
			cancel()
			for range found { // its sender waits for us or for ctx
			}
		}()
		for info := range found {
			info.Addrs = lanAddrs(info.Addrs)
			if info.ID != d.host.ID() && !yield(info) {
				return
			}
		}
	}
}

// id is a key's place in the DHT. Meshes that get connected by mistake have
// nothing in common there.
func (d *directory) id(key string) cid.Cid {
	sum := sha256.Sum256([]byte(string(d.prefix()) + "/" + key))
	mh, err := multihash.Encode(sum[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // only for an unknown code
	}
	return cid.NewCidV1(cid.Raw, mh)
}
