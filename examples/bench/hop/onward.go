package hop

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// function calls the function with net/http.
type function struct {
	url string
	via *http.Transport
}

func callTo(addr string) *function { return &function{url: "http://" + addr, via: transport(nil)} }

func (f *function) close() { f.via.CloseIdleConnections() }

// answer is a body of known length.
type answer struct {
	io.ReadCloser
	size int64
}

// call sends n bytes, or as many as there are if n is -1.
func (f *function) call(ctx context.Context, body io.Reader, n int64) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, body)
	if err != nil {
		return answer{}, err
	}
	if req.ContentLength = n; n == 0 {
		req.Body = http.NoBody
	}
	resp, err := f.via.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		defer resp.Body.Close()
		return answer{}, fmt.Errorf("function: %s, length %d", resp.Status, resp.ContentLength)
	}
	return answer{resp.Body, resp.ContentLength}, nil
}

// readAll reads an answer whole.
func readAll(a answer) ([]byte, error) {
	all := make([]byte, a.size)
	_, err := io.ReadFull(a, all)
	return all, err
}
