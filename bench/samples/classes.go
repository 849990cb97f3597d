package samples

import (
	"cmp"
	"slices"

	"zoobench/bench/stat"
)

// A Class is a class's accuracy.
type Class struct {
	Class  int     `json:"class"`
	Name   string  `json:"name"`
	Images int     `json:"n_images"`
	Top1   float64 `json:"top1"` // percent
	Lo     float64 `json:"top1_lo"`
	Hi     float64 `json:"top1_hi"`
	Top5   float64 `json:"top5"`
}

// Classes returns the classes' accuracies, the worst first. An image of several labels counts for its first.
func Classes(e Evaluation) []Class {
	type count struct{ n, top1, top5 int }
	counts := map[int]count{}
	for i := range e.Samples {
		s := &e.Samples[i]
		if len(s.Labels) == 0 {
			continue
		}
		c := counts[s.Labels[0]]
		c.n++
		if rank := s.Rank(); rank > 0 {
			c.top5++
			if rank == 1 {
				c.top1++
			}
		}
		counts[s.Labels[0]] = c
	}
	var rows []Class
	className := namer(e)
	for class, c := range counts {
		lo, hi := stat.Wilson(c.top1, c.n)
		rows = append(rows, Class{
			Class: class, Name: className(class), Images: c.n, Top1: 100 * float64(c.top1) / float64(c.n), Lo: 100 * lo, Hi: 100 * hi,
			Top5: 100 * float64(c.top5) / float64(c.n),
		})
	}
	slices.SortFunc(rows, func(a, b Class) int { return cmp.Or(cmp.Compare(a.Top1, b.Top1), cmp.Compare(a.Class, b.Class)) })
	return rows
}

// A Confusion is a pair of classes of which one is taken for the other.
type Confusion struct {
	Label     int     `json:"label"`
	LabelName string  `json:"label_name"`
	Taken     int     `json:"taken_for"`
	TakenName string  `json:"taken_for_name"`
	Images    int     `json:"n_images"`
	Share     float64 `json:"share"`   // percent of the label's images
	Example   string  `json:"example"` // the first such image
}

// Confusions returns the pairs of classes, the most frequent first.
func Confusions(e Evaluation) []Confusion {
	type pair struct{ label, taken int }
	counts, examples, perLabel := map[pair]int{}, map[pair]string{}, map[int]int{}
	for i := range e.Samples {
		s := &e.Samples[i]
		if len(s.Labels) == 0 {
			continue
		}
		perLabel[s.Labels[0]]++
		if len(s.Top5) == 0 || s.Rank() == 1 {
			continue
		}
		p := pair{s.Labels[0], s.Top5[0]}
		if counts[p]++; counts[p] == 1 {
			examples[p] = s.File
		}
	}
	var rows []Confusion
	className := namer(e)
	for p, n := range counts {
		rows = append(rows, Confusion{
			Label: p.label, LabelName: className(p.label), Taken: p.taken, TakenName: className(p.taken), Images: n,
			Share: 100 * float64(n) / float64(perLabel[p.label]), Example: examples[p],
		})
	}
	slices.SortFunc(rows, func(a, b Confusion) int {
		return cmp.Or(cmp.Compare(b.Images, a.Images), cmp.Compare(b.Share, a.Share),
			cmp.Compare(a.Label, b.Label), cmp.Compare(a.Taken, b.Taken))
	})
	return rows
}
