package openfaas

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/openfaas/faas-provider/logs"

	"github.com/p2pfaas/p2pfaas/faas"
)

// maxLine bounds a line of a log with what stands around it, in bytes.
const maxLine = 4 << 20

// errNoLog: what came is not a log.
var errNoLog = errors.New("not what OpenFaaS says")

// readLines reads one JSON object per line, whatever the content type: a
// gateway calls them plain text. The error that it yields last is [errNoLog], or
// the reader's own.
func readLines(from io.Reader, of faas.Name) iter.Seq2[faas.LogLine, error] {
	return func(yield func(faas.LogLine, error) bool) {
		lines := bufio.NewScanner(from)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			var m logs.Message
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				yield(faas.LogLine{}, fmt.Errorf("%w: %v", errNoLog, err))
				return
			}
			if !yield(faas.LogLine{Name: of, Instance: m.Instance, At: m.Timestamp, Text: m.Text}, nil) {
				return
			}
		}
		err := lines.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("%w: a line is longer than %d bytes", errNoLog, maxLine)
		}
		if err != nil {
			yield(faas.LogLine{}, err)
		}
	}
}
