// Package cgroup keeps processes within limits of memory and processor time by
// Linux control groups, version 1 or 2, whichever the machine has them in.
//
//	h := cgroup.Open("p2pfaas-1f2e", runDir)
//	defer h.Close()
//	g, err := h.New("thumb.openfaas-fn", cgroup.Limits{Memory: 64 << 20, CPU: 500})
//	err = g.Add(pid) // its later children are in the group as well
//	…
//	err = g.Remove()
//
// Groups are made below the one that this process is in, so that what was
// granted to it (by a service's unit, by a container) bounds them too. With
// version 2 a group that has groups below it may hold no processes itself; if
// this process is alone in its group it moves to one below that, "node", and
// else there are no limits. [Hierarchy.Memory] and [Hierarchy.CPU] tell whether
// a limit can be kept, and why not.
//
// Pitfalls: a group outlives a process that is killed. Open removes what an
// earlier run of the same name left behind, wherever that run was. Swap counts
// as memory where the kernel lets it be limited.
package cgroup
