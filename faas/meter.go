package faas

import "time"

// Meter is implemented by a Runtime that knows what its functions take of this
// machine's processors.
type Meter interface {
	// CPUTime is what a function has had since it was first deployed, or since
	// the Runtime started. It is false when that is not known: there is no such
	// function, it runs elsewhere, or the system does not tell.
	CPUTime(name Name) (CPUTime, bool)
}

// CPUTime is what all processes of a function together, those that have ended
// included, had of the processors. Neither part ever falls.
type CPUTime struct {
	// Used is how long they ran.
	Used time.Duration
	// Waited is how long they were ready to run while others ran. Used and Waited
	// together are what the function wants: unlike Used alone they do not shrink
	// when the machine has more work than processors.
	Waited time.Duration
}
