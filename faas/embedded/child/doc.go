// Package child starts the processes of functions and makes sure that they end.
//
// All children of a [Spawner] are started from one goroutine that stays on one
// OS thread until Close. That is not for speed: on Linux a child asks to be
// killed when its parent dies (Pdeathsig), and by parent the kernel means the
// thread, which the Go runtime otherwise ends as it likes.
//
// Each child leads a process group of its own, which is signalled as a whole
// and killed when its leader ends. What a killed node leaves behind nevertheless
// (the children of its children) is found at the next start. Two marks tell it
// from strangers, so that a process id that was given to somebody else is never
// signalled: a ledger of the groups that were started, with their leaders' start
// times, and a variable P2PFAAS_RUN with a random word in the environment.
//
// [Mounts] give the processes of one function a folder that others do not see. A
// mount namespace is made once and held open by a file descriptor; the thread that
// starts processes enters it before a start, which takes microseconds.
//
// A [Log] keeps the last lines of a function, each with its time and the process
// that wrote it, bounded, readable and followed while it is written.
//
// A process with limits stops before its first instruction, is put into its
// control group by its starter, and goes on: see startInGroup.
//
// Pitfalls: a function that makes a session or group of its own escapes the
// kill of its group, though not the next start's. Outside Linux there is neither Pdeathsig nor a ledger.
package child
