package choose

import (
	"math/rand/v2"
	"slices"

	"zoobench/bench/stat"
)

// An Estimate is a share from 0 to 1 with its 95 % interval.
type Estimate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// A Score says how well a head does on pictures that it has not learned from. An unreadable picture counts as wrong.
type Score struct {
	Accuracy Estimate `json:"accuracy"`          // of pictures, Wilson's interval
	Balanced Estimate `json:"balanced_accuracy"` // the mean of the classes' accuracies, a bootstrap's interval
	MacroF1  Estimate `json:"macro_f1"`          // the mean of the classes' F1, a bootstrap's interval
}

// An outcome is what was said of each picture.
type outcome struct {
	classes   int
	labels    []int
	predicted []int // −1 where nothing was said
}

// outcome takes the likeliest class of each picture that is in a fold.
func (s *study) outcome(probabilities table) outcome {
	o := outcome{classes: s.classes, labels: s.labels, predicted: make([]int, len(s.labels))}
	for i, fold := range s.fold {
		if o.predicted[i] = -1; fold != unreadable {
			o.predicted[i] = best(probabilities.row(i))
		}
	}
	return o
}

// right tells whether picture i was named rightly.
func (o *outcome) right(i int) bool { return o.predicted[i] == o.labels[i] }

// counts are the pictures of each class, those said to be of it, and those of both.
type counts struct{ label, said, both []int }

func (o *outcome) count(c *counts, i int) {
	c.label[o.labels[i]]++
	if p := o.predicted[i]; p >= 0 {
		c.said[p]++
		if p == o.labels[i] {
			c.both[p]++
		}
	}
}

// means are balanced accuracy and macro-F1, over the classes that have pictures.
func (c *counts) means() (balanced, f1 float64) {
	present := 0
	for class, n := range c.label {
		if n == 0 {
			continue
		}
		present++
		balanced += float64(c.both[class]) / float64(n)
		f1 += 2 * float64(c.both[class]) / float64(n+c.said[class])
	}
	return balanced / float64(present), f1 / float64(present)
}

// resamples is how often the bootstrap draws the pictures anew, with replacement, from a fixed seed.
const resamples = 1000

func score(o outcome) Score {
	var s Score
	n, correct := len(o.labels), 0
	c := counts{make([]int, o.classes), make([]int, o.classes), make([]int, o.classes)}
	for i := range n {
		o.count(&c, i)
		if o.right(i) {
			correct++
		}
	}
	s.Accuracy.Value = float64(correct) / float64(n)
	s.Accuracy.Lo, s.Accuracy.Hi = stat.Wilson(correct, n)
	s.Balanced.Value, s.MacroF1.Value = c.means()

	rng := rand.New(rand.NewPCG(1, 0))
	var balanced, f1 []float64
	for range resamples {
		clear(c.label)
		clear(c.said)
		clear(c.both)
		for range n {
			o.count(&c, rng.IntN(n))
		}
		b, f := c.means()
		balanced, f1 = append(balanced, b), append(f1, f)
	}
	interval := func(e *Estimate, v []float64) {
		slices.Sort(v)
		e.Lo, e.Hi = v[len(v)*25/1000], v[len(v)*975/1000]
	}
	interval(&s.Balanced, balanced)
	interval(&s.MacroF1, f1)
	return s
}

// paired is McNemar's test of two heads on the same pictures: how many each alone has right, and the p-value.
func paired(a, b outcome) (onlyA, onlyB int, p float64) {
	for i := range a.labels {
		switch right := a.right(i); {
		case right && !b.right(i):
			onlyA++
		case !right && b.right(i):
			onlyB++
		}
	}
	return onlyA, onlyB, stat.McNemar(onlyA, onlyB)
}

// significant is the family-wise error rate of all verdicts.
const significant = 0.05

// ties gives heads, ordered from the best, their tie groups, 0 first: a group is a head and those behind it that are not
// measurably worse, by McNemar's test on the same pictures and Holm's correction over the group's comparisons. P is each
// head's corrected p-value against its group's first, 1 for that one itself.
func ties(ordered []outcome) (group []int, p []float64) {
	group, p = make([]int, len(ordered)), make([]float64, len(ordered))
	for first, g := 0, 0; first < len(ordered); g++ {
		var raw []float64
		for i := first + 1; i < len(ordered); i++ {
			onlyFirst, onlyOther, value := paired(ordered[first], ordered[i])
			if onlyOther >= onlyFirst {
				value = 1 // worse by another measure, not by right answers
			}
			raw = append(raw, value)
		}
		adjusted := stat.Holm(raw)
		p[first], group[first] = 1, g
		next := first + 1
		for ; next < len(ordered) && adjusted[next-first-1] >= significant; next++ {
			group[next], p[next] = g, adjusted[next-first-1]
		}
		first = next
	}
	return group, p
}

// A Confusion is how often pictures of one class were taken for another.
type Confusion struct {
	Label string  `json:"label"`
	Said  string  `json:"said"`
	N     int     `json:"n"`
	Of    int     `json:"of"` // pictures of the class
	Share float64 `json:"share"`
}

// confusions are the most frequent mistakes, the worst first, at most n of them.
func confusions(o outcome, titles []string, n int) []Confusion {
	pairs := make([]int, o.classes*o.classes)
	of := make([]int, o.classes)
	for i, label := range o.labels {
		of[label]++
		if p := o.predicted[i]; p >= 0 && p != label {
			pairs[label*o.classes+p]++
		}
	}
	var all []Confusion
	for i, count := range pairs {
		if count > 0 {
			label := i / o.classes
			all = append(all, Confusion{titles[label], titles[i%o.classes], count, of[label], float64(count) / float64(of[label])})
		}
	}
	slices.SortStableFunc(all, func(a, b Confusion) int { return b.N - a.N })
	return all[:min(n, len(all))]
}
