package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// The libp2p port is kept from one start to the next: where the default was
// taken once, others remember the free one that was found instead.
func (n *Node) portFile() string { return filepath.Join(n.cfg.DataDir, "port") }

func keptPort(path string) (int, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return host.DefaultPort, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the kept port: %w", err)
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("the kept port in %s is %q, not 1 to 65535: remove the file", path, raw)
	}
	return int(port), nil
}

func keepPort(path string, port int) error {
	if err := os.WriteFile(path, []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the port: %w", err)
	}
	return nil
}
