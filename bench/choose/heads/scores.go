package heads

import (
	"math"

	"zoobench/bench/stat"
)

// An Estimate is a share from 0 to 1 with its 95 % interval.
type Estimate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// Share is the estimate of a share by a count, with Wilson's interval.
func Share(count, of int) Estimate {
	lo, hi := stat.Wilson(count, of)
	return Estimate{Value: float64(count) / float64(of), Lo: lo, Hi: hi}
}

// A Score says how well a head does on images that it has not learned from. An unreadable image counts as wrong.
type Score struct {
	Accuracy Estimate `json:"accuracy"`          // of images, Wilson's interval
	Balanced Estimate `json:"balanced_accuracy"` // the mean of the classes' accuracies, a bootstrap's interval joined with Wilson's
	MacroF1  Estimate `json:"macro_f1"`          // the mean of the classes' F1, a bootstrap's interval joined with Wilson's
}

// An Outcome is the class that was predicted for each image.
type Outcome struct {
	Classes   int
	Labels    []int // (images)
	Predicted []int // (images); −1 where nothing was predicted, which counts as wrong
}

// Decide takes the likeliest class of each image by a row of probabilities of the classes. Nothing is predicted for an
// image that was not read, nor where all of the row is zero, as it may be on some of the classes.
func Decide(classes int, labels []int, read []bool, row func(image int) []float32) Outcome {
	o := Outcome{Classes: classes, Labels: labels, Predicted: make([]int, len(labels))}
	for i := range o.Predicted {
		o.Predicted[i] = -1
		if !read[i] {
			continue
		}
		p := row(i)
		if c := Largest(p); p[c] > 0 {
			o.Predicted[i] = c
		}
	}
	return o
}

// Right reports whether image i is predicted rightly.
func (o *Outcome) Right(i int) bool { return o.Predicted[i] == o.Labels[i] }

// Rights is how many images are predicted rightly.
func (o *Outcome) Rights() (n int) {
	for i := range o.Labels {
		if o.Right(i) {
			n++
		}
	}
	return n
}

// Score is how well a head does on all images. The intervals of balanced accuracy and macro-F1 are Wilson's alone: Resample
// widens them by the bootstrap's.
func (o *Outcome) Score() Score {
	c := newCounts(o.Classes)
	for i := range o.Labels {
		o.count(&c, i)
	}
	s := c.score()
	s.Accuracy = Share(o.Rights(), len(o.Labels))
	c.wilson(&s)
	return s
}

// counts are the images of each class, those predicted to be of it, and those of both.
type counts struct{ label, predicted, both []int }

func newCounts(classes int) counts {
	return counts{make([]int, classes), make([]int, classes), make([]int, classes)}
}

func (o *Outcome) count(c *counts, i int) {
	c.label[o.Labels[i]]++
	if p := o.Predicted[i]; p >= 0 {
		c.predicted[p]++
		if p == o.Labels[i] {
			c.both[p]++
		}
	}
}

// means are balanced accuracy and macro-F1, over the classes that have images.
func (c *counts) means() (balanced, f1 float64) {
	present := 0
	for class, n := range c.label {
		if n == 0 {
			continue
		}
		present++
		balanced += float64(c.both[class]) / float64(n)
		f1 += 2 * float64(c.both[class]) / float64(n+c.predicted[class])
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

// wilson sets the intervals of balanced accuracy and macro-F1 that each class's Wilson interval carries. A bootstrap of
// images that are all right draws nothing but right ones and has no width; these have one.
//
// A class's accuracy is a share of its images. Its F1 is 2J/(1+J), where J is the share of the rightly predicted among the
// images that are of the class or predicted to be of it (Lam, Gopal and Qian 2023, arXiv:2309.14621, "Wilson indirect").
// The mean over the classes takes the root of the sum of the squared distances to their limits (Zou, Huang and Zhang 2009,
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
		either := n + c.predicted[class] - both
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

// Paired is McNemar's test of two heads on the same images: how many each alone has right, and the p-value.
func Paired(a, b Outcome) (onlyA, onlyB int, p float64) {
	for i := range a.Labels {
		switch right := a.Right(i); {
		case right && !b.Right(i):
			onlyA++
		case !right && b.Right(i):
			onlyB++
		}
	}
	return onlyA, onlyB, stat.McNemar(onlyA, onlyB)
}

// LeastP is the least p-value that the images can show which two heads predict differently: by chance alone, all of them
// speak for the same head with this probability.
func LeastP(a, b Outcome) float64 {
	n := 0
	for i, p := range a.Predicted {
		if p != b.Predicted[i] {
			n++
		}
	}
	return min(1, math.Pow(2, float64(1-n)))
}
