package learner

import "sync"

// failures in a row that are worth a line in the log.
const worthTelling = 3

// health logs when a learner begins to fail, and when it is back.
type health struct {
	mu       sync.Mutex
	failures int // in a row
}

func (h *health) heard(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		if h.failures >= worthTelling {
			log.Infow("the learner answers again")
		}
		h.failures = 0
		return
	}
	if h.failures++; h.failures == worthTelling {
		log.Warnw("the learner does not answer as it should; the default policy decides meanwhile", "error", err)
	}
}
