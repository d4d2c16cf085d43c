package main

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSeeds bounds what one flag asks for.
const maxSeeds = 10_000

// seeds is a repeatable flag of numbers and ranges, as "1-5,8".
type seeds []uint64

// String implements pflag.Value.
func (s *seeds) String() string {
	var all []string
	for _, seed := range *s {
		all = append(all, strconv.FormatUint(seed, 10))
	}
	return strings.Join(all, ",")
}

// Type implements pflag.Value.
func (s *seeds) Type() string { return "N|N-N,…" }

// Set implements pflag.Value.
func (s *seeds) Set(text string) error {
	for _, part := range strings.Split(text, ",") {
		from, to, err := span(part)
		if err != nil {
			return err
		}
		if count := to - from + 1; count > maxSeeds || uint64(len(*s))+count > maxSeeds {
			return fmt.Errorf("%s is more than %d seeds", text, maxSeeds)
		}
		for seed := from; seed <= to; seed++ {
			*s = append(*s, seed)
		}
	}
	return nil
}

// span reads "3" or "1-5".
func span(text string) (from, to uint64, err error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	if from, err = strconv.ParseUint(first, 10, 63); err == nil {
		to, err = strconv.ParseUint(last, 10, 63)
	}
	if err != nil || from == 0 || to < from {
		return 0, 0, fmt.Errorf("%q is no seed and no range of seeds: want numbers from 1, as 1-5 or 1,3,7", text)
	}
	return from, to, nil
}
