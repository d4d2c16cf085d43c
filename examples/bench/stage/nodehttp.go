package stage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// reaches is nil if a call of the function at n is run by other.
func (n *node) reaches(ctx context.Context, other *node) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.http+"/function/"+echo, strings.NewReader("x"))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if ran := resp.Header.Get("X-P2pfaas-Peer"); resp.StatusCode != http.StatusOK || ran != other.peer {
		return fmt.Errorf("status %d, run by %q: %s", resp.StatusCode, ran, text)
	}
	return nil
}

// allocations reads the node's own count of objects, less what reading it cost.
func (n *node) allocations(ctx context.Context) (float64, error) {
	if n.reading == 0 {
		if err := n.weighReading(ctx); err != nil {
			return 0, err
		}
	}
	objects, err := n.metric(ctx, "go_memstats_mallocs_total")
	n.readings++
	return objects - n.reading*n.readings, err
}

// weighReading finds out how many objects a look at the metrics allocates: the
// least difference of a few looks in a row.
func (n *node) weighReading(ctx context.Context) error {
	const looks = 5
	last := 0.0
	for i := range looks {
		objects, err := n.metric(ctx, "go_memstats_mallocs_total")
		if err != nil {
			return err
		}
		if cost := objects - last; i > 0 && (n.reading == 0 || cost < n.reading) {
			n.reading = cost
		}
		last = objects
	}
	return nil
}

// metric reads one of the node's metrics that has no labels.
func (n *node) metric(ctx context.Context, name string) (float64, error) {
	password, err := n.password()
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth("admin", password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("metrics of a node: %s", resp.Status)
	}
	return findMetric(resp.Body, name)
}

// findMetric looks a metric up in the text format.
func findMetric(text io.Reader, name string) (value float64, err error) {
	err = fmt.Errorf("no metric %s", name)
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() { // to the end, so that the connection is kept
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err = strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	if lines.Err() != nil {
		return 0, lines.Err()
	}
	return value, err
}
