package choose

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// resamples is how often the bootstrap draws the pictures anew, with replacement, from a fixed seed.
const resamples = 1000

// A sampler draws pictures with replacement. Pictures of a group, which look the same, are drawn together: they are one
// observation, not several.
type sampler struct {
	group  []int // of each picture, from 0 without a gap
	groups int
	drawn  []int32 // by group
	times  []int32 // by picture
}

// newSampler takes the groups of n pictures by any names, nil where each picture is its own.
func newSampler(n int, group []int) *sampler {
	s := &sampler{group: make([]int, n)}
	if group == nil {
		for i := range s.group {
			s.group[i] = i
		}
		s.groups = n
	} else {
		number := map[int]int{}
		for i, g := range group {
			if _, known := number[g]; !known {
				number[g] = len(number)
			}
			s.group[i] = number[g]
		}
		s.groups = len(number)
	}
	s.drawn, s.times = make([]int32, s.groups), make([]int32, n)
	return s
}

// draw is how often each picture is in the b-th draw, until the next. It hangs on b alone, so that all heads see the same
// draws.
func (s *sampler) draw(b int) []int32 {
	rng := rand.New(rand.NewPCG(1, uint64(b)))
	clear(s.drawn)
	for range s.groups {
		s.drawn[rng.IntN(s.groups)]++
	}
	for i, g := range s.group {
		s.times[i] = s.drawn[g]
	}
	return s.times
}

// cells are an outcome by what was said of which class, for counting it many times: most pictures fall into few cells.
type cells struct {
	of          []int32 // each picture's cell
	label, said []int   // each cell's; −1 where nothing was said
	hist        [2][]int32
	counts      counts
}

func newCells(o outcome) *cells {
	c := &cells{of: make([]int32, len(o.labels)), counts: newCounts(o.classes)}
	number := map[[2]int]int32{}
	for i, label := range o.labels {
		key := [2]int{label, o.predicted[i]}
		n, known := number[key]
		if !known {
			n = int32(len(number))
			number[key] = n
			c.label, c.said = append(c.label, label), append(c.said, o.predicted[i])
		}
		c.of[i] = n
	}
	c.hist = [2][]int32{make([]int32, len(c.label)), make([]int32, len(c.label))}
	return c
}

// score is what the outcome has of pictures that are there so many times each.
func (c *cells) score(times []int32) Score {
	even, odd := c.hist[0], c.hist[1] // neighbours are often in one cell: two sums do not wait for each other
	clear(even)
	clear(odd)
	i := 0
	for ; i+1 < len(c.of) && i+1 < len(times); i += 2 {
		even[c.of[i]] += times[i]
		odd[c.of[i+1]] += times[i+1]
	}
	if i < len(c.of) {
		even[c.of[i]] += times[i]
	}
	clear(c.counts.label)
	clear(c.counts.said)
	clear(c.counts.both)
	for cell, label := range c.label {
		n := int(even[cell] + odd[cell])
		c.counts.label[label] += n
		if said := c.said[cell]; said >= 0 {
			c.counts.said[said] += n
			if said == label {
				c.counts.both[label] += n
			}
		}
	}
	return c.counts.score()
}

// resampled are the values of a metric on each draw.
type resampled []float64

// interval widens an estimate's interval to hold the middle 95 % of its values.
func (r resampled) interval(e *Estimate) {
	sorted := slices.Sorted(slices.Values(r))
	e.Lo, e.Hi = min(e.Lo, sorted[len(sorted)*25/1000]), max(e.Hi, sorted[len(sorted)*975/1000])
}

// different is the two-sided p-value of a difference by its values on the same draws: twice the smaller share of draws
// on which it is not above, or not below, zero, each share with one draw more, which the pictures themselves are
// (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 4.2).
func (r resampled) different(other resampled) float64 {
	const equal = 1e-12 // sums in another order
	below, above := 1, 1
	for b, v := range r {
		if v-other[b] < equal {
			below++
		}
		if v-other[b] > -equal {
			above++
		}
	}
	return min(1, 2*float64(min(below, above))/float64(len(r)+1))
}

// leastP is the least p-value that pictures can show which two heads name differently: by chance alone, all of them speak
// for the same head with this probability.
func leastP(a, b outcome) float64 {
	n := 0
	for i, p := range a.predicted {
		if p != b.predicted[i] {
			n++
		}
	}
	return min(1, math.Pow(2, float64(1-n)))
}

// resample scores outcomes on many draws, widens the intervals of their scores and returns what each has on each draw. See,
// where it is not nil, gets every draw, how often each picture is in it, with the scores, without intervals. Step hears
// how far it is.
func resample(ctx context.Context, s *sampler, many int, outcomes []*cells, scores []*Score, see func(times []int32, drawn []Score), step func(done, total int)) (balanced, f1 []resampled, err error) {
	for range outcomes {
		balanced, f1 = append(balanced, make(resampled, many)), append(f1, make(resampled, many))
	}
	drawn := make([]Score, len(outcomes))
	for b := range many {
		if b%100 == 0 && step != nil {
			step(b, many)
		}
		times := s.draw(b)
		for i, o := range outcomes {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			drawn[i] = o.score(times)
			balanced[i][b], f1[i][b] = drawn[i].Balanced.Value, drawn[i].MacroF1.Value
		}
		if see != nil {
			see(times, drawn)
		}
	}
	for i, score := range scores {
		balanced[i].interval(&score.Balanced)
		f1[i].interval(&score.MacroF1)
	}
	if step != nil {
		step(many, many)
	}
	return balanced, f1, nil
}

// drawsFor is how many draws tell rows apart: Holm's correction multiplies the least p-value, two of the draws and one,
// by the number of comparisons, and what remains must be able to come below 5 %.
func drawsFor(rows int, m Metric) int {
	if m == Accuracy {
		return resamples // tested by right answers, without draws
	}
	return max(resamples, 50*rows)
}

// resampleRows scores rows on draws of the pictures: it widens their intervals, gives them the metric's values that tests
// compare, and returns what is to be expected, by the metric, of taking the best of the rows that are allowed: on each
// draw the best is chosen, and what it makes of the pictures that are not in the draw is counted, over all draws, and
// scored (after Tsamardinos, Greasidou and Borboudakis 2018, Machine Learning 107, 1895, who take the mean of the draws'
// scores; a draw that leaves out no picture of a small class has no mean over classes). The best row's own figure is higher,
// the more so the more rows there are and the fewer pictures: the best of many on some pictures is in part the luckiest. It
// is nil where there is nothing to choose from.
func resampleRows(ctx context.Context, rows []*Row, group []int, m Metric, allowed func(*Row) bool, step func(done, total int)) (expected *float64, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var outcomes []*cells
	var scores []*Score
	var from []int
	for i, r := range rows {
		outcomes, scores = append(outcomes, newCells(r.outcome)), append(scores, &r.Score)
		if r.competes() && allowed(r) {
			from = append(from, i)
		}
	}
	many := drawsFor(len(rows), m)
	left := newCounts(rows[0].outcome.classes)
	rng := rand.New(rand.NewPCG(2, 0))
	see := func(times []int32, drawn []Score) {
		chosen, equal := -1, 0
		for _, i := range from {
			switch {
			case chosen < 0 || m.of(drawn[i]).Value > m.of(drawn[chosen]).Value:
				chosen, equal = i, 1
			case m.of(drawn[i]).Value == m.of(drawn[chosen]).Value:
				// Of equals each is as likely: their order in the table would tell of the pictures left out.
				if equal++; rng.IntN(equal) == 0 {
					chosen = i
				}
			}
		}
		if chosen < 0 {
			return
		}
		for i, n := range times {
			if n == 0 {
				rows[chosen].outcome.count(&left, i)
			}
		}
	}
	balanced, f1, err := resample(ctx, newSampler(len(rows[0].outcome.labels), group), many, outcomes, scores, see, step)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		switch m {
		case Balanced:
			r.resampled = balanced[i]
		case MacroF1:
			r.resampled = f1[i]
		}
	}
	if len(from) < 2 || slices.Max(left.label) == 0 {
		return nil, nil
	}
	value := m.of(left.score()).Value
	return &value, nil
}
