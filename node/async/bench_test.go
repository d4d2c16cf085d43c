package async

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// BenchmarkAccept is the cost of a durable 202, HTTP left out: so many clients at
// once, bodies of that size. BenchmarkSync is what the disk makes of it at best.
func BenchmarkAccept(b *testing.B) {
	for _, clients := range []int{1, 64} {
		for _, size := range []int{1 << 10, smallBody, smallBody + 1, 64 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("clients=%d/body=%d", clients, size), func(b *testing.B) {
				e := stopped(b, Config{Disk: 1 << 40, Calls: 1 << 30, Dir: benchDir(b)})
				body := bytes.Repeat([]byte("b"), size)
				b.SetBytes(int64(size))
				b.ResetTimer()
				share(b, clients, func() {
					if _, _, err := e.Accept(b.Context(), callOf(async.Call{}, string(body)), bytes.NewReader(body)); err != nil {
						b.Error(err)
					}
				})
			})
		}
	}
}

// BenchmarkSync writes 4 KB and syncs, as often as a small commit does.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(benchDir(b), "x"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for b.Loop() {
		for range 2 { // bbolt syncs its data, then its root
			if _, err := f.WriteAt(block, 0); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchDir is a folder on the disk that P2PFAAS_BENCH_DIR names, where the
// system's temporary one may be in memory.
func benchDir(b *testing.B) string {
	if os.Getenv("P2PFAAS_BENCH_DIR") == "" {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(os.Getenv("P2PFAAS_BENCH_DIR"), "bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// share has that many goroutines do b.N things.
func share(b *testing.B, clients int, do func()) {
	next := make(chan struct{}, clients)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range next {
				do()
			}
		})
	}
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
}
