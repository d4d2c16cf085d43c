package scale

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's unit of processor time in /proc, USER_HZ: 10 ms on all
// systems that Go runs on.
const tick = 10 * time.Millisecond

// used is the processor time that a process has been charged.
func used(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseUsed(string(text))
}

var errNoUsage = errors.New("no account of processor time")

// parseUsed reads /proc/PID/stat (proc(5)): the program's name, in parentheses,
// may hold anything; utime and stime are fields 14 and 15.
func parseUsed(text string) (time.Duration, error) {
	_, rest, ok := strings.Cut(text, ") ")
	if i := strings.LastIndex(text, ") "); ok {
		rest = text[i+2:]
	}
	fields := strings.Fields(rest)
	const user, system = 14 - 3, 15 - 3 // the first of rest is field 3
	if len(fields) <= system {
		return 0, errNoUsage
	}
	var sum int64
	for _, at := range []int{user, system} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, errNoUsage
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// resident is a process's memory in bytes, all of it and its anonymous part.
func resident(pid int) (all, anonymous int64, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = file.Close() }() // it was read only
	all, anonymous = parseResident(file)
	return all, anonymous, nil
}

func parseResident(status io.Reader) (all, anonymous int64) {
	for s := bufio.NewScanner(status); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch {
		case err != nil:
		case name == "VmRSS":
			all = kb << 10
		case name == "RssAnon":
			anonymous = kb << 10
		}
	}
	return all, anonymous
}

// loopback is how many bytes this namespace's loopback has carried, headers of IP
// and TCP included.
func loopback() (int64, error) {
	text, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "lo:"); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, errors.New("this network has no loopback")
}
