package httpcall

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// errPartial: what is needed next is not buffered.
var errPartial = errors.New("not buffered")

// chunkState is what comes next in a chunked body.
type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkData
	chunkEnd
	chunkTrailer
)

// advance moves to the next data of a chunked body, or to its end. Unless
// block, it returns errPartial rather than wait.
func (a *answer) advance(block bool) error {
	for a.err == nil && a.left == 0 {
		limit := maxLine
		if a.chunk == chunkTrailer {
			limit = maxHeader
		}
		if a.chunk == chunkData {
			a.chunk = chunkEnd
		}
		line, err := a.conn.line(limit, block)
		if err != nil {
			return err
		}
		if err := a.step(line); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) step(line []byte) error {
	switch {
	case a.chunk == chunkEnd && len(line) == 0:
		a.chunk = chunkSize
	case a.chunk == chunkEnd:
		return fmt.Errorf("%w: chunk is longer than its size", errMalformed)
	case a.chunk == chunkSize:
		return a.size(line)
	case len(line) == 0:
		a.finish()
	default:
		return a.trailerField(line)
	}
	return nil
}

func (a *answer) size(line []byte) error {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	n, err := parseHex(bytes.TrimRight(digits, " \t"))
	if err != nil {
		return err
	}
	a.left, a.chunk = n, chunkData
	if n == 0 {
		a.chunk = chunkTrailer
	}
	return nil
}

func parseHex(digits []byte) (int64, error) {
	n, err := strconv.ParseUint(string(digits), 16, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: chunk size %.40q", errMalformed, digits)
	}
	return int64(n), nil
}

func (a *answer) trailerField(line []byte) error {
	a.room -= len(line)
	if len(a.trailer) >= maxFields || a.room < 0 {
		return fmt.Errorf("answer's trailer: %w: more than %d fields or %d bytes", errTooLarge, maxFields, maxHeader)
	}
	f, err := parseField(string(line))
	if err != nil {
		return err
	}
	if !ours(f.Name) {
		a.trailer = append(a.trailer, f)
	}
	return nil
}
