package mux

import (
	"fmt"
	"io"
	"math"
	"sync"
	"syscall"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	yamuxv5 "github.com/libp2p/go-yamux/v5"
)

// muxers are what is compared: within one run, as machines differ.
func muxers() map[string]network.Multiplexer {
	c := yamuxv5.DefaultConfig()
	c.InitialStreamWindowSize, c.MaxStreamWindowSize = 1<<20, 16<<20
	c.LogOutput, c.ReadBufSize, c.MaxIncomingStreams = io.Discard, 0, math.MaxUint32
	cfg := Config{FirstWindow: 1 << 20, MaxWindow: 16 << 20}
	never := cfg
	never.NeverYield = true
	return map[string]network.Multiplexer{"mux": New(cfg), "mux-never-yield": New(never), "yamux": (*yamux.Transport)(c)}
}

// cpu is what this process has used, in microseconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64((u.Utime.Nano() + u.Stime.Nano()) / 1000)
}

func measured(b *testing.B, f func()) {
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	f()
	b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-us/op")
}

// BenchmarkPingPong sends 1 KB and waits for 1 KB, on so many streams at once of
// one TLS connection over loopback.
func BenchmarkPingPong(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		for name, m := range muxers() {
			b.Run(fmt.Sprintf("streams=%d/%s", n, name), func(b *testing.B) { pingPong(b, m, n) })
		}
	}
}

func pingPong(b *testing.B, m network.Multiplexer, n int) {
	client, server := sessions(b, m, NewSocket)
	go echo(server)
	list := make([]network.MuxedStream, n)
	for i := range list {
		s, err := client.OpenStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		list[i] = s
	}
	measured(b, func() {
		var wg sync.WaitGroup
		for i, s := range list {
			wg.Go(func() {
				p := make([]byte, 1024)
				for range b.N/n + min(1, max(0, b.N%n-i)) {
					if _, err := s.Write(p); err != nil {
						b.Error(err)
						return
					}
					if _, err := io.ReadFull(s, p); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// BenchmarkBulk sends 1 MB by one Write after the other.
func BenchmarkBulk(b *testing.B) {
	for name, m := range muxers() {
		b.Run(name, func(b *testing.B) {
			client, server := sessions(b, m, NewSocket)
			from, to := streams(b, client, server)
			b.SetBytes(1 << 20)
			measured(b, func() {
				go func() {
					p := make([]byte, 1<<20)
					for range b.N {
						_, _ = from.Write(p)
					}
				}()
				p := make([]byte, 64<<10)
				for left := b.N << 20; left > 0; {
					n, err := to.Read(p)
					if err != nil {
						b.Fatal(err)
					}
					left -= n
				}
			})
		})
	}
}

// BenchmarkOpen has a new stream for each exchange of 1 KB.
func BenchmarkOpen(b *testing.B) {
	for name, m := range muxers() {
		b.Run(name, func(b *testing.B) {
			client, server := sessions(b, m, NewSocket)
			go echo(server)
			p := make([]byte, 1024)
			measured(b, func() {
				for range b.N {
					s, err := client.OpenStream(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					_, _ = s.Write(p)
					_ = s.CloseWrite()
					if _, err := io.ReadFull(s, p); err != nil {
						b.Fatal(err)
					}
					_ = s.Close()
				}
			})
		})
	}
}
