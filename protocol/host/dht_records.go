package host

import (
	"context"

	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/sync"
)

const (
	// maxRecords bounds what this node keeps for the DHT, about 200 bytes each.
	maxRecords = 16384
	// recordsPerPeer is the share of one provider: what it advertises, and the mesh.
	recordsPerPeer = maxProvided + 1
)

// records is the memory of the DHT, with bounds: a member could advertise for
// ever. It is not locked.
type records struct {
	*datastore.MapDatastore
	kept    map[datastore.Key]struct{}
	perPeer map[string]int
	full    bool // it was told
}

func newRecords() *records {
	return &records{MapDatastore: datastore.NewMapDatastore(), kept: make(map[datastore.Key]struct{}), perPeer: make(map[string]int)}
}

// datastore is r for several goroutines.
func (r *records) datastore() datastore.Batching { return sync.MutexWrap(r) }

// Put keeps a record, or not: an error for one too many would be logged by the
// library each time.
func (r *records) Put(ctx context.Context, key datastore.Key, value []byte) error {
	if _, again := r.kept[key]; !again {
		if len(r.kept) >= maxRecords || r.perPeer[provider(key)] >= recordsPerPeer {
			r.tell()
			return nil
		}
		r.kept[key] = struct{}{}
		r.perPeer[provider(key)]++
	}
	return r.MapDatastore.Put(ctx, key, value)
}

// Delete removes a record.
func (r *records) Delete(ctx context.Context, key datastore.Key) error {
	if _, ok := r.kept[key]; ok {
		delete(r.kept, key)
		if r.perPeer[provider(key)]--; r.perPeer[provider(key)] == 0 {
			delete(r.perPeer, provider(key))
		}
	}
	return r.MapDatastore.Delete(ctx, key)
}

// Batch is of records, not of what it embeds.
func (r *records) Batch(context.Context) (datastore.Batch, error) {
	return datastore.NewBasicBatch(r), nil
}

func (r *records) tell() {
	if !r.full {
		log.Warnw("records of the DHT are dropped: there are too many", "most", maxRecords, "most_per_peer", recordsPerPeer)
	}
	r.full = true
}

// provider is whose record it is: keys are /providers/KEY/PEER.
func provider(key datastore.Key) string { return key.BaseNamespace() }
