package async

import (
	"os"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

func keyOfSelf() load.Key { return load.KeyOf(self) }

// filesOf counts the bodies in files.
func filesOf(t testing.TB, e *Engine) int {
	t.Helper()
	entries, err := os.ReadDir(e.store.dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
