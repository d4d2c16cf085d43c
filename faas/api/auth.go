package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// Credentials are what HTTP basic authentication asks for.
type Credentials struct {
	User     string
	Password string
}

// Auth lets only requests with these credentials through to h; the others are
// answered 401. An empty password lets nobody through.
func Auth(h http.Handler, c Credentials) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Match(r) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Restricted"`)
		Error(w, r, http.StatusUnauthorized, "unauthorized", "invalid credentials", "")
	})
}

// Match tells whether r carries these credentials, in a time that does not
// depend on how much of them is right.
func (c Credentials) Match(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && c.Password != "" && equal(user, c.User)&equal(password, c.Password) == 1
}

// equal compares hashes, since ConstantTimeCompare tells the length of its
// arguments.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}
