package report

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is where a run was made, and with what.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Kernel     string `json:"kernel"`
	Congestion string `json:"congestion_control"`
	Load       string `json:"load"` // averages when it began
	Go         string `json:"go"`
	Node       string `json:"node"` // its version
}

// Describe looks at this machine and at the product's program. What cannot be
// found out is "unknown".
func Describe(node string) Machine {
	said, err := exec.Command(node, "version").Output()
	if err != nil {
		said = nil
	}
	return Machine{
		CPU:        known(modelName(read("/proc/cpuinfo"))),
		Cores:      runtime.NumCPU(),
		Kernel:     known(read("/proc/sys/kernel/osrelease")),
		Congestion: known(read("/proc/sys/net/ipv4/tcp_congestion_control")),
		Load:       known(read("/proc/loadavg")),
		Go:         runtime.Version(),
		Node:       known(strings.Join(strings.Fields(string(said)), " ")),
	}
}

func read(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func known(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// modelName finds the processor's name in /proc/cpuinfo.
func modelName(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == "model name" || strings.TrimSpace(key) == "Model" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m Machine) String() string {
	return fmt.Sprintf("%d cores of %s, Linux %s, TCP %s, load %s, %s\nnode: %s", m.Cores, m.CPU, m.Kernel, m.Congestion, m.Load, m.Go, m.Node)
}
