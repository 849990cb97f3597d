package heads

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// strengths are the regularisations that are tried, the strongest first: each fit starts at the one before it.
var strengths = [...]float64{1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8}

// Chosen is what cross-validation chose for a linear probe.
type Chosen struct {
	Strength []float64 // of the regularisation, fold by fold
	Overall  float64   // strength, chosen on all images, for a head that learns from all of them
	Losses   []float64 // of all images at each strength that was tried, the strongest first
	Gradient float64   // the largest of the fits' remaining gradients, as a share of that at zero
}

// Probe predicts every image by a linear probe that has not seen its fold; the strength of its regularisation has not seen
// it either: for each fold it is chosen by the likelihood of its two neighbours in a ring, each predicted by a fit without
// both. Where
// images are too many for memory, fits learn from a part of them, and every image is predicted all the same. Step, where
// it is not nil, hears how many fits are done. The result is (images, Classes), a row of zeros for an image in no fold.
func (s *Study) Probe(ctx context.Context, features Features, step func(done, total int)) (Matrix, Chosen, error) {
	done, total := 0, 2*s.Folds
	fitted := func() {
		if done++; step != nil {
			step(done, total)
		}
	}
	loss, err := s.pairLosses(ctx, features, fitted)
	if err != nil {
		return Matrix{}, Chosen{}, err
	}
	var c Chosen
	overall := make([]float64, len(strengths))
	probabilities := NewMatrix(len(s.Labels), s.Classes)
	for a := range s.Folds {
		sum := make([]float64, len(strengths))
		for b := range s.Folds {
			for j, l := range loss[a][b] {
				sum[j] += l
				overall[j] += l
			}
		}
		c.Strength = append(c.Strength, strengths[least(sum)])
		if err := ctx.Err(); err != nil {
			return Matrix{}, c, err
		}
		f, err := s.without(features, a, c.Strength[a])
		if err != nil {
			return Matrix{}, c, err
		}
		c.Gradient = max(c.Gradient, f.gradient)
		s.predictFold(probabilities, f, features, a)
		fitted()
	}
	c.Overall, c.Losses = strengths[least(overall)], overall
	return probabilities, c, nil
}

// without is the probe that learns from all folds but one.
func (s *Study) without(features Features, fold int, strength float64) (*fit, error) {
	f, err := s.learn(features, s.rows(fold)).solve(strength, nil, convergence)
	if err != nil {
		return nil, fmt.Errorf("%w; fold %d", err, fold+1)
	}
	return f, nil
}

// predictFold writes the probabilities of a fold's images, (images, Classes).
func (s *Study) predictFold(probabilities Matrix, f *fit, features Features, fold int) {
	test := s.in(fold)
	for r, p := range f.predict(s.Pool, features, test) {
		row := probabilities.Row(test[r])
		for class, v := range p {
			row[class] = float32(v)
		}
	}
}

// Probes are a linear probe for each fold, which it has not seen.
type Probes struct {
	study *Study
	fits  []*fit
}

// Probes learns again the probes of a cross-validation, to predict other features of the same images.
func (s *Study) Probes(ctx context.Context, features Features, c Chosen) (*Probes, error) {
	p := &Probes{study: s}
	for fold, strength := range c.Strength {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := s.without(features, fold, strength)
		if err != nil {
			return nil, err
		}
		f.solution = nil // as large as the rest, and no fit begins at it
		p.fits = append(p.fits, f)
	}
	return p, nil
}

// Predict predicts every image by its fold's probe. The result is as that of Probe.
func (p *Probes) Predict(features Features) Matrix {
	probabilities := NewMatrix(len(p.study.Labels), p.study.Classes)
	for fold, f := range p.fits {
		p.study.predictFold(probabilities, f, features, fold)
	}
	return probabilities
}

// Overall is the strength for a head that learns from all images, chosen on several splits.
func Overall(splits []Chosen) float64 {
	sum := make([]float64, len(strengths))
	for _, c := range splits {
		for j, l := range c.Losses {
			sum[j] += l
		}
	}
	return strengths[least(sum)]
}

// Fit is the linear probe that learns from all images in folds: scores = weight·x + bias, weight (Classes, Width), bias
// (Classes), for features as they come.
func (s *Study) Fit(features Features, strength float64) (weight, bias []float32, err error) {
	f, err := s.learn(features, s.rows()).solve(strength, nil, convergence)
	if err != nil {
		return nil, nil, err
	}
	return f.weight, f.bias, nil
}

// learn is the problem of learning from images, or from few of them.
func (s *Study) learn(features Features, rows []int) *problem {
	return newProblem(s.Pool, features, s.few(rows, features.Width()), s.Labels, s.Classes)
}

// pairLosses fits without each pair of neighbouring folds at each strength: element [a][b][j] is the loss of fold b by the
// fit without a and b at strength j, nothing where a and b are no neighbours.
func (s *Study) pairLosses(ctx context.Context, features Features, fitted func()) ([][][]float64, error) {
	loss := make([][][]float64, s.Folds)
	for a := range loss {
		loss[a] = make([][]float64, s.Folds)
	}
	for a := range s.Folds {
		b := (a + 1) % s.Folds
		var err error
		if loss[b][a], loss[a][b], err = s.path(ctx, features, a, b); err != nil {
			return nil, err
		}
		fitted()
	}
	return loss, nil
}

// path fits without folds a and b at each strength and returns the losses of a and of b. It ends where both have grown.
func (s *Study) path(ctx context.Context, features Features, a, b int) (lossA, lossB []float64, err error) {
	p := s.learn(features, s.rows(a, b))
	test := [2][]int{s.few(s.in(a), features.Width()), s.few(s.in(b), features.Width())}
	var losses [2][]float64
	for i := range losses {
		losses[i] = slices.Repeat([]float64{math.Inf(1)}, len(strengths))
	}
	var start []float64
	for j, strength := range strengths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		f, err := p.solve(strength, start, closeEnough)
		if err != nil {
			return nil, nil, err
		}
		start = f.solution
		grown := j > 0
		for i, rows := range test {
			losses[i][j] = logLoss(f.predict(s.Pool, features, rows), rows, s.Labels)
			grown = grown && losses[i][j] > losses[i][j-1]
		}
		if grown {
			break
		}
	}
	return losses[0], losses[1], nil
}

// logLoss is the sum of the images' −log of their own class's probability, which counts as at least a millionth.
func logLoss(probabilities [][]float64, rows, labels []int) (sum float64) {
	for r, p := range probabilities {
		sum -= math.Log(max(p[labels[rows[r]]], 1e-6))
	}
	return sum
}

// least is the index of the least value, the first of equals.
func least(v []float64) int {
	best := 0
	for i := range v {
		if v[i] < v[best] {
			best = i
		}
	}
	return best
}
