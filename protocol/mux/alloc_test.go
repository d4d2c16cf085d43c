package mux

import (
	"io"
	"testing"
)

// A message on a stream that exists costs no garbage.
func TestAllocations(t *testing.T) {
	a, b := tcpPair(t)
	client, _ := ours{New(Config{})}.NewConn(a, false, nil)
	server, _ := ours{New(Config{})}.NewConn(b, true, nil)
	defer server.Close()
	defer client.Close()
	go echo(server)
	s, err := client.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 1024)
	exchange := func() {
		if _, err := s.Write(p); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, p); err != nil {
			t.Fatal(err)
		}
	}
	exchange()
	if n := testing.AllocsPerRun(2000, exchange); n > 1 { // a collection may empty pools
		t.Errorf("%v allocations for a message each way", n)
	}
}
