package child

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stat is the part of /proc/PID/stat that tells processes apart, and what they
// used.
type stat struct {
	group int
	used  time.Duration // on processors, by it and by the children it waited for
	start uint64        // ticks since boot
}

// tick is the unit of processor time in /proc: USER_HZ is 100 on all
// architectures that Go runs on.
const tick = 10 * time.Millisecond

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(text))
}

// parseStat skips the command, which may hold spaces and parentheses.
func parseStat(text string) (stat, error) {
	const groupAt, usedAt, usedEnd, startAt = 2, 11, 15, 19 // fields 5, 14 to 17 and 22, counted behind the command
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= startAt {
		return stat{}, fmt.Errorf("process status %.40q: too few fields", text)
	}
	group, err := strconv.Atoi(fields[groupAt])
	if err != nil {
		return stat{}, fmt.Errorf("process group: %w", err)
	}
	var ticks int64
	for _, field := range fields[usedAt:usedEnd] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("processor time: %w", err)
		}
		ticks += n
	}
	start, err := strconv.ParseUint(fields[startAt], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("process start: %w", err)
	}
	return stat{group, time.Duration(ticks) * tick, start}, nil
}

// killGroups kills the members of the groups whose leaders are given with
// their start times, and whoever carries mark in its environment: a child may
// have had children before it was in the ledger, and its leader may be gone.
func killGroups(leaders map[int]uint64, mark string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		log.Warnw("look for leftover processes", "error", err)
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if st, err := readStat(pid); err == nil && leftover(pid, st, leaders, mark) {
			log.Infow("kill process of an earlier run", "pid", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func leftover(pid int, st stat, leaders map[int]uint64, mark string) bool {
	if start, known := leaders[st.group]; known {
		if leader, err := readStat(st.group); err == nil && leader.start == start {
			return true
		}
	}
	return carries(pid, mark)
}

func carries(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if string(v) == mark {
			return true
		}
	}
	return false
}
