package main

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/libp2p/go-libp2p/core/peer"
)

// nameSize is how many characters of a peer ID's end are shown; the beginnings
// are all alike.
const nameSize = 6

// ellipsis stands for what a short name leaves out.
const ellipsis = "…"

// peerNames gives peers short names that tell them apart from one another.
type peerNames map[peer.ID]string

func namesOf(peers ...peer.ID) peerNames {
	names := peerNames{"": "-"}
	for size := nameSize; ; size++ {
		taken := map[string]peer.ID{}
		clash := false
		for _, p := range peers {
			full := p.String()
			name := full
			if len(full) > size {
				name = ellipsis + full[len(full)-size:]
			}
			if other, ok := taken[name]; ok && other != p {
				clash = true
			}
			taken[name] = p
			if p != "" {
				names[p] = name
			}
		}
		if !clash {
			return names
		}
	}
}

// fullName is what the user may have copied from a listing, as nodes take it.
func fullName(s string) string { return strings.TrimPrefix(s, ellipsis) }

// shown is a text that somebody else chose, as a terminal may get it.
func shown(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(s)
	}
	return s
}
