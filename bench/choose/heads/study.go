// Package heads teaches classifiers from images' features and says how good they are: a linear probe, a vote of the
// nearest neighbours, folds, scores, and draws of the images for intervals and tests.
//
// The contract: slices in, probabilities out. An image is its index; it has a label, a fold and a row of features. Every
// image is predicted by a head that has not seen the image's fold, and what the head's settings depend on has not seen it
// either. Images may be dealt out several times, in splits: an outcome has the predictions of all of them, scores are means
// over the splits, and intervals and tests count an image once, because the splits are of the same images. Their means are
// of heads' right answers; the mean of heads' probabilities is right more often than any one head. All draws depend on
// seeds and on the arguments alone, so that the same arguments give the same results. A row of probabilities sums to 1,
// or is zero where nothing can be said: that image counts as wrong. Products run in float32 on the kernels of the networks,
// sums and the minimiser in float64. Memory for features is bounded by [MostValues].
//
// It knows no files and no networks: bench/choose/features computes features and keeps them, bench/choose asks the question
// and picks. Intervals and tests of counts are bench/stat's.
package heads

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"zoobench/kernels/par"
)

// Features are a row of features for each image, in memory or in a file.
type Features interface {
	Width() int              // values a row
	Row(image int) []float32 // (Width), to be used before another row is asked for
}

// A Matrix is a row for each image, in memory.
type Matrix struct {
	Rows, Cols int
	Data       []float32 // (Rows, Cols)
}

// NewMatrix is a matrix of zeros.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

// Width is the number of columns.
func (m Matrix) Width() int { return m.Cols }

// Row is row i, a part of Data.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// MostValues bounds the features that are in memory at once and those that a fit learns from, in values: 128 MiB. A fit
// has its features twice, and so have the nearest neighbours.
const MostValues = 32 << 20

// A Study is images, their labels and their folds: what all heads are compared on, in one split.
type Study struct {
	Classes int
	Labels  []int // (images), from 0 to Classes−1
	Fold    []int // (images), from 0 to Folds−1, or NoFold; see Deal
	Folds   int
	Pool    *par.Pool

	most int // images that a fit learns from; 0 for as many as MostValues allows
}

// rows are the images that are in a fold and in none of those excluded.
func (s *Study) rows(excluded ...int) (rows []int) {
	for i, f := range s.Fold {
		if f != NoFold && !slices.Contains(excluded, f) {
			rows = append(rows, i)
		}
	}
	return rows
}

// in is the images of a fold.
func (s *Study) in(fold int) (rows []int) {
	for i, f := range s.Fold {
		if f == fold {
			rows = append(rows, i)
		}
	}
	return rows
}

// LearnsFrom is how many images with features of this width a head learns from at most, and how many there are in folds.
// Where the first is less, the images learned from are balanced over the classes.
func (s *Study) LearnsFrom(width int) (learned, all int) {
	rows := s.rows()
	return len(s.few(rows, width)), len(rows)
}

// few are some of the rows of images, balanced over the classes, where all of them would be more than MostValues. The draw
// depends on the rows alone.
func (s *Study) few(rows []int, width int) []int {
	most := max(MostValues/width, 1)
	if s.most > 0 {
		most = s.most
	}
	if len(rows) <= most {
		return rows
	}
	drawn := slices.Clone(rows)
	rand.New(rand.NewPCG(0, 0)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	rank := make([]int, len(s.Labels)) // within the class
	seen := make([]int, s.Classes)
	for _, i := range drawn {
		rank[i] = seen[s.Labels[i]]
		seen[s.Labels[i]]++
	}
	slices.SortStableFunc(drawn, func(i, j int) int { return rank[i] - rank[j] })
	drawn = drawn[:most]
	slices.Sort(drawn)
	return drawn
}

// Largest is the index of the largest value, the first of equals: of a class's probabilities, the class that is likeliest.
func Largest[T cmp.Ordered](v []T) int {
	largest := 0
	for i := range v {
		if v[i] > v[largest] {
			largest = i
		}
	}
	return largest
}

// Probabilities are the softmax of each row of logits.
func Probabilities(logits Matrix) Matrix {
	p := NewMatrix(logits.Rows, logits.Cols)
	all := slices.Repeat([]bool{true}, logits.Cols)
	row := make([]float64, logits.Cols)
	for i := range p.Rows {
		softmax(row, logits.Row(i), all)
		for c, v := range row {
			p.Row(i)[c] = float32(v)
		}
	}
	return p
}
