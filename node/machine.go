package node

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// machine watches how much of all processors is used, by whomever.
type machine struct{ last processors }

// processors counts time, in the kernel's ticks since it started.
type processors struct{ idle, all uint64 }

// fullBelow is the share of idle time below which a machine is full.
const fullBelow = 0.1

// full tells whether the processors had nothing left since the call before; it is
// false for the first call, and where the system does not tell.
func (m *machine) full() bool {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return false
	}
	now, err := parseProcessors(string(text))
	if err != nil {
		return false
	}
	was := m.last
	m.last = now
	if was.all == 0 || now.all <= was.all || now.idle < was.idle {
		return false
	}
	return float64(now.idle-was.idle) < fullBelow*float64(now.all-was.all)
}

var errNoProcessors = errors.New("no account of the processors")

// parseProcessors reads the first line of /proc/stat: user, nice, system, idle,
// waiting for a disk, interrupts (2) and what the host took. Guests' time, which
// follows, is within user's.
func parseProcessors(text string) (p processors, err error) {
	const idleAt, diskAt, end = 4, 5, 9
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < end || fields[0] != "cpu" {
		return processors{}, errNoProcessors
	}
	for i, field := range fields[1:end] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return processors{}, errNoProcessors
		}
		p.all += n
		if i+1 == idleAt || i+1 == diskAt {
			p.idle += n
		}
	}
	return p, nil
}
