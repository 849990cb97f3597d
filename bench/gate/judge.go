package gate

import (
	"math"

	"zoobench/bench/stat"
)

// The error rates over all looks.
const (
	alarmRate = 0.025 // one benchmark or more called slower, or one or more called faster, that changed by less than the margin
	missRate  = 0.05  // a benchmark called the same that changed by the threshold or more
)

// oneSided is how many standard deviations are exceeded, to one side, as often as a change may be missed.
const oneSided = 1.645

// A judge holds a family of benchmarks and decides them look by look. Holm's correction stays valid over looks: a
// hypothesis, once rejected, stays so, and the first false rejection finds at least as many hypotheses unrejected as are
// true, at whichever look it comes; the looks share the rate.
type judge struct {
	rows      []Row
	threshold float64
	looks     int
	others    int
	beyond    float64 // standard deviations that one member or more of the family exceeds as often as there may be an alarm
	evidence  func(*Row) evidence
}

// newJudge is a judge of benchmarks none of which is decided.
func newJudge(benches []string, threshold float64, looks, others int) *judge {
	j := &judge{rows: make([]Row, len(benches)), threshold: threshold, looks: looks, others: others}
	j.beyond = math.Sqrt2 * math.Erfinv(1-2*alarmRate/float64(len(benches)+others))
	for i, b := range benches {
		j.rows[i] = Row{Bench: b, Verdict: Undecided, P: 1}
	}
	j.evidence = func(r *Row) evidence { return r.logs() }
	return j
}

// look judges the rows that are active, by index.
func (j *judge) look(active []int) {
	settle(j.rows)
	slower, faster := j.family(Slower), j.family(Faster)
	seen := make([]evidence, len(j.rows))
	for _, i := range active {
		row := &j.rows[i]
		margin := max(math.Log1p(j.threshold/2), row.Floor.at(row.Rounds), j.beyond*row.Floor.stray())
		seen[i] = j.evidence(row)
		slower[i], _ = seen[i].test(margin)
		_, faster[i] = seen[i].test(-margin)
	}
	slower, faster = stat.Holm(slower), stat.Holm(faster)
	for _, i := range active {
		row, looks := &j.rows[i], float64(j.looks)
		row.P = slower[i]
		change := math.Log1p(j.threshold) - oneSided*row.Floor.stray()
		_, up := seen[i].test(change)
		down, _ := seen[i].test(-change)
		row.NotSlower = row.NotSlower || up <= missRate/looks
		switch {
		case slower[i] <= alarmRate/looks:
			row.Verdict = Slower
		case faster[i] <= alarmRate/looks:
			row.Verdict = Faster
		case max(up, down) <= missRate/looks:
			row.Verdict = Same
		}
	}
}

// family are p-values before a look: 0 for what has been rejected, 1 for the rest.
func (j *judge) family(rejected Verdict) []float64 {
	p := make([]float64, len(j.rows)+j.others)
	for i := range p {
		p[i] = 1
		if i < len(j.rows) && j.rows[i].Verdict == rejected {
			p[i] = 0
		}
	}
	return p
}
