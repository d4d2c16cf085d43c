package scenario

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// ParseTrace reads relative rates over time from CSV: in each row the seconds
// from the start, ascending from 0, and the factor from then on, until the next row;
// or as many factors as there are nodes, in their order. Lines that begin with #
// are comments. A node's rate is its rate in the scenario times the factor.
func ParseTrace(data []byte) (*sim.Trace, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, 0
	t := &sim.Trace{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(row) < 2 {
			return nil, fmt.Errorf("line %d: a row has a time and at least one factor", line)
		}
		values, err := floats(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if !(values[0] >= 0 && values[0] < 1e9) {
			return nil, fmt.Errorf("line %d: the time %v is not from 0 to 1e9 seconds", line, values[0])
		}
		t.At = append(t.At, time.Duration(values[0]*float64(time.Second)))
		t.Rows = append(t.Rows, values[1:])
	}
}

func floats(row []string) ([]float64, error) {
	list := make([]float64, len(row))
	for i, text := range row {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		list[i] = x
	}
	return list, nil
}
