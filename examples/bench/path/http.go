package path

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
)

// httpClient calls with net/http.
type httpClient struct {
	url string
	via *http.Transport
}

// HTTP returns a client of a URL. trust is for https; with http2 it insists on
// HTTP/2, else on HTTP/1.1.
func HTTP(url string, trust *tls.Config, http2 bool) Client {
	via := &http.Transport{
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     5 * time.Minute,
		DisableCompression:  true,
		WriteBufferSize:     bufferSize,
		ReadBufferSize:      bufferSize,
		TLSClientConfig:     trust.Clone(), // each transport adds its protocols
		Protocols:           new(http.Protocols),
	}
	via.Protocols.SetHTTP1(!http2)
	via.Protocols.SetHTTP2(http2 && trust != nil)
	via.Protocols.SetUnencryptedHTTP2(http2 && trust == nil)
	return &httpClient{url: url, via: via}
}

func (c *httpClient) Call(ctx context.Context, x *Exchange) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, x.Reader())
	if err != nil {
		return err
	}
	resp, err := c.via.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return x.CompareAll(resp.Body)
}

func (c *httpClient) Close() error {
	c.via.CloseIdleConnections()
	return nil
}
