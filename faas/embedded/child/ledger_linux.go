package child

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	ledgerName = "children"
	// recordSize is that of every line, so that one can be overwritten in place.
	recordSize = 96
	runVar     = "P2PFAAS_RUN="
)

// ledger is a file with a line per running child: its process id and start
// time. The first line names the boot and this run. It needs no fsync: what
// loses the file's pages ends the children too.
type ledger struct {
	file *os.File
	run  string

	mu   sync.Mutex // guards what follows
	free []int64
	next int64
}

func openLedger(dir string) (*ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, ledgerName)
	if old, err := os.ReadFile(path); err == nil {
		killLeftovers(old)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	l := &ledger{file: f, run: rand.Text(), next: 1}
	if err := l.write(0, bootID()+" "+l.run); err != nil {
		_ = f.Close()
		return nil, err
	}
	return l, nil
}

// mark is the variable by which a child's descendants are known.
func (l *ledger) mark() string { return runVar + l.run }

func (l *ledger) add(pid int) (int64, error) {
	st, err := readStat(pid)
	if err != nil {
		return 0, err
	}
	slot := l.slot()
	return slot, l.write(slot, fmt.Sprintf("%d %d", pid, st.start))
}

func (l *ledger) slot() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		slot := l.free[n-1]
		l.free = l.free[:n-1]
		return slot
	}
	l.next++
	return l.next - 1
}

// remove takes back what add returned; slot 0 is none.
func (l *ledger) remove(slot int64) {
	if slot == 0 {
		return
	}
	if err := l.write(slot, ""); err != nil {
		log.Warnw("clear ledger of child processes", "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, slot)
}

func (l *ledger) write(slot int64, text string) error {
	line := bytes.Repeat([]byte{' '}, recordSize)
	copy(line, text)
	line[recordSize-1] = '\n'
	_, err := l.file.WriteAt(line, slot*recordSize)
	return err
}

func (l *ledger) close() error { return l.file.Close() }

// killLeftovers ends the groups that an earlier run recorded and did not clear.
func killLeftovers(ledger []byte) {
	lines := strings.Split(string(ledger), "\n")
	boot, run, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	if boot == "" || boot != bootID() || run == "" {
		return
	}
	leaders := make(map[int]uint64)
	for _, line := range lines[1:] {
		pid, start, _ := strings.Cut(strings.TrimSpace(line), " ")
		id, err := strconv.Atoi(pid)
		at, err2 := strconv.ParseUint(start, 10, 64)
		if err == nil && err2 == nil && id > 1 {
			leaders[id] = at
		}
	}
	killGroups(leaders, runVar+run)
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return string(bytes.TrimSpace(id))
}
