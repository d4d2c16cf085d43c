package rl

// change notices that predictions have become wrong: two cumulative sums of
// their errors, one for each sign. Page, "Continuous inspection schemes"
// (Biometrika 41, 1954). The zero value is ready.
type change struct{ up, down float64 }

const (
	// changeSlack is the mean error that is put up with. With errors of a standard
	// deviation of .3, right predictions give alarm once in a million outcomes;
	// predictions that are .2 off do after some 70.
	changeSlack = 0.05
	changeAlarm = 10
)

// add takes an error, outcome less prediction, and tells whether things have
// changed. It starts anew then.
func (c *change) add(err float64) bool {
	c.up = max(0, c.up+err-changeSlack)
	c.down = max(0, c.down-err-changeSlack)
	if c.up < changeAlarm && c.down < changeAlarm {
		return false
	}
	*c = change{}
	return true
}
