package heads

import (
	"context"
	"math/rand/v2"
	"slices"
)

// A Resampling says how to draw the images anew, with replacement, from a fixed seed.
type Resampling struct {
	Draws int
	// Group is the same number for images that look the same, nil where all differ. They are drawn together: they are one
	// observation, not several.
	Group []int

	// Among are the outcomes of which one might be taken, and Metric is what the best of them has most of. Both may be nil:
	// nothing is chosen.
	Among  []int
	Metric func(Score) float64

	Step func(done, total int) // hears how far it is; nil hears nothing
}

// Resampled is what the draws say of the outcomes.
type Resampled struct {
	// Scores are as Outcome.Score, the intervals of balanced accuracy and macro-F1 widened by the draws, and that of accuracy
	// where images look the same: Wilson's counts each of them.
	Scores            []Score
	Balanced, MacroF1 []Draws // by outcome
	// Expected is the score to be expected of the best of Among on other images, without intervals: on each draw the best is
	// chosen, and what it says of the images that are not in the draw is counted, over all draws, and scored (after
	// Tsamardinos, Greasidou and Borboudakis 2018, Machine Learning 107, 1895, who take the mean of the draws' scores; a draw
	// that leaves out no image of a small class has no mean over classes). The best outcome's own score is higher, the more
	// so the more outcomes there are and the fewer images: the best of many on some images is in part the luckiest. It is
	// nil where there are no two to choose from.
	Expected *Score
}

// Resample scores outcomes of the same images on many draws of these. All outcomes see the same draws.
func Resample(ctx context.Context, outcomes []Outcome, o Resampling) (*Resampled, error) {
	r := &Resampled{}
	if len(outcomes) == 0 {
		return r, nil
	}
	var counted []*cells
	for i := range outcomes {
		r.Scores, counted = append(r.Scores, outcomes[i].Score()), append(counted, newCells(outcomes[i]))
		r.Balanced, r.MacroF1 = append(r.Balanced, make(Draws, o.Draws)), append(r.MacroF1, make(Draws, o.Draws))
	}
	step := o.Step
	if step == nil {
		step = func(int, int) {}
	}
	c := newChoice(outcomes, o)
	s := newSampler(len(outcomes[0].Labels), o.Group)
	drawn, accuracy := make([]Score, len(outcomes)), make([]Draws, len(outcomes))
	for i := range accuracy {
		accuracy[i] = make(Draws, o.Draws)
	}
	for b := range o.Draws {
		if b%100 == 0 {
			step(b, o.Draws)
		}
		times := s.draw(b)
		for i, counted := range counted {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			drawn[i] = counted.score(times)
			r.Balanced[i][b], r.MacroF1[i][b] = drawn[i].Balanced.Value, drawn[i].MacroF1.Value
			accuracy[i][b] = drawn[i].Accuracy.Value
		}
		c.see(times, drawn)
	}
	for i := range r.Scores {
		r.Balanced[i].widen(&r.Scores[i].Balanced)
		r.MacroF1[i].widen(&r.Scores[i].MacroF1)
		if s.groups < len(s.group) {
			accuracy[i].widen(&r.Scores[i].Accuracy)
		}
	}
	r.Expected = c.expected()
	step(o.Draws, o.Draws)
	return r, nil
}

// A choice is of the best outcome on each draw, tested on what the draw leaves out.
type choice struct {
	Resampling
	outcomes []Outcome
	left     counts // of what draws leave out, by the outcome chosen
	rng      *rand.Rand
}

func newChoice(outcomes []Outcome, o Resampling) *choice {
	return &choice{Resampling: o, outcomes: outcomes, left: newCounts(outcomes[0].Classes), rng: rand.New(rand.NewPCG(2, 0))}
}

// see chooses by the scores on a draw and counts the images that are not in it.
func (c *choice) see(times []int32, drawn []Score) {
	chosen, equal := -1, 0
	for _, i := range c.Among {
		switch {
		case chosen < 0 || c.Metric(drawn[i]) > c.Metric(drawn[chosen]):
			chosen, equal = i, 1
		case c.Metric(drawn[i]) == c.Metric(drawn[chosen]):
			// Of equals each is as likely: their order would say something of the images left out.
			if equal++; c.rng.IntN(equal) == 0 {
				chosen = i
			}
		}
	}
	if chosen < 0 {
		return
	}
	for i, n := range times {
		if n == 0 {
			c.outcomes[chosen].count(&c.left, i)
		}
	}
}

// expected is the score of what was left out, nil where there was no choice.
func (c *choice) expected() *Score {
	if len(c.Among) < 2 || slices.Max(c.left.label) == 0 {
		return nil
	}
	s := c.left.score()
	return &s
}

// Draws are the values of a metric on each draw of the images.
type Draws []float64

// widen makes an estimate's interval hold the middle 95 % of its values.
func (d Draws) widen(e *Estimate) {
	sorted := slices.Sorted(slices.Values(d))
	e.Lo, e.Hi = min(e.Lo, sorted[len(sorted)*25/1000]), max(e.Hi, sorted[len(sorted)*975/1000])
}

// Different is the two-sided p-value of a difference by its values on the same draws: twice the smaller share of draws
// on which it is not above, or not below, zero, each share with one draw more, which the images themselves are
// (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 4.2).
func (d Draws) Different(other Draws) float64 {
	const equal = 1e-12 // sums in another order
	below, above := 1, 1
	for b, v := range d {
		if v-other[b] < equal {
			below++
		}
		if v-other[b] > -equal {
			above++
		}
	}
	return min(1, 2*float64(min(below, above))/float64(len(d)+1))
}

// A sampler draws groups of images with replacement.
type sampler struct {
	group  []int // of each image, from 0 without a gap
	groups int
	drawn  []int32 // by group
	times  []int32 // by image
}

// newSampler takes the groups of n images by any names, nil where each image is its own.
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

// draw is how often each image is in the b-th draw, until the next. It depends on b alone, so that all heads see the same
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

// cells are an outcome by what was predicted for which class, for counting it many times: most images are in few cells.
type cells struct {
	of               []int32 // (splits, images), each prediction's cell
	label, predicted []int   // each cell's; −1 where nothing was predicted
	hist             [2][]int32
	counts           counts
}

func newCells(o Outcome) *cells {
	c := &cells{of: make([]int32, len(o.Predicted)), counts: newCounts(o.Classes)}
	number := map[[2]int]int32{}
	for i, predicted := range o.Predicted {
		label := o.Labels[i%len(o.Labels)]
		key := [2]int{label, predicted}
		n, known := number[key]
		if !known {
			n = int32(len(number))
			number[key] = n
			c.label, c.predicted = append(c.label, label), append(c.predicted, predicted)
		}
		c.of[i] = n
	}
	c.hist = [2][]int32{make([]int32, len(c.label)), make([]int32, len(c.label))}
	return c
}

// score is the outcome's score on images of which each is there so many times.
func (c *cells) score(times []int32) Score {
	even, odd := c.hist[0], c.hist[1] // neighbours are often in one cell: two sums do not wait for each other
	clear(even)
	clear(odd)
	for of := c.of; len(of) >= len(times); of = of[len(times):] { // a split
		i := 0
		for ; i+1 < len(of) && i+1 < len(times); i += 2 {
			even[of[i]] += times[i]
			odd[of[i+1]] += times[i+1]
		}
		if i < len(times) {
			even[of[i]] += times[i]
		}
	}
	clear(c.counts.label)
	clear(c.counts.predicted)
	clear(c.counts.both)
	for cell, label := range c.label {
		n := int(even[cell] + odd[cell])
		c.counts.label[label] += n
		if predicted := c.predicted[cell]; predicted >= 0 {
			c.counts.predicted[predicted] += n
			if predicted == label {
				c.counts.both[label] += n
			}
		}
	}
	return c.counts.score()
}
