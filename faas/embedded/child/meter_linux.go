package child

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// meter reads, again and again, what a process and its descendants have had of
// the processors. The kernel adds a process's time to its parent's when that
// waits for it; what a thread waited for a processor is told as long as it
// exists, and of what is over between two readings never: it is taken to have
// waited in the same proportion as what was seen, one thread at a time.
type meter struct {
	total   faas.CPUTime
	at      time.Time          // of the last reading, or of the start
	used    time.Duration      // at the last reading, of all that then was there
	threads map[int]threadTime // at the last reading
}

// threadTime is what one thread has had.
type threadTime struct{ ran, waited time.Duration }

// measurable tells whether the kernel says how long a thread waited. Without
// that, time used says nothing on a busy machine.
func measurable() bool {
	_, err := readThreadTime("/proc/self/schedstat")
	return err == nil
}

// measure is what the process had until now, or until its end.
func (p *Process) measure() faas.CPUTime {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped { // its id is not yet another's
		used, threads := survey(p.PID())
		p.meter.take(time.Now(), used, threads)
	}
	return p.meter.total
}

// close takes the last reading, from what waiting for the process told. mu is
// held. Descendants that it did not wait for are killed with its group; of them
// counts what was seen before.
func (m *meter) close(pid int, main threadTime, state *os.ProcessState) {
	if state == nil {
		return
	}
	m.take(time.Now(), state.UserTime()+state.SystemTime(), map[int]threadTime{pid: main})
	m.threads = nil
}

func (m *meter) take(now time.Time, used time.Duration, threads map[int]threadTime) {
	var seen threadTime
	for tid, t := range threads {
		was := m.threads[tid]
		seen.ran += max(0, t.ran-was.ran)
		seen.waited += max(0, t.waited-was.waited)
	}
	took := max(0, used-m.used)
	if seen.ran > 0 && took > seen.ran {
		likely := time.Duration(float64(seen.waited) * float64(took) / float64(seen.ran))
		seen.waited = max(seen.waited, min(likely, now.Sub(m.at)-took))
	}
	add(&m.total, faas.CPUTime{Used: took, Waited: seen.waited})
	m.at, m.used, m.threads = now, used, threads
}

// maxSurveyed bounds the processes of one reading.
const maxSurveyed = 256

// survey reads a process and its descendants. Where the kernel lists no children
// (CONFIG_PROC_CHILDREN), a child counts once its parent has waited for it.
func survey(root int) (used time.Duration, threads map[int]threadTime) {
	threads = make(map[int]threadTime)
	left := []int{root}
	for n := 0; n < len(left) && n < maxSurveyed; n++ {
		pid := left[n]
		if st, err := readStat(pid); err == nil {
			used += st.used
		}
		left = append(left, surveyThreads(pid, threads)...)
	}
	return used, threads
}

// surveyThreads adds a process's threads and returns its children.
func surveyThreads(pid int, threads map[int]threadTime) (children []int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // it has ended
	}
	for _, e := range entries {
		tid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if r, err := readThreadTime(dir + e.Name() + "/schedstat"); err == nil {
			threads[tid] = r
		}
		list, _ := os.ReadFile(dir + e.Name() + "/children")
		for _, field := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

func readThreadTime(path string) (threadTime, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return threadTime{}, err
	}
	return parseThreadTime(string(text))
}

// parseThreadTime reads /proc/PID/schedstat: nanoseconds on a processor, and ready
// for one, and a count of turns.
func parseThreadTime(text string) (threadTime, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return threadTime{}, fmt.Errorf("scheduler's account %.40q: too few fields", text)
	}
	ran, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return threadTime{}, fmt.Errorf("time on a processor: %w", err)
	}
	waited, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return threadTime{}, fmt.Errorf("time ready for a processor: %w", err)
	}
	return threadTime{time.Duration(ran), time.Duration(waited)}, nil
}
