package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// options are what the command line says.
type options struct {
	node     string
	before   string
	paths    []stage.Path
	base     string
	sizes    []int
	atOnce   []int
	farOnce  []int // at once, where there is distance
	distance []time.Duration
	reps     int
	time     time.Duration
	out      string
	awake    bool
	profile  string
	logLevel string
	servers  int
	soak     int
}

// roleOptions are those of a child.
type roleOptions struct {
	role, to, through, certificate string
	nextTLS                        bool
	delay                          time.Duration
}

// maxInFlight bounds the bytes of all bodies that are on the way at once; cells
// that need more are left out.
const maxInFlight = 32 << 20

func parseOptions(args []string) (o options, r roleOptions, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	var l lists
	l.define(f)
	o.define(f)
	r.define(f)
	quick := f.Bool("quick", false, "three short repetitions")
	if err := f.Parse(args); err != nil {
		return o, r, err
	}
	if f.NArg() > 0 {
		return o, r, fmt.Errorf("unexpected %q", f.Args())
	}
	if o.reps < 1 || o.time <= 0 || o.soak < 0 || o.servers < 1 {
		return o, r, errors.New("-reps, -time, -soak and -servers must be positive")
	}
	if *quick {
		o.reps, o.time = 3, 100*time.Millisecond
	}
	return o, r, l.parse(&o)
}

func (o *options) define(f *flag.FlagSet) {
	f.StringVar(&o.node, "node", "bin/p2pfaas-node", "the `program` of the product")
	f.StringVar(&o.before, "before", "", "another version of that `program`, measured in the same run (default none)")
	f.StringVar(&o.base, "base", stage.Base, "the `path` that the tables compare with")
	f.IntVar(&o.reps, "reps", 7, "repetitions")
	f.DurationVar(&o.time, "time", 250*time.Millisecond, "how long a cell is measured")
	f.StringVar(&o.out, "out", "", "`folder` for the results: bench.json and plots (default none)")
	f.BoolVar(&o.awake, "awake", false, "keep the cores awake with idle-class spinners")
	f.IntVar(&o.servers, "servers", 512, "how many `calls` a node runs at once; the rivals refuse nobody")
	f.StringVar(&o.logLevel, "log-level", "error", "what the nodes log to standard error: debug, info, warn or `error`")
	f.StringVar(&o.profile, "profile", "", "`file` for a CPU profile of the clients")
	f.IntVar(&o.soak, "soak", 0, "instead of comparing, make so many `calls` and watch memory")
}

func (r *roleOptions) define(f *flag.FlagSet) {
	f.StringVar(&r.role, "role", "", "internal: play a `part`")
	f.StringVar(&r.to, "to", "", "internal: the next `address`")
	f.StringVar(&r.through, "through", "", "internal: the function's `address`")
	f.StringVar(&r.certificate, "certificate", "", "internal: `folder` of the certificate")
	f.BoolVar(&r.nextTLS, "next-tls", false, "internal: call the next over TLS")
	f.DurationVar(&r.delay, "delay", 0, "internal: delay each way")
}

// lists are the options that hold several values, as they are written.
type lists struct{ paths, bodies, atOnce, farOnce, distance string }

func (l *lists) define(f *flag.FlagSet) {
	f.StringVar(&l.paths, "paths", "", "`names` of the paths to measure, with commas (default all)")
	f.StringVar(&l.bodies, "bodies", "0,1KB,64KB,1MB,16MB", "`sizes` of the bodies")
	f.StringVar(&l.atOnce, "at-once", "1,8,64,256", "`numbers` of callers at once")
	f.StringVar(&l.farOnce, "far-at-once", "1,64", "of these `numbers` those that are measured at a distance, too")
	f.StringVar(&l.distance, "distance", "0,20ms", "`times` added to the round trip by a relay")
}

func (l *lists) parse(o *options) error {
	var errs [5]error
	o.paths, errs[0] = choosePaths(l.paths, o.base, stage.Paths(o.before != ""))
	o.sizes, errs[1] = list(l.bodies, parseSize)
	o.atOnce, errs[2] = list(l.atOnce, parseCount)
	o.farOnce, errs[3] = list(l.farOnce, parseCount)
	o.distance, errs[4] = list(l.distance, parseDistance)
	return errors.Join(errs[:]...)
}

// choosePaths takes the named ones and the base, in their own order.
func choosePaths(names, base string, all []stage.Path) ([]stage.Path, error) {
	if names == "" {
		names = pathNames(all)
	}
	wanted := append(strings.Split(names, ","), base)
	for _, name := range wanted {
		if !slices.ContainsFunc(all, func(p stage.Path) bool { return p.Name == name }) {
			return nil, fmt.Errorf("no path %q; there are %s", name, pathNames(all))
		}
	}
	return slices.DeleteFunc(all, func(p stage.Path) bool { return !slices.Contains(wanted, p.Name) }), nil
}

func pathNames(paths []stage.Path) string {
	var names []string
	for _, p := range paths {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

// list parses words with commas between.
func list[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var values []T
	for word := range strings.SplitSeq(text, ",") {
		v, err := parse(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

func parseSize(word string) (int, error) {
	number, unit := word, 1
	for suffix, n := range map[string]int{"KB": 1 << 10, "MB": 1 << 20} {
		if cut, ok := strings.CutSuffix(word, suffix); ok {
			number, unit = cut, n
		}
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n*unit > maxInFlight {
		return 0, fmt.Errorf("size %q: want such as 0, 1KB or 16MB, at most 32MB", word)
	}
	return n * unit, nil
}

func parseCount(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > 500 {
		return 0, fmt.Errorf("at once %q: want 1 to 500", word)
	}
	return n, nil
}

func parseDistance(word string) (time.Duration, error) {
	if word == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("distance %q: want such as 0 or 20ms", word)
	}
	return d, nil
}
