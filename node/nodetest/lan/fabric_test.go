//go:build linux

package lan

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newFabric(ports int) *fabric {
	f := &fabric{}
	for range ports {
		f.plug()
	}
	return f
}

// addr is the address of the machine at a port.
func addr(port int) mac { return mac{2, 0, 0, 0, 0, byte(port)} }

var everyone = mac{0x33, 0x33, 0, 0, 0, 0xfb}

func frame(to, from mac, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(append(append([]byte{}, to[:]...), from[:]...), 8, 0), number)
}

func TestSwitchLearnsAndFloods(t *testing.T) {
	f := newFabric(4)
	for _, c := range []struct {
		name  string
		from  int
		frame []byte
		want  []int
	}{
		{"unknown is flooded", 0, frame(addr(1), addr(0), 0), []int{1, 2, 3}},
		{"answer goes to who asked", 1, frame(addr(0), addr(1), 0), []int{0}},
		{"and back", 0, frame(addr(1), addr(0), 0), []int{1}},
		{"multicast is flooded", 1, frame(everyone, addr(1), 0), []int{0, 2, 3}},
		{"to oneself goes nowhere", 1, frame(addr(1), addr(1), 0), nil},
		{"an address that moves", 3, frame(everyone, addr(1), 0), []int{0, 1, 2}},
		{"is found at its new place", 0, frame(addr(1), addr(0), 0), []int{3}},
		{"a fragment of a header", 0, addr(1).slice(), nil},
	} {
		got := append([]int(nil), f.route(c.from, c.frame, begin)...)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func (m mac) slice() []byte { return m[:] }

func TestRulesOfLinks(t *testing.T) {
	n := &Network{fabric: *newFabric(4)}
	var m []*Machine
	for i := range 4 {
		m = append(m, &Machine{number: i})
	}
	flood := func(from int) []int {
		return append([]int(nil), n.fabric.route(from, frame(everyone, addr(from), 0), begin)...)
	}
	for _, c := range []struct {
		name   string
		change func()
		from   int
		want   []int
	}{
		{"cut", func() { n.Cut(m[0], m[1]) }, 0, []int{2, 3}},
		{"cut the other way", func() {}, 1, []int{2, 3}},
		{"joined", func() { n.Join(m[0], m[1]) }, 0, []int{1, 2, 3}},
		{"unplugged", func() { n.Unplug(m[2]) }, 2, nil},
		{"to what is unplugged", func() {}, 0, []int{1, 3}},
		{"plugged", func() { n.Plug(m[2]) }, 2, []int{0, 1, 3}},
		{"halves", func() { n.Partition(m[:2], m[2:]) }, 0, []int{1}},
		{"the other half", func() {}, 3, []int{2}},
		{"another partition", func() { n.Partition(m[1:3]) }, 0, []int{3}},
		{"its named group", func() {}, 1, []int{2}},
		{"healed", func() { n.Cut(m[0], m[3]); n.Unplug(m[1]); n.Heal() }, 0, []int{1, 2, 3}},
	} {
		c.change()
		if diff := cmp.Diff(c.want, flood(c.from)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestDropIsSeeded(t *testing.T) {
	const frames = 10_000
	passed := func() (numbers []int) {
		f := newFabric(2)
		f.link(0, 1).loss = 0.2
		for i := range frames {
			if len(f.route(0, frame(addr(1), addr(0), uint32(i)), begin)) > 0 {
				numbers = append(numbers, i)
			}
		}
		return numbers
	}
	first := passed()
	if lost := frames - len(first); lost < frames*18/100 || lost > frames*22/100 {
		t.Errorf("%d of %d lost, want about 20 %%", lost, frames)
	}
	if diff := cmp.Diff(first, passed()); diff != "" {
		t.Error("two networks lost different frames")
	}
}

func TestFullLinkDrops(t *testing.T) {
	f := newFabric(2)
	f.link(0, 1).delay = time.Second
	for i := range maxPending + 10 {
		f.route(0, frame(addr(1), addr(0), uint32(i)), begin)
	}
	if f.counts.Full != 10 || len(f.late) != maxPending {
		t.Errorf("%+v with %d on their way", f.counts, len(f.late))
	}
}

func TestCutLosesWhatIsOnItsWay(t *testing.T) {
	f := newFabric(2)
	f.link(0, 1).delay = time.Second
	f.route(0, frame(addr(1), addr(0), 0), begin)
	f.link(0, 1).cut = true
	d, _ := f.pop(begin.Add(time.Second))
	if d == nil || f.arrives(d) || f.counts.Blocked != 1 {
		t.Errorf("%v %+v", d, f.counts)
	}
}

// On each link frames arrive in the order of their sending and not before
// their delay is over, however it changes meanwhile.
func TestDelayKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const ports = 3
		f, now := newFabric(ports), begin
		sent := uint32(0)
		arrived := map[[2]int]uint32{}
		earliest := map[uint32]time.Time{}
		arrive := func(from, to int, b []byte) {
			number := binary.BigEndian.Uint32(b[headerSize:])
			way := [2]int{from, to}
			if number <= arrived[way] {
				t.Fatalf("on %v frame %d came after %d", way, number, arrived[way])
			}
			if now.Before(earliest[number]) {
				t.Fatalf("frame %d came %v too early", number, earliest[number].Sub(now))
			}
			arrived[way] = number
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			from, to := rapid.IntRange(0, ports-1).Draw(t, "from"), rapid.IntRange(0, ports-1).Draw(t, "to")
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				f.link(from, to).delay = time.Duration(rapid.IntRange(0, 5).Draw(t, "delay")) * time.Millisecond
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pass")) * time.Millisecond)
			case 2:
				if d, _ := f.pop(now); d != nil && f.arrives(d) {
					arrive(d.from, d.to, d.frame)
					f.delivered(d)
				}
			default:
				if from == to {
					continue
				}
				f.learnt[addr(to)] = to
				sent++
				earliest[sent] = now.Add(f.link(from, to).delay)
				b := frame(addr(to), addr(from), sent)
				for _, reached := range f.route(from, b, now) {
					arrive(from, reached, b)
				}
			}
		}
		for now = now.Add(time.Second); ; {
			d, _ := f.pop(now)
			if d == nil {
				break
			}
			f.arrives(d)
			arrive(d.from, d.to, d.frame)
			f.delivered(d)
		}
		if f.counts.Carried != uint64(sent) {
			t.Fatalf("%d sent, %+v", sent, f.counts)
		}
	})
}
