package node

import (
	"net"
	"net/http"
	"sync"
)

// unusedConns are HTTP connections over which nothing has come yet. Clients open
// some in advance; a server that shuts down would wait seconds for them.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

// state follows a connection; see [http.Server.ConnState].
func (u *unusedConns) state(c net.Conn, s http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s != http.StateNew {
		delete(u.conns, c)
		return
	}
	if u.conns == nil {
		u.conns = make(map[net.Conn]bool)
	}
	u.conns[c] = true
}

// close closes them.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close()
	}
}
