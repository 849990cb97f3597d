package choose

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"zoobench/bench/choose/heads"
)

// A WhatIf is a network, or several together, that might be used.
type WhatIf struct {
	Kind     string         `json:"kind"` // "network", "cascade", "ensemble"
	Name     string         `json:"name"`
	Accuracy heads.Estimate `json:"accuracy"`
	Balanced heads.Estimate `json:"balanced_accuracy,omitzero"` // not of cascades
	// Latency is a mean over the readable images. A cascade's second network answers the share Second of them: those of
	// which the first gives its class a probability below Threshold.
	Latency   int64   `json:"latency_mean_ns"`
	Second    float64 `json:"second_share,omitempty"`
	Threshold float64 `json:"threshold,omitempty"`
}

// Below is a cascade's threshold in as many digits as it takes to separate the same images, "all" where there is none
// that leaves an image to the first network alone.
func (w WhatIf) Below() string {
	if w.Second == 1 {
		return "all"
	}
	return strconv.FormatFloat(w.Threshold, 'g', -1, 32)
}

// draws is how often the images are drawn anew for intervals.
const draws = 1000

// scored adds the scores of outcomes to what they are of.
func (a *Answers) scored(ctx context.Context, all []WhatIf, outcomes []heads.Outcome) error {
	r, err := heads.Resample(ctx, outcomes, heads.Resampling{Draws: draws, Group: a.Group})
	if err != nil {
		return err
	}
	for i, s := range r.Scores {
		all[i].Accuracy, all[i].Balanced = s.Accuracy, s.Balanced
	}
	return nil
}

// Alone are the networks by themselves, the most accurate first.
func (a *Answers) Alone(ctx context.Context) ([]WhatIf, error) {
	var all []WhatIf
	var outcomes []heads.Outcome
	for i := range a.From {
		f := &a.From[i]
		all = append(all, WhatIf{Kind: "network", Name: f.title(), Latency: f.Latency})
		outcomes = append(outcomes, a.outcome(f.probabilities.Row))
	}
	if err := a.scored(ctx, all, outcomes); err != nil {
		return nil, err
	}
	sortWhatIfs(all)
	return all, nil
}

// mostPaired bounds the networks with their heads of which pairs are made: 20 make 190.
const mostPaired = 20

// A partner is one of a pair, with what it says alone.
type partner struct {
	*Answerer
	outcome heads.Outcome
	rights  int
	front   bool
}

// partners are what pairs are made of: of networks proper those that no quicker one reaches, the most accurate first, and
// then the most accurate others, at most mostPaired.
func (a *Answers) partners() (all []partner) {
	for i := range a.From {
		if f := &a.From[i]; f.Head != headNearest {
			o := a.outcome(f.probabilities.Row)
			all = append(all, partner{Answerer: f, rights: o.Rights()})
		}
	}
	for i := range all {
		p := &all[i]
		p.front = p.Latency > 0 && !slices.ContainsFunc(all, func(q partner) bool {
			return q.Latency > 0 && q.Latency <= p.Latency && q.rights > p.rights
		})
	}
	before := func(p partner) int {
		if p.front {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(p, q partner) int {
		return cmp.Or(cmp.Compare(before(p), before(q)), cmp.Compare(q.rights, p.rights))
	})
	all = first(all, mostPaired)
	for i := range all {
		all[i].outcome = a.outcome(all[i].probabilities.Row)
	}
	return all
}

// leftOut is how many networks with their heads no pair is made of.
func (a *Answers) leftOut() int {
	n := 0
	for _, f := range a.From {
		if f.Head != headNearest {
			n++
		}
	}
	return max(0, n-mostPaired)
}

// Ensembles are the most accurate pairs of networks whose probabilities are averaged, the best first and at most so many,
// 0 for all. Both are run for each image.
func (a *Answers) Ensembles(ctx context.Context, most int) ([]WhatIf, error) {
	type pair struct {
		f, g    *Answerer
		latency int64
		rights  int
	}
	mean := make([]float32, len(a.Classes))
	together := func(p pair) heads.Outcome {
		return a.outcome(func(i int) []float32 {
			f, g := p.f.probabilities.Row(i), p.g.probabilities.Row(i)
			for c := range mean {
				mean[c] = (f[c] + g[c]) / 2
			}
			return mean
		})
	}
	var pairs []pair
	from := a.partners()
	for i, f := range from {
		for _, g := range from[i+1:] {
			if f.Name == g.Name {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p := pair{f: f.Answerer, g: g.Answerer, latency: f.Latency + g.Latency}
			o := together(p)
			p.rights = o.Rights()
			pairs = append(pairs, p)
		}
	}
	slices.SortStableFunc(pairs, func(p, q pair) int {
		return cmp.Or(cmp.Compare(q.rights, p.rights), cmp.Compare(p.latency, q.latency))
	})
	if most > 0 {
		pairs = first(pairs, most)
	}
	var all []WhatIf
	var outcomes []heads.Outcome
	for _, p := range pairs {
		all = append(all, WhatIf{Kind: "ensemble", Name: p.f.title() + " + " + p.g.title(), Latency: p.latency})
		outcomes = append(outcomes, together(p))
	}
	return all, a.scored(ctx, all, outcomes)
}

// cascadeSteps are the shares of images that a cascade's second network is asked about, in twentieths.
const cascadeSteps = 20

// Cascades are pairs of networks of which the quicker answers and the slower one is asked where the first is unsure: each
// pair's curve of accuracy against mean latency, from no image asked about to all.
func (a *Answers) Cascades(ctx context.Context) (curves [][]WhatIf, err error) {
	from := a.partners()
	for i := range from {
		first := &from[i]
		if first.Latency == 0 || first.Batch > 1 {
			continue // of a batch, some images would be unsure and others not
		}
		u := a.unsure(first)
		for j := range from {
			if second := &from[j]; second.Latency > first.Latency {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				curves = append(curves, u.cascade(second))
			}
		}
	}
	return curves, nil
}

// unsure is the readable images in the order in which a network asks another one about them.
type unsure struct {
	*partner
	images []int
	sure   []float32 // of images, ascending
}

func (a *Answers) unsure(first *partner) *unsure {
	u := &unsure{partner: first}
	sure := make([]float32, len(a.Files))
	for i, read := range a.Read {
		if read {
			row := first.probabilities.Row(i)
			sure[i] = row[heads.Largest(row)]
			u.images = append(u.images, i)
		}
	}
	slices.SortStableFunc(u.images, func(i, j int) int { return cmp.Compare(sure[i], sure[j]) })
	for _, i := range u.images {
		u.sure = append(u.sure, sure[i])
	}
	return u
}

// cascade is a pair's curve. Images of which the first network is as sure are asked about together or not at all: no
// threshold separates them. A step that asks about no more images than the one before it is no point.
func (u *unsure) cascade(second *partner) (curve []WhatIf) {
	rights, asked := u.rights, 0
	for step := range cascadeSteps + 1 {
		want, before := len(u.images)*step/cascadeSteps, asked
		for asked < want || asked > before && asked < len(u.images) && u.sure[asked] == u.sure[asked-1] {
			i := u.images[asked]
			rights += second.outcome.Right(i) - u.outcome.Right(i)
			asked++
		}
		if step > 0 && asked == before {
			continue
		}
		w := WhatIf{Kind: "cascade", Name: u.title() + " → " + second.title()}
		switch {
		case asked < len(u.images):
			w.Threshold = float64(u.sure[asked])
		case asked > 0:
			w.Threshold = math.Nextafter(float64(u.sure[asked-1]), 2)
		}
		if asked > 0 {
			w.Second = float64(asked) / float64(len(u.images))
		}
		w.Latency = u.Latency + int64(w.Second*float64(second.Latency))
		w.Accuracy = heads.Share(rights, len(u.outcome.Labels))
		curve = append(curve, w)
	}
	return curve
}

// BestCascades are, of each pair, the most accurate point whose mean latency keeps the budget, 0 for any: the most
// accurate pair first. A point that asks nobody or everybody is no cascade.
func (a *Answers) BestCascades(ctx context.Context, budget int64) (all []WhatIf, err error) {
	curves, err := a.Cascades(ctx)
	if err != nil {
		return nil, err
	}
	for _, curve := range curves {
		found := -1
		for i, w := range curve {
			keeps := w.Second > 0 && w.Second < 1 && (budget == 0 || w.Latency <= budget)
			if keeps && (found < 0 || w.Accuracy.Value > curve[found].Accuracy.Value) {
				found = i
			}
		}
		if found >= 0 {
			all = append(all, curve[found])
		}
	}
	sortWhatIfs(all)
	return all, nil
}

func sortWhatIfs(all []WhatIf) {
	slices.SortStableFunc(all, func(a, b WhatIf) int {
		return cmp.Or(cmp.Compare(b.Accuracy.Value, a.Accuracy.Value), cmp.Compare(a.Latency, b.Latency))
	})
}

// Caveat says what is to be doubted about the figures of a whole list of what-ifs.
func (a *Answers) Caveat() string {
	text := "The most accurate of many pairs look better than they are: luck on these images helps them. " +
		"The intervals do not include this effect."
	if a.Splits > 1 {
		text += fmt.Sprintf(" These figures are of the mean of the probabilities in %d splits, which is right a little more often than "+
			"the heads one by one.", a.Splits)
	}
	if n := a.leftOut(); n > 0 {
		text += fmt.Sprintf(" Only %d networks with their heads form pairs: those that no network of lower latency matches, and then the "+
			"most accurate; "+
			"%d are left out.",
			mostPaired, n)
	}
	return text
}
