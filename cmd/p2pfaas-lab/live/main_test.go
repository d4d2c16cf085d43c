package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// program is the p2pfaas-node that TestMain built; nothing writes it later.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "p2pfaas-lab-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "p2pfaas-node")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/p2pfaas/p2pfaas/cmd/p2pfaas-node").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
