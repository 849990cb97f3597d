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
func Share(count, of int) Estimate { return meanShare(count, of, 1) }

// meanShare is the estimate of a share by the mean of its counts over splits, whose sum count is. The interval is that of as
// many observations as there are in one split: the splits are of the same images.
func meanShare(count, of, splits int) Estimate {
	value := float64(count) / float64(of*splits)
	lo, hi := stat.WilsonShare(value, float64(of))
	return Estimate{Value: value, Lo: lo, Hi: hi}
}

// A Score says how well a head does on images that it has not learned from. An unreadable image counts as wrong.
type Score struct {
	Accuracy Estimate `json:"accuracy"`          // of images, Wilson's interval, joined with a bootstrap's where images look the same
	Balanced Estimate `json:"balanced_accuracy"` // the mean of the classes' accuracies, a bootstrap's interval joined with Wilson's
	MacroF1  Estimate `json:"macro_f1"`          // the mean of the classes' F1, a bootstrap's interval joined with Wilson's
}

// An Outcome is the class that was predicted for each image, split by split: with other folds, by other heads.
type Outcome struct {
	Classes   int
	Labels    []int // (images)
	Predicted []int // (splits, images); −1 where nothing was predicted, which counts as wrong
	Group     []int // (images), the same number for those that look the same; nil where all differ
}

// Splits is in how many splits the images were predicted.
func (o *Outcome) Splits() int { return len(o.Predicted) / len(o.Labels) }

// Decide takes the likeliest class of each image by a row of probabilities of the classes, in one split. Nothing is predicted for an
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

// Right is in how many splits image i is predicted rightly.
func (o *Outcome) Right(i int) (n int) {
	for ; i < len(o.Predicted); i += len(o.Labels) {
		if o.Predicted[i] == o.Labels[i%len(o.Labels)] {
			n++
		}
	}
	return n
}

// Rights is how many predictions of all splits are right.
func (o *Outcome) Rights() (n int) {
	for i := range o.Labels {
		n += o.Right(i)
	}
	return n
}

// BySplit is the accuracy in each split.
func (o *Outcome) BySplit() (shares []float64) {
	n := len(o.Labels)
	for s := range o.Splits() {
		split := Outcome{Labels: o.Labels, Predicted: o.Predicted[s*n : (s+1)*n]}
		shares = append(shares, float64(split.Rights())/float64(n))
	}
	return shares
}

// Score is how well a head does on all images, in the mean of the splits. The intervals of balanced accuracy and macro-F1
// are Wilson's alone: Resample widens them by the bootstrap's.
func (o *Outcome) Score() Score {
	c := newCounts(o.Classes)
	for i := range o.Labels {
		o.count(&c, i)
	}
	s := c.score()
	s.Accuracy = meanShare(o.Rights(), len(o.Labels), o.Splits())
	c.wilson(&s, o.Splits())
	return s
}

// A ClassScore says how well a head does on the images of one class.
type ClassScore struct {
	Images    int      `json:"images"`
	Different int      `json:"different_images"` // those that look the same counted once
	Accuracy  Estimate `json:"accuracy"`         // Wilson's interval, of as many images as are different
}

// ByClass is how well a head does on each class, in the mean of the splits.
func (o *Outcome) ByClass() []ClassScore {
	scores, seen := make([]ClassScore, o.Classes), map[[2]int]bool{}
	rights := make([]int, o.Classes)
	for i, class := range o.Labels {
		scores[class].Images++
		rights[class] += o.Right(i)
		look := i
		if o.Group != nil {
			look = o.Group[i]
		}
		if of := [2]int{class, look}; !seen[of] {
			seen[of] = true
			scores[class].Different++
		}
	}
	for class := range scores {
		if s := &scores[class]; s.Images > 0 {
			s.Accuracy.Value = float64(rights[class]) / float64(s.Images*o.Splits())
			s.Accuracy.Lo, s.Accuracy.Hi = stat.WilsonShare(s.Accuracy.Value, float64(s.Different))
		}
	}
	return scores
}

// counts are the images of each class, those predicted to be of it, and those of both, each once for every split.
type counts struct{ label, predicted, both []int }

func newCounts(classes int) counts {
	return counts{make([]int, classes), make([]int, classes), make([]int, classes)}
}

// count adds image i.
func (o *Outcome) count(c *counts, i int) {
	label := o.Labels[i]
	for ; i < len(o.Predicted); i += len(o.Labels) {
		c.label[label]++
		if p := o.Predicted[i]; p >= 0 {
			c.predicted[p]++
			if p == label {
				c.both[p]++
			}
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
func (c *counts) wilson(s *Score, splits int) {
	present := 0
	var balanced, f1 [2]float64 // squares, below and above
	for class, n := range c.label {
		if n == 0 {
			continue
		}
		present++
		both := c.both[class]
		value := float64(both) / float64(n)
		lo, hi := stat.WilsonShare(value, float64(n)/float64(splits))
		balanced[0] += (value - lo) * (value - lo)
		balanced[1] += (hi - value) * (hi - value)

		of := func(j float64) float64 { return 2 * j / (1 + j) }
		either := n + c.predicted[class] - both
		share := float64(both) / float64(either)
		lo, hi = stat.WilsonShare(share, float64(either)/float64(splits))
		value = of(share)
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

// Paired tests the difference of two heads that predicted the same images in the same splits: how many more images the
// first has right, in the mean of the splits, and the p-value of that. An image is one observation however many splits
// there are, and so is a group of images that look the same: the signs of the observations' differences are flipped
// (stat.SignFlip). In one split of images that all differ this is McNemar's exact test.
func Paired(a, b Outcome) (ahead, p float64) {
	differences, sum := make([]int, len(a.Labels)), 0
	number := map[int]int{} // of a group, its first image
	for i := range a.Labels {
		first := i
		if a.Group != nil {
			known := false
			if first, known = number[a.Group[i]]; !known {
				first, number[a.Group[i]] = i, i
			}
		}
		d := a.Right(i) - b.Right(i)
		differences[first] += d
		sum += d
	}
	return float64(sum) / float64(a.Splits()), stat.SignFlip(differences)
}

// LeastP is the least p-value that the images can show which two heads predict differently: by chance alone, all of them
// speak for the same head with this probability.
func LeastP(a, b Outcome) float64 {
	differ := map[int]bool{}
	for i, p := range a.Predicted {
		if p != b.Predicted[i] {
			differ[i%len(a.Labels)] = true
		}
	}
	return min(1, math.Pow(2, float64(1-len(differ))))
}
