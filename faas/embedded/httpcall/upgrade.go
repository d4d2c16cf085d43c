package httpcall

import "io"

// upgraded carries raw bytes after status 101. Cancelling the call's context
// closes it.
type upgraded struct{ a *answer }

func (u upgraded) Read(p []byte) (int, error) {
	n, err := u.a.conn.take(p)
	if err != nil && err != io.EOF {
		err = u.a.explain(err)
	}
	return n, err
}

func (u upgraded) Write(p []byte) (int, error) { return u.a.conn.Write(p) }

// CloseWrite tells the function that no more will come.
func (u upgraded) CloseWrite() error {
	if half, ok := u.a.conn.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return u.a.Close()
}

func (u upgraded) Close() error { return u.a.Close() }
