package findings

import (
	"fmt"
	"math"
	"strings"

	"zoobench/bench/stat"
)

// level is the error that a claim's comparisons may make together: that any of them counts without a difference.
const level = 0.05

// An answer is what one comparison says about a claim.
type answer int

const (
	unclear answer = iota
	yes
	no
)

func (a answer) String() string { return [...]string{"unclear", "yes", "no"}[a] }

// holds turns a plain fact into an answer.
func holds(b bool) answer {
	if b {
		return yes
	}
	return no
}

// A span is an estimate with its 95 % interval.
type span struct{ mid, lo, hi float64 }

func (s span) String() string { return fmt.Sprintf("%+.1f [%+.1f, %+.1f]", s.mid, s.lo, s.hi) }

// exactly is a figure that was counted.
func exactly(v float64) span { return span{v, v, v} }

// normal is the two-sided p-value of the truth being at a bound, by a normal distribution that has the span's end on the
// bound's side as its 95 % limit.
func (s span) normal(bound float64) float64 {
	const z95 = 1.959963984540054
	side := s.mid - s.lo
	if bound > s.mid {
		side = s.hi - s.mid
	}
	switch distance := math.Abs(s.mid - bound); {
	case distance == 0 || math.IsInf(side, 1):
		return 1
	default:
		return math.Erfc(distance / side * z95 / math.Sqrt2)
	}
}

// An estimate is a span with the two-sided p-value of the truth being at a bound.
type estimate struct {
	span
	at func(bound float64) float64
}

// above says whether the truth lies above x, with the p-value that decides whether that counts.
func (e estimate) above(x float64) (answer, float64) { return holds(e.mid > x), e.at(x) }

// below says whether the truth lies below x. Neither of two equal times is below the other.
func (e estimate) below(x float64) (answer, float64) { return holds(e.mid < x), e.at(x) }

// within says whether the truth lies between two bounds: both must be ruled out for yes, the nearer one for no.
func (e estimate) within(lo, hi float64) (answer, float64) {
	switch {
	case e.mid < lo:
		return no, e.at(lo)
	case e.mid > hi:
		return no, e.at(hi)
	}
	return yes, max(e.at(lo), e.at(hi))
}

// A comparison is one of those that a claim makes. It counts where it is significant after Holm's correction over all that
// the claim makes; a fact, which has no p-value, counts as it is.
type comparison struct {
	cells  []string
	says   string // a clause of the finding's sentence
	name   string // in the plot, "" where it is not in there
	shown  span   // in the plot
	claims answer // what it says about the claim if it counts
	p      float64
	fact   bool
	of     string // of the comparisons that share it, one that is as claimed is enough; "" for one that must be
}

// A tally is the comparisons of one claim.
type tally struct {
	heads []string
	all   []comparison
	plot  Plot // its estimates are the comparisons'
	lacks
}

func (t *tally) add(c comparison) { t.all = append(t.all, c) }

// fact adds what is certain without a test.
func (t *tally) fact(ok bool, says string, cells ...string) {
	t.add(comparison{claims: holds(ok), fact: true, says: says, cells: cells})
}

// show puts a counted figure into the plot for the comparison that was added last.
func (t *tally) show(name string, v float64) {
	c := &t.all[len(t.all)-1]
	c.name, c.shown = name, exactly(v)
}

// corrected are the comparisons' p-values after Holm's correction, 0 for facts.
func (t *tally) corrected() []float64 {
	var measured []float64
	for i := range t.all {
		if !t.all[i].fact {
			measured = append(measured, t.all[i].p)
		}
	}
	adjusted := stat.Holm(measured)
	all := make([]float64, len(t.all))
	for i := range t.all {
		if !t.all[i].fact {
			all[i], adjusted = adjusted[0], adjusted[1:]
		}
	}
	return all
}

// answers are what the comparisons say about the claim.
func (t *tally) answers() []answer {
	all := make([]answer, len(t.all))
	for i, p := range t.corrected() {
		if p < level {
			all[i] = t.all[i].claims
		}
	}
	return all
}

// parts are the answers, those of comparisons of which one is enough taken together: one yes makes a yes of them, and only
// all of them a no.
func (t *tally) parts() (parts []answer) {
	at := map[string]int{}
	for i, a := range t.answers() {
		of := t.all[i].of
		j, known := at[of]
		switch {
		case of == "" || !known:
			at[of] = len(parts)
			parts = append(parts, a)
		case a == yes || parts[j] == yes:
			parts[j] = yes
		case a != parts[j]:
			parts[j] = unclear
		}
	}
	return parts
}

// result turns comparisons into a verdict: a part that says no refutes; all that say yes confirm, where none of those that
// the claim names is missing. With one missing a whole claim is not testable, another not resolved. The sentence is the
// comparisons' own where it is empty.
func (t *tally) result(whole bool, sentence string) Result {
	r := Result{Missing: t.lacks, Plot: t.plot}
	answers, p := t.answers(), t.corrected()
	measured := false
	for i := range t.all {
		measured = measured || !t.all[i].fact
	}
	for i := range t.all {
		c := &t.all[i]
		cells := c.cells
		switch {
		case c.fact && measured:
			cells = append(cells, "–")
		case measured:
			cells = append(cells, probability(p[i]))
		}
		r.Rows = append(r.Rows, append(cells, answers[i].String()))
		if c.name != "" {
			group := [...]string{unclear: "unclear", yes: "as claimed", no: "against the claim"}[answers[i]]
			r.Plot.Estimates = append(r.Plot.Estimates, Estimate{c.name, c.shown.mid, c.shown.lo, c.shown.hi, group})
		}
	}
	if len(r.Rows) > 0 {
		r.Heads = t.heads
		if measured {
			r.Heads = append(r.Heads, "p, corrected")
		}
		r.Heads = append(r.Heads, "as claimed")
	}
	count := map[answer]int{}
	for _, a := range t.parts() {
		count[a]++
	}
	switch {
	case count[no] > 0:
		r.Verdict = Refuted
	case len(t.all) == 0 || whole && len(t.lacks) > 0:
		r.Verdict = Untestable
	case count[unclear] > 0 || len(t.lacks) > 0:
		r.Verdict = Unresolved
	default:
		r.Verdict = Confirmed
	}
	r.Summary = sentence
	if sentence == "" {
		r.Summary = t.sentence(answers)
	}
	if r.Summary != "" && len(t.lacks) > 0 && r.Verdict != Untestable {
		r.Summary += " A part of what the claim is about was not measured."
	}
	return r
}

// maxClauses bounds the comparisons that a sentence names.
const maxClauses = 4

// sentence is what was found, those comparisons first that are against the claim.
func (t *tally) sentence(answers []answer) string {
	var clauses []string
	for _, want := range []answer{no, yes, unclear} {
		for i, a := range answers {
			if says := t.all[i].says; a == want && says != "" {
				if a == unclear {
					says += " (this may be chance)"
				}
				clauses = append(clauses, says)
			}
		}
	}
	return sentence(clauses)
}

// sentence joins clauses to a sentence; it is empty without any.
func sentence(clauses []string) string {
	if len(clauses) == 0 {
		return ""
	}
	more := ""
	if n := len(clauses) - maxClauses; n > 0 {
		clauses = clauses[:maxClauses]
		more = fmt.Sprintf(" The table has %d more.", n)
	}
	return strings.Join(clauses, "; ") + "." + more
}

// probability is a p-value as text.
func probability(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}
