package heads

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// A CurvePoint is the probe's accuracy after learning from so many images of each class, in the mean of several draws.
type CurvePoint struct {
	PerClass int      `json:"images_per_class"` // at most; classes with fewer give all
	Images   float64  `json:"images"`           // learned from, the mean over the folds
	Accuracy Estimate `json:"accuracy"`         // of all images, each predicted without its fold
	Draws    int      `json:"draws"`            // of the images learned from; of the last point, the splits
	Lo       float64  `json:"least"`            // accuracy of a draw
	Hi       float64  `json:"most"`
}

// A Curve is a learning curve.
type Curve struct {
	Points []CurvePoint `json:"points"`
	// Doubled is the accuracy to be expected of twice the images: the error falls by a power of their number, as over the
	// last points measured. A guess, not a measurement.
	Doubled float64 `json:"doubled"`
}

// curveSteps are the numbers of images of a class that are tried, as far as there are as many.
var curveSteps = [...]int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000}

// How many draws a point has: of many images, two draws differ little and take long.
const (
	fewDraws, manyDraws = 2, 5
	manyImages          = 2000 // learned from
)

// apart is the distance of two draws' seeds, and of two splits'.
const apart = 0x9e3779b97f4a7c15

// SplitSeed is the seed of a split, the seed itself of the first.
func SplitSeed(seed uint64, split int) uint64 { return seed + uint64(split)*apart }

// Learning draws the learning curve of the linear probe: it is fitted to parts of the images, drawn by the seed, a larger
// part with all of the smaller ones. The draws take the splits of the images in turn, each with strengths, those that Probe
// chose for its folds. A part is fitted at its fold's strength times the whole's number over the part's, so that an image
// weighs the same against the penalty. The curve ends in whole, the probe that learns from all images.
func Learning(
	ctx context.Context, splits []*Study, features Features, strengths [][]float64, whole Outcome, seed uint64,
) (Curve, error) {
	var curve Curve
	s := splits[0]
	most, learned := s.mostPerClass()
	for _, step := range curveSteps {
		if 5*step >= 4*most {
			break // next to the whole
		}
		draws := manyDraws
		if step*s.Classes > manyImages {
			draws = fewDraws
		}
		right, images, shares := 0, 0, []float64(nil)
		for draw := range draws {
			split := draw % len(splits)
			r, n, err := splits[split].learnPart(ctx, features, strengths[split], step, SplitSeed(seed, draw))
			if err != nil {
				return curve, err
			}
			right, images, shares = right+r, images+n, append(shares, float64(r)/float64(len(s.Labels)))
		}
		curve.Points = append(curve.Points, CurvePoint{
			PerClass: step, Images: float64(images) / float64(draws*s.Folds), Accuracy: meanShare(right, len(s.Labels), draws),
			Draws: draws, Lo: slices.Min(shares), Hi: slices.Max(shares),
		})
	}
	bySplit := whole.BySplit()
	curve.Points = append(curve.Points, CurvePoint{
		PerClass: most, Images: float64(learned) / float64(s.Folds), Accuracy: whole.Score().Accuracy,
		Draws: len(bySplit), Lo: slices.Min(bySplit), Hi: slices.Max(bySplit),
	})
	curve.Doubled = doubled(curve.Points)
	return curve, nil
}

// mostPerClass is the largest number of images of a class that a fold learns from, and how many images all folds together
// learn from.
func (s *Study) mostPerClass() (most, learned int) {
	perClass := make([]int, s.Classes)
	for fold := range s.Folds {
		clear(perClass)
		rows := s.rows(fold)
		learned += len(rows)
		for _, i := range rows {
			perClass[s.Labels[i]]++
			most = max(most, perClass[s.Labels[i]])
		}
	}
	return most, learned
}

// learnPart learns from so many images of each class and returns how many of all are predicted rightly, and how many images
// all folds together learned from.
func (s *Study) learnPart(
	ctx context.Context, features Features, strength []float64, perClass int, seed uint64,
) (right, images int, err error) {
	for fold := range s.Folds {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		all := s.rows(fold)
		rows := s.few(s.part(all, perClass, seed, fold), features.Width())
		images += len(rows)
		p := newProblem(s.Pool, features, rows, s.Labels, s.Classes)
		f, err := p.solve(strength[fold]*float64(len(all))/float64(len(rows)), nil, closeEnough)
		if err != nil {
			return 0, 0, err
		}
		test := s.in(fold)
		for r, p := range f.predict(s.Pool, features, test) {
			if Largest(p) == s.Labels[test[r]] {
				right++
			}
		}
	}
	return right, images, nil
}

// part shuffles images and takes the first so many of each class.
func (s *Study) part(all []int, perClass int, seed uint64, fold int) (rows []int) {
	rand.New(rand.NewPCG(seed, uint64(fold))).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	taken := make([]int, s.Classes)
	for _, i := range all {
		if taken[s.Labels[i]] < perClass {
			taken[s.Labels[i]]++
			rows = append(rows, i)
		}
	}
	return rows
}

// doubled continues a curve to twice its last point's images.
func doubled(points []CurvePoint) float64 {
	const few = 4
	last := points[len(points)-1]
	var x, y []float64
	for _, p := range points[max(0, len(points)-few):] {
		if p.Accuracy.Value < 1 {
			x, y = append(x, math.Log(p.Images)), append(y, math.Log(1-p.Accuracy.Value))
		}
	}
	if last.Accuracy.Value == 1 || len(x) < 2 {
		return last.Accuracy.Value
	}
	var mx, my, xy, xx float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(x))
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	if xx == 0 || xy > 0 {
		return last.Accuracy.Value // more images have not helped
	}
	return 1 - (1-last.Accuracy.Value)*math.Pow(2, xy/xx)
}
