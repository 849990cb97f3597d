package choose

import (
	"cmp"
	"slices"

	"zoobench/bench/choose/heads"
)

// A wrongImage is an image that no network names rightly: often its label is the mistake.
type wrongImage struct {
	File        string  `json:"file"`
	Label       string  `json:"label"`
	Said        string  `json:"said"`        // by most networks
	Networks    int     `json:"networks"`    // that say so
	Probability float64 `json:"probability"` // the mean of all networks' for that class
}

// wrongByAll are the readable images that no network names rightly by the mean of its splits' probabilities, those first
// about which all are surest.
func (c *chooser) wrongByAll() (all []wrongImage) {
	voters := c.voters()
	for i, label := range c.task.Labels {
		if !c.readable[i] {
			continue
		}
		votes := make([]int, len(c.Classes))
		for _, r := range voters {
			votes[heads.Largest(r.probabilities.Row(i))]++
		}
		if votes[label] > 0 {
			continue
		}
		said := heads.Largest(votes)
		w := wrongImage{File: c.task.Files[i], Label: c.titles[label], Said: c.titles[said], Networks: votes[said]}
		for _, r := range voters {
			w.Probability += float64(r.probabilities.Row(i)[said]) / float64(len(voters))
		}
		all = append(all, w)
	}
	slices.SortStableFunc(all, func(a, b wrongImage) int { return cmp.Compare(b.Probability, a.Probability) })
	return first(all, mostWrong)
}

// A confusion is how often images of one class were taken for another.
type confusion struct {
	Label string  `json:"label"`
	Said  string  `json:"said"`
	N     float64 `json:"n"`  // the mean over the splits
	Of    int     `json:"of"` // images of the class
	Share float64 `json:"share"`
}

// confusions are the most frequent mistakes, the worst first, at most n of them.
func confusions(o heads.Outcome, titles []string, n int) []confusion {
	pairs := make([]int, o.Classes*o.Classes)
	of := make([]int, o.Classes)
	for _, label := range o.Labels {
		of[label]++
	}
	for i, p := range o.Predicted {
		if label := o.Labels[i%len(o.Labels)]; p >= 0 && p != label {
			pairs[label*o.Classes+p]++
		}
	}
	var all []confusion
	for i, count := range pairs {
		if count > 0 {
			label := i / o.Classes
			n := float64(count) / float64(o.Splits())
			all = append(all, confusion{titles[label], titles[i%o.Classes], n, of[label], n / float64(of[label])})
		}
	}
	slices.SortStableFunc(all, func(a, b confusion) int { return cmp.Compare(b.N, a.N) })
	return all[:min(n, len(all))]
}
