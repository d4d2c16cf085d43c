package sched

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Peer binds a peer ID, none by default.
func (s *Settings) Peer(field *peer.ID, key, meaning string) {
	s.bound = append(s.bound, binding{Parameter{key, "", "a peer ID", meaning}, func(text string) error {
		if text == "" {
			*field = ""
			return nil
		}
		id, err := peer.Decode(text)
		if err != nil {
			return fmt.Errorf("%w %s=%q: accepted is a peer ID: %w", ErrBadValue, key, text, err)
		}
		*field = id
		return nil
	}})
}
