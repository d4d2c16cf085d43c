package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

const (
	maxRemembered     = 256 // peers
	maxAddrs          = 8   // per peer
	maxBookFile       = 1 << 20
	bookWriteInterval = 3 * time.Second
)

// book remembers peers in a file, the most recently seen first. It stores no
// times: a clock may have been wrong then, or be wrong now.
type book struct {
	path string

	mu      sync.Mutex // guards what follows
	entries []peer.AddrInfo
	dirty   bool
}

// entry is a peer as the file has it.
type entry struct {
	ID    string   `json:"id"`
	Addrs []string `json:"addrs"`
}

// openBook reads the file at path, "" for none. A damaged file is an error that
// the caller may log: the book is usable, empty, and will replace it.
func openBook(path string) (*book, error) {
	b := &book{path: path}
	if path == "" {
		return b, nil
	}
	var err error
	b.entries, err = readBook(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return b, fmt.Errorf("read remembered peers: %w", err)
	}
	return b, nil
}

func readBook(path string) ([]peer.AddrInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBookFile {
		return nil, fmt.Errorf("%s has %d bytes: at most %d are read", path, info.Size(), maxBookFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseBook(data)
}

// parseBook drops what it does not understand within a valid list: a later
// version may have written it.
func parseBook(data []byte) ([]peer.AddrInfo, error) {
	var list []entry
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	var infos []peer.AddrInfo
	for _, e := range list[:min(len(list), maxRemembered)] {
		id, err := peer.Decode(e.ID)
		known := slices.ContainsFunc(infos, func(i peer.AddrInfo) bool { return i.ID == id })
		if addrs := parseAddrs(e.Addrs); err == nil && !known && len(addrs) > 0 {
			infos = append(infos, peer.AddrInfo{ID: id, Addrs: addrs})
		}
	}
	return infos, nil
}

func parseAddrs(list []string) []multiaddr.Multiaddr {
	var addrs []multiaddr.Multiaddr
	for _, s := range list[:min(len(list), maxAddrs)] {
		if a, err := multiaddr.NewMultiaddr(s); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// seen puts a peer first, with new addresses if there are any.
func (b *book) seen(info peer.AddrInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(info.ID)
	if i >= 0 && len(info.Addrs) == 0 {
		info.Addrs = b.entries[i].Addrs
	}
	if len(info.Addrs) == 0 {
		return
	}
	info.Addrs = slices.Clone(info.Addrs[:min(len(info.Addrs), maxAddrs)])
	if i == 0 && slices.EqualFunc(info.Addrs, b.entries[0].Addrs, multiaddr.Multiaddr.Equal) {
		return
	}
	if i >= 0 {
		b.entries = slices.Delete(b.entries, i, i+1)
	}
	b.entries = slices.Insert(b.entries, 0, info)
	b.entries = b.entries[:min(len(b.entries), maxRemembered)]
	b.dirty = true
}

// forget removes a peer that turned out to belong elsewhere.
func (b *book) forget(p peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.find(p); i >= 0 {
		b.entries = slices.Delete(b.entries, i, i+1)
		b.dirty = true
	}
}

// list is a copy, the most recently seen first.
func (b *book) list() []peer.AddrInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.entries)
}

func (b *book) find(p peer.ID) int {
	return slices.IndexFunc(b.entries, func(i peer.AddrInfo) bool { return i.ID == p })
}

// save writes the file if anything changed since the last time.
func (b *book) save() error {
	data, err := b.encode()
	if data == nil || err != nil {
		return err
	}
	if err := replaceFile(b.path, data); err != nil {
		return fmt.Errorf("remember peers: %w", err)
	}
	return nil
}

func (b *book) encode() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.dirty || b.path == "" {
		return nil, nil
	}
	b.dirty = false
	list := make([]entry, 0, len(b.entries))
	for _, info := range b.entries {
		e := entry{ID: info.ID.String()}
		for _, a := range info.Addrs {
			e.Addrs = append(e.Addrs, a.String())
		}
		list = append(list, e)
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("remember peers: %w", err)
	}
	return append(data, '\n'), nil
}
