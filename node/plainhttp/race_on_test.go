//go:build race

package plainhttp

// forgetful is what sync.Pool is under the race detector.
const forgetful = true
