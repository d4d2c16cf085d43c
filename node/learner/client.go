package learner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Config says where a learner is.
type Config struct {
	// URL is where it takes rewards, and questions unless Socket says otherwise:
	// http or https, with "user:password@" before the host if need be.
	URL string
	// Socket is where it takes questions: ws or wss. "" asks at URL.
	Socket string
}

// Client asks a learner elsewhere. It is safe for concurrent use. Its goroutine
// runs from Start to Close.
type Client struct {
	url     string
	http    http.Client
	sockets *sockets // nil: over HTTP
	rewards *rewards
	counts  counts
	health  health

	stop  context.CancelFunc
	ended chan struct{}
}

// maxIdle bounds the connections that are kept for the next questions.
const maxIdle = 20

// NewClient makes a Client for the learner there; nothing is sent yet.
func NewClient(c Config) *Client {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConns: 2 * maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute,
	}
	client := &Client{url: strings.TrimSuffix(c.URL, "/"), rewards: newRewards(), ended: make(chan struct{})}
	client.http = http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects elsewhere; name that place instead")
	}}
	if c.Socket != "" {
		client.sockets = &sockets{url: c.Socket, http: &http.Client{Transport: transport}}
	}
	return client
}

// Start begins to post rewards.
func (c *Client) Start() {
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	go func() { // ends with Close
		defer close(c.ended)
		c.posting(ctx)
	}()
}

// Close gives the learner a moment to take what is left, and ends. Questions fail
// from then on.
func (c *Client) Close() error {
	if c.stop != nil {
		c.stop()
		<-c.ended
	}
	if c.sockets != nil {
		c.sockets.close()
	}
	c.http.CloseIdleConnections()
	return nil
}

// Ask puts a question, and returns the answer or, when there is none within its
// time, a zero Advice.
func (c *Client) Ask(ctx context.Context, q *sched.Question) sched.Advice {
	ctx, cancel := context.WithTimeout(ctx, q.Within)
	defer cancel()
	a, err := c.ask(ctx, q)
	c.counts.asked(err)
	c.health.heard(err)
	if err != nil {
		return sched.Advice{}
	}
	return a
}

func (c *Client) ask(ctx context.Context, q *sched.Question) (sched.Advice, error) {
	if c.sockets != nil {
		return c.sockets.ask(ctx, q)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+pathAct, nil)
	if err != nil {
		return sched.Advice{}, err
	}
	req.Header.Set(headerState, FormatState(q.State))
	req.Header.Set(headerActions, formatActions(q.Actions))
	header, body, err := c.do(req)
	if err != nil {
		return sched.Advice{}, err
	}
	return parseAdvice(string(body), header.Get(headerEps))
}

// statusError is an answer with a status that is none of success.
type statusError struct {
	status string
	text   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("it answers %s: %s", e.status, e.text)
}

// do returns a short answer whole.
func (c *Client) do(req *http.Request) (http.Header, []byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, nil, err
	case resp.StatusCode/100 != 2:
		return nil, nil, &statusError{resp.Status, fmt.Sprintf("%.200s", strings.TrimSpace(string(body)))}
	case len(body) > maxAnswer:
		return nil, nil, fmt.Errorf("%w: the answer is longer than %d bytes", ErrWrong, maxAnswer)
	}
	return resp.Header, body, nil
}
