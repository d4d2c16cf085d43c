package child

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// resident is what the process and its descendants have in memory.
func (p *Process) resident() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped { // its id may be another's
		return 0
	}
	var pages int64
	left := []int{p.PID()}
	for n := 0; n < len(left) && n < maxSurveyed; n++ {
		pages += residentPages(left[n])
		left = append(left, surveyThreads(left[n], make(map[int]threadTime))...)
	}
	return pages * int64(os.Getpagesize())
}

func residentPages(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	n, err := parseResident(string(text))
	if err != nil {
		return 0
	}
	return n
}

// parseResident reads /proc/PID/statm: pages of the whole, of what is resident, …
func parseResident(text string) (int64, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("memory %.40q: too few fields", text)
	}
	return strconv.ParseInt(fields[1], 10, 64)
}
