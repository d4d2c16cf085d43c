package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/node/mesh"
)

const (
	// settleLimit is the virtual time within which all nodes should have met.
	settleLimit = time.Minute
	settleEvery = 100 * time.Millisecond
)

// Peers are the members that node i knows.
func (m *Mesh) Peers(i int) []mesh.PeerStatus {
	m.t.Helper()
	a := m.Do(i, httptest.NewRequest(http.MethodGet, "/system/peers", nil))
	var list []mesh.PeerStatus
	if err := json.Unmarshal([]byte(a.Body), &list); err != nil {
		m.t.Fatalf("peers of node %d: %v in %q", i, err, a.Body)
	}
	return list
}

// Settle waits, in virtual time, until each living node would send work to every
// other and knows its functions; it fails the test if that takes a minute.
func (m *Mesh) Settle() {
	m.t.Helper()
	for end := time.Now().Add(settleLimit); ; time.Sleep(settleEvery) {
		missing := m.unsettled()
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("not within %v: %s", settleLimit, missing)
		}
	}
}

// unsettled says what is missing, "" if nothing.
func (m *Mesh) unsettled() string {
	m.t.Helper()
	for i := range m.members {
		if m.members[i].dead {
			continue
		}
		known := m.Peers(i)
		for j, other := range m.members {
			if i != j && !other.dead && !knows(known, m.ID(j), other.functions) {
				return fmt.Sprintf("node %d knows node %d and its functions %v", i, j, other.functions)
			}
		}
	}
	return ""
}

func knows(known []mesh.PeerStatus, id string, functions []string) bool {
	return slices.ContainsFunc(known, func(p mesh.PeerStatus) bool {
		return p.ID.String() == id && p.Candidate && !slices.ContainsFunc(functions, func(f string) bool {
			return !slices.Contains(p.Functions, f)
		})
	})
}
