package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// mount is where the kernel shows a hierarchy.
type mount struct {
	root        string // what of the hierarchy is shown
	point       string
	unified     bool     // version 2
	controllers []string // of version 1
}

// parseMounts reads /proc/self/mountinfo (proc(5)) and returns the control
// groups in it.
func parseMounts(text string) []mount {
	var mounts []mount
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		before, after, ok := strings.Cut(s.Text(), " - ")
		head, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(head) < 5 || len(tail) < 3 {
			continue
		}
		m := mount{root: unescape(head[3]), point: unescape(head[4])}
		switch tail[0] {
		case "cgroup2":
			m.unified = true
		case "cgroup":
			m.controllers = strings.Split(tail[2], ",")
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// unescape undoes how the kernel writes spaces in paths.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// parseMembership reads /proc/self/cgroup: controllers, "" standing for version
// 2, and the group that this process is in.
func parseMembership(text string) map[string]string {
	in := make(map[string]string)
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		parts := strings.SplitN(s.Text(), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			in[c] = parts[2]
		}
	}
	return in
}

// folder is where the group of this process is shown. A container may see its
// hierarchy from its own group on, or be told of a group that it does not see.
func (m mount) folder(group string) (string, error) {
	rel, err := filepath.Rel(m.root, group)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("this process's control group %s is not shown below %s", group, m.point)
	}
	return filepath.Join(m.point, rel), nil
}

var errNone = errors.New("the system has no control groups")

// own finds the folder of the group by which a controller rules this process.
func own(mounts []mount, in map[string]string, controller string, offers func(folder string) bool) (folder string, unified bool, err error) {
	err = errNone
	for _, m := range mounts {
		group, ok := in[controller]
		if m.unified {
			group, ok = in[""]
		} else if !slices.Contains(m.controllers, controller) {
			continue
		}
		if !ok {
			continue
		}
		folder, at := m.folder(group)
		if at == nil && m.unified && !offers(folder) {
			at = fmt.Errorf("%s does not offer the controller %q", folder, controller)
		}
		if at == nil {
			return folder, m.unified, nil
		}
		err = at
	}
	return "", false, err
}
