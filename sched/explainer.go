package sched

import "github.com/libp2p/go-libp2p/core/peer"

// Explainer is a [Policy] that tells in words what it has learned, so that a person
// can check it.
type Explainer interface {
	Policy
	// Explain changes nothing, and says the same each time until the next outcome. Of
	// single peers it tells of those named. It is for people: it may allocate.
	Explain(peers []peer.ID) []Explanation
}

// Explanation is what was learned of one function. What is said comes from asking
// what was learned, not from keeping books.
type Explanation struct {
	// Function is "" if it is of all functions.
	Function string `json:"function"`
	// Outcomes is from how many, those before an import included.
	Outcomes  uint64     `json:"outcomes"`
	Sentences []Sentence `json:"sentences"`
}

// Sentence is one thing that was learned.
type Sentence struct {
	// Peer is whom it is of, "" if of none.
	Peer peer.ID `json:"peer,omitempty"`
	Text string  `json:"text"`
}
