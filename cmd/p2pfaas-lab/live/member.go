package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// member is one node: its place, its function and its process.
type member struct {
	number int
	group  *sim.Group
	place  place
	data   string
	sleep  *sleeper
	client http.Client

	mu      sync.Mutex
	process *process // nil while it is dead
}

// imagePrefix begins the images of the functions. Each node has them elsewhere; that it
// is the same function everywhere is known by the image.
const imagePrefix = "lab/"

// newMember has a function, but no process yet.
func newMember(number int, g *sim.Group, speed float64, in place, dir string) (*member, error) {
	l, err := in.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &member{number: number, group: g, place: in, sleep: newSleeper(l, speed)}
	m.data = filepath.Join(dir, "node-"+strconv.Itoa(number))
	m.client.Transport = &http.Transport{DialContext: in.Dial, MaxIdleConnsPerHost: 512, DisableCompression: true}
	return m, nil
}

// flags of the process, but for whom it knows.
func (m *member) flags(cfg *Config, mesh string) []string {
	sc := cfg.Scenario
	list := []string{"run", "--data", m.data, "--mesh", mesh, "--http", "127.0.0.1:0",
		"--listen", "/ip4/" + m.place.IP() + "/tcp/0", "--mdns=false", "--dht=false", "--openfaas-url", "none", "--auth", "none",
		"--log-level", "warn", "--drain", "0s", "--servers", strconv.Itoa(m.group.Servers), "--queue", strconv.Itoa(m.group.Queue),
		"--gossip", sc.Gossip.String(), "--policy", cfg.Policy}
	if m.group.Zone != "" {
		list = append(list, "--zone", m.group.Zone)
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Set)) {
		list = append(list, "--set", key+"="+cfg.Set[key])
	}
	for _, name := range functionsOf(sc) {
		list = append(list, "--image-alias", imagePrefix+name+"=http://"+m.sleep.addr)
	}
	return list
}

// functionsOf are the names of the classes' functions.
func functionsOf(sc *sim.Scenario) (names []string) {
	for _, c := range sc.Classes {
		if !slices.Contains(names, c.Function) {
			names = append(names, c.Function)
		}
	}
	return names
}

// alive is the process, nil if it is dead.
func (m *member) alive() *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process
}

func (m *member) become(p *process) (before *process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, m.process = m.process, p
	return before
}

// kill ends the process, if there is one.
func (m *member) kill() {
	if p := m.become(nil); p != nil {
		p.kill()
	}
	m.client.CloseIdleConnections()
}

// url is a path of the node's HTTP API; "" while it is dead, which no request can
// be made to.
func (m *member) url(path string) string {
	p := m.alive()
	if p == nil {
		return ""
	}
	return "http://" + p.http + path
}

// deployment is what POST /system/functions takes.
type deployment struct {
	Service     string            `json:"service"`
	Image       string            `json:"image"`
	Annotations map[string]string `json:"annotations"`
}

// deploy deploys the functions. Each invocation holds a whole server, though it
// takes no processor.
func (m *member) deploy(ctx context.Context, names []string) error {
	for _, name := range names {
		body, err := json.Marshal(deployment{name, imagePrefix + name, map[string]string{"p2pfaas.weight": "1"}})
		if err != nil {
			return err
		}
		if _, err := m.ask(ctx, http.MethodPost, "/system/functions", body); err != nil {
			return fmt.Errorf("deploy %s on node %d: %w", name, m.number, err)
		}
	}
	return nil
}

// askLimit bounds one question to the node itself.
const askLimit = 20 * time.Second

func (m *member) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, m.url(path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := m.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: status %d: %s", path, res.StatusCode, strings.TrimSpace(string(text)))
	}
	return text, err
}

// close ends the process and the function.
func (m *member) close() error {
	m.kill()
	return m.sleep.Close()
}
