package main

import (
	"slices"
	"strings"
)

// comparison is the outcomes by scenario, policy and seed.
type comparison struct {
	scenarios, policies []string // in the order in which they came
	cells               map[cell]map[uint64]*outcome
}

type cell struct{ scenario, policy string }

func newComparison() *comparison { return &comparison{cells: map[cell]map[uint64]*outcome{}} }

func (c *comparison) add(o *outcome) {
	at := cell{o.label(), o.policyWithoutSweep()}
	if !slices.Contains(c.scenarios, at.scenario) {
		c.scenarios = append(c.scenarios, at.scenario)
	}
	if !slices.Contains(c.policies, at.policy) {
		c.policies = append(c.policies, at.policy)
	}
	if c.cells[at] == nil {
		c.cells[at] = map[uint64]*outcome{}
	}
	c.cells[at][o.Seed] = o
}

// finding is what a comparison says of one policy in one scenario.
type finding struct {
	cell
	measure string
	value   estimate
	// against is the policy that the rest refers to, "" for none.
	against string
	ratio   float64 // of the means
	// difference is that of runs with the same seed, by which policies get the same
	// arrivals: its interval is the narrower one.
	difference estimate
}

// find is what there is to say of one measure; scenarios first, then policies.
func (c *comparison) find(m *measure, against string) []finding {
	var all []finding
	for _, scenario := range c.scenarios {
		reference := c.cells[cell{scenario, against}]
		for _, policy := range c.policies {
			at := cell{scenario, policy}
			if runs := c.cells[at]; len(runs) > 0 {
				f := finding{cell: at, measure: m.name, value: estimateOf(values(m, runs))}
				f.relate(m, runs, reference, against)
				all = append(all, f)
			}
		}
	}
	return all
}

func (f *finding) relate(m *measure, runs, reference map[uint64]*outcome, against string) {
	var mine, theirs, differences []float64
	for _, seed := range seedsOf(runs) {
		if other, ok := reference[seed]; ok {
			x, y := m.of(&runs[seed].Result), m.of(&other.Result)
			mine, theirs, differences = append(mine, x), append(theirs, y), append(differences, x-y)
		}
	}
	if len(differences) == 0 {
		return
	}
	f.against = against
	f.ratio = estimateOf(mine).mean / estimateOf(theirs).mean
	f.difference = estimateOf(differences)
}

func values(m *measure, runs map[uint64]*outcome) (list []float64) {
	for _, seed := range seedsOf(runs) {
		list = append(list, m.of(&runs[seed].Result))
	}
	return list
}

func seedsOf(runs map[uint64]*outcome) (list []uint64) {
	for seed := range runs {
		list = append(list, seed)
	}
	slices.Sort(list)
	return list
}

// matrix has a row for each scenario and a column for each policy.
func (c *comparison) matrix(corner string, findings []finding, text func(*finding) string) [][]string {
	rows := [][]string{append([]string{corner}, c.policies...)}
	for _, scenario := range c.scenarios {
		row := []string{scenario}
		for _, policy := range c.policies {
			i := slices.IndexFunc(findings, func(f finding) bool { return f.scenario == scenario && f.policy == policy })
			if i < 0 {
				row = append(row, "")
			} else {
				row = append(row, text(&findings[i]))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// markdown is a table of rows, the first being the heading.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---" + strings.Repeat("|---:", len(row)-1) + "|\n")
		}
	}
	return b.String()
}
