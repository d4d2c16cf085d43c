package schedtest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Now is the time of every built view; loads of built neighbours are of that moment.
const Now = time.Minute

// ID makes a peer ID of a name. It is not the ID of any key.
func ID(name string) peer.ID { return peer.ID(name) }

// View puts a moment together: neighbours sorted, chance from seed.
func View(seed uint64, self sched.Self, neighbours ...sched.Neighbour) *sched.View {
	sorted := slices.Clone(neighbours)
	slices.SortFunc(sorted, func(a, b sched.Neighbour) int { return cmp.Compare(a.ID, b.ID) })
	return &sched.View{
		Now:        Now,
		Rand:       rand.New(rand.NewPCG(seed, 0)),
		Self:       self,
		Neighbours: sorted,
	}
}

// Self is a node named "self" that has the function, warm, of known service
// time, and so many invocations in its care. It has a server free if these are
// fewer than servers, and always room.
func Self(servers, invocations int, service time.Duration) sched.Self {
	l := loadOf(servers, invocations, service)
	return sched.Self{
		ID:       ID("self"),
		Load:     l,
		Residual: min(l.Wait, service/time.Duration(max(1, servers))),
		Free:     invocations < servers,
		Room:     true,
		Deployed: true,
		Service:  Service(service),
		Warm:     true,
	}
}

// Neighbour is a well and honest peer that has the function, warm, and
// reported at [Now].
func Neighbour(name string, rtt time.Duration, servers, invocations int, service time.Duration) sched.Neighbour {
	return sched.Neighbour{
		ID:      ID(name),
		RTT:     rtt,
		Health:  1,
		Honesty: 1,
		Load:    loadOf(servers, invocations, service),
		Sampled: Now,
		Service: Service(service),
		Warm:    true,
	}
}

// Load is of a node of nominal speed that serves what it can and queues the
// rest; it does not say how long a newcomer waits.
func Load(servers, invocations int) sched.Load {
	running := min(servers, invocations)
	return sched.Load{Servers: servers, Running: running, Queued: invocations - running, Speed: 1}
}

// loadOf tells the wait of memoryless services, too.
func loadOf(servers, invocations int, service time.Duration) sched.Load {
	l := Load(servers, invocations)
	l.Wait = time.Duration(max(0, invocations-servers+1)) * service / time.Duration(max(1, servers))
	return l
}

// Service is of an exponential law with that mean, unmeasured if 0.
func Service(mean time.Duration) sched.Service {
	return sched.Service{Mean: mean, P10: mean / 10, Spread: 1}
}

// Request is one without deadline that came along these nodes, none if it
// entered here.
func Request(visited ...string) *sched.Request {
	r := &sched.Request{Function: "work", BodySize: -1, Weight: 1, Hops: len(visited)}
	for _, name := range visited {
		r.Visited = append(r.Visited, ID(name))
	}
	return r
}
