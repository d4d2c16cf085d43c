package socket

import "io"

// Receive reads once from the descriptor that the Read method of a
// [syscall.RawConn] has called its function with. It does not wait: the error is
// syscall.EAGAIN if there is nothing yet. At the end of the stream it is io.EOF.
func Receive(fd uintptr, p []byte) (int, error) {
	n, err := receive(fd, p)
	switch {
	case err != 0:
		return 0, err
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}
