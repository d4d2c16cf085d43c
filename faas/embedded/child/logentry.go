package child

import (
	"bytes"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

const (
	// entryTime has the same length always, so that a file sorts and reads well.
	entryTime = "2006-01-02T15:04:05.000000000Z"
	// nobody stands for an instance without a name.
	nobody = "-"
	// maxEntry is longer than any entry.
	maxEntry = MaxLine + 512
)

// appendEntry appends a line as it is stored: time, instance and text, with one
// space between them.
func appendEntry(to []byte, at time.Time, instance string, text []byte) []byte {
	if instance == "" {
		instance = nobody
	}
	to = at.UTC().AppendFormat(to, entryTime)
	to = append(to, ' ')
	to = append(to, instance...)
	to = append(to, ' ')
	to = append(to, text...)
	return append(to, '\n')
}

// parseEntry reads a line as it is stored, without its line feed. One that is
// not ours is all text, at an unknown time.
func parseEntry(entry []byte) faas.LogLine {
	at, rest, _ := bytes.Cut(entry, []byte(" "))
	instance, text, found := bytes.Cut(rest, []byte(" "))
	when, err := time.Parse(entryTime, string(at))
	if err != nil || !found {
		return faas.LogLine{Text: string(entry)}
	}
	if string(instance) == nobody {
		instance = nil
	}
	return faas.LogLine{At: when, Instance: string(instance), Text: string(text)}
}
