package choose

import (
	"math"
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
	Balanced Estimate `json:"balanced_accuracy"` // the mean of the classes' accuracies, a bootstrap's interval joined with Wilson's
	MacroF1  Estimate `json:"macro_f1"`          // the mean of the classes' F1, a bootstrap's interval joined with Wilson's
}

// An outcome is what was said of each picture.
type outcome struct {
	classes   int
	labels    []int
	predicted []int // −1 where nothing was said
}

// rights is how many pictures are named rightly.
func (o *outcome) rights() (n int) {
	for i := range o.labels {
		if o.right(i) {
			n++
		}
	}
	return n
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

func newCounts(classes int) counts {
	return counts{make([]int, classes), make([]int, classes), make([]int, classes)}
}

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

// score is what the counts say, without intervals.
func (c *counts) score() (s Score) {
	n, right := 0, 0
	for class := range c.label {
		n, right = n+c.label[class], right+c.both[class]
	}
	s.Accuracy.Value = float64(right) / float64(n)
	s.Balanced.Value, s.MacroF1.Value = c.means()
	return s
}

// score is what a head does on all pictures. The intervals of balanced accuracy and macro-F1 are Wilson's alone: resample
// widens them by the bootstrap's.
func score(o outcome) Score {
	c := newCounts(o.classes)
	for i := range o.labels {
		o.count(&c, i)
	}
	s := c.score()
	s.Accuracy.Lo, s.Accuracy.Hi = stat.Wilson(o.rights(), len(o.labels))
	c.wilson(&s)
	return s
}

// wilson sets the intervals of balanced accuracy and macro-F1 that each class's Wilson interval carries. A bootstrap of
// pictures that are all right draws nothing but right ones and has no width; these have one.
//
// A class's accuracy is a share of its pictures. Its F1 is 2J/(1+J), where J is the share of the rightly named among the
// pictures that are of the class or said to be of it (Lam, Gopal and Qian 2023, arXiv:2309.14621, "Wilson indirect"). The
// mean over the classes takes the root of the sum of the squared distances to their limits (Zou, Huang and Zhang 2009,
// Computational Statistics & Data Analysis 53, 1080). The classes' accuracies are independent; of their F1 each mistake
// lowers two, which makes the squares of the sum up to twice the sum of the squares.
func (c *counts) wilson(s *Score) {
	present := 0
	var balanced, f1 [2]float64 // squares, below and above
	for class, n := range c.label {
		if n == 0 {
			continue
		}
		present++
		both := c.both[class]
		lo, hi := stat.Wilson(both, n)
		value := float64(both) / float64(n)
		balanced[0] += (value - lo) * (value - lo)
		balanced[1] += (hi - value) * (hi - value)

		of := func(j float64) float64 { return 2 * j / (1 + j) }
		either := n + c.said[class] - both
		lo, hi = stat.Wilson(both, either)
		value = of(float64(both) / float64(either))
		f1[0] += 2 * (value - of(lo)) * (value - of(lo))
		f1[1] += 2 * (of(hi) - value) * (of(hi) - value)
	}
	set := func(e *Estimate, squares [2]float64) {
		e.Lo = max(0, e.Value-math.Sqrt(squares[0])/float64(present))
		e.Hi = min(1, e.Value+math.Sqrt(squares[1])/float64(present))
	}
	set(&s.Balanced, balanced)
	set(&s.MacroF1, f1)
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
