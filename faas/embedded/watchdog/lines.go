package watchdog

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Forking is the line that begins every invocation in a function's log. The
// lines have the wording of OpenFaaS's watchdog, which people search logs for.
const Forking = "Forking fprocess."

// RequestLines tell of a request, with [Settings.WriteDebug].
func RequestLines(r *faas.Request) string {
	return "Query  " + r.Query + "\nPath  " + path(r)
}

// Killing is the line for an invocation that is ended from outside.
func Killing(command string) string { return "Killing process: " + command }

// Wrote is the line for an answer of n bytes.
func Wrote(n int64, took time.Duration) string {
	return fmt.Sprintf("Wrote %d Bytes - Duration: %ss", n, Seconds(took))
}

// Took is the line for an answer that is in the log itself.
func Took(took time.Duration) string { return "Duration: " + Seconds(took) + "s" }

// Failed is the line for an invocation without success.
func Failed(why string) string { return "Success=false, Error=" + why }

// DurationField is the answer's field with how long the function ran.
const DurationField = "X-Duration-Seconds"

// Seconds is a duration as DurationField has it.
func Seconds(d time.Duration) string { return fmt.Sprintf("%f", d.Seconds()) }
