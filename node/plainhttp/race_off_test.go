//go:build !race

package plainhttp

const forgetful = false
