package rl

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/libp2p/go-libp2p/core/peer"
)

var (
	// ErrCorrupt: a snapshot is damaged, or was never one.
	ErrCorrupt = errors.New("corrupt snapshot")
	// ErrForeign: a snapshot is whole, but of another policy, of another form of
	// it, or of another version.
	ErrForeign = errors.New("foreign snapshot")
)

// MaxSnapshot bounds the bytes of a snapshot.
const MaxSnapshot = 32 << 20

// snapshotVersion is that of the format.
const snapshotVersion = 1

// snapshot is a policy's knowledge with what tells whether it can be used.
type snapshot struct {
	Version int    `json:"version"`
	Policy  string `json:"policy"`
	// Features is a hash over what is learned, and from what.
	Features string `json:"features"`
	// Sum is the IEEE CRC-32 of Knowledge.
	Sum       uint32          `json:"sum"`
	Knowledge json.RawMessage `json:"knowledge"`
}

func pack(policy, features string, knowledge any) ([]byte, error) {
	raw, err := json.Marshal(knowledge)
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", policy, err)
	}
	return json.Marshal(snapshot{snapshotVersion, policy, digest(features), crc32.ChecksumIEEE(raw), raw})
}

// unpack reads what pack wrote into knowledge.
func unpack(data []byte, policy, features string, knowledge any) error {
	s, err := readSnapshot(data)
	switch {
	case err != nil:
		return err
	case s.Policy != policy:
		return fmt.Errorf("%w: of policy %q, this is %q", ErrForeign, s.Policy, policy)
	case s.Features != digest(features):
		return fmt.Errorf("%w: of features %s, here they are %s (%s)", ErrForeign, s.Features, digest(features), features)
	}
	if err := json.Unmarshal(s.Knowledge, knowledge); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// readSnapshot reads all but the knowledge.
func readSnapshot(data []byte) (s snapshot, err error) {
	if len(data) > MaxSnapshot {
		return s, fmt.Errorf("%w: %d bytes are more than %d", ErrCorrupt, len(data), MaxSnapshot)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	switch {
	case s.Version != snapshotVersion:
		return s, fmt.Errorf("%w: version %d, this is %d", ErrForeign, s.Version, snapshotVersion)
	case s.Sum != crc32.ChecksumIEEE(s.Knowledge):
		return s, fmt.Errorf("%w: the checksum is wrong", ErrCorrupt)
	}
	return s, nil
}

func digest(features string) string { return fmt.Sprintf("%016x", hash(features)) }

// key is a peer ID as the key of an object: of any bytes, as IDs in simulations are
// not of keys. It is no string, as package json would not ask that for its text.
type key struct{ id peer.ID }

// MarshalText implements encoding.TextMarshaler.
func (k key) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString([]byte(k.id))), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *key) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("peer %q: %w", text, err)
	}
	k.id = peer.ID(raw)
	return nil
}

// mostWeight bounds a weight that is believed.
const mostWeight = 1e6

// checkWeight tells what is wrong with a weight.
func checkWeight(x float64) error {
	if !(math.Abs(x) <= mostWeight) {
		return fmt.Errorf("weight %v is beyond %v", x, float64(mostWeight))
	}
	return nil
}

// checkCount tells what is wrong with a number of things.
func checkCount(count, most int, things string) error {
	if count > most {
		return fmt.Errorf("%d %s are more than %d", count, things, most)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
