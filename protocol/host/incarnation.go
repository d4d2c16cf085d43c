package host

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// NextIncarnation adds one to the number stored at path (0 if there is no file)
// and returns it. It tells apart the lives of a node, so that others know which
// report is newer without comparing clocks. Call it once per start.
func NextIncarnation(path string) (uint64, error) {
	last, err := lastIncarnation(path)
	if err != nil {
		return 0, err
	}
	if last == math.MaxUint64 {
		return 0, fmt.Errorf("incarnation %s is at its end (%d): remove the file and the identity beside it", path, last)
	}
	if err := replaceFile(path, []byte(strconv.FormatUint(last+1, 10)+"\n")); err != nil {
		return 0, err
	}
	return last + 1, nil
}

func lastIncarnation(path string) (uint64, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read incarnation: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("incarnation %s is damaged (%.20q is not a number): write a number larger than that of any earlier start into it",
			path, data)
	}
	return n, nil
}
