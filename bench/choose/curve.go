package choose

import (
	"context"
	"math"
	"math/rand/v2"

	"zoobench/bench/stat"
)

// A CurvePoint is the probe's accuracy after learning from so many pictures of each class.
type CurvePoint struct {
	PerClass int      `json:"images_per_class"` // at most; classes with fewer give all
	Images   float64  `json:"images"`           // learned from, the mean over the folds
	Accuracy Estimate `json:"accuracy"`         // of all pictures, each predicted without its fold
}

// A Curve is a network's learning curve.
type Curve struct {
	Name   string       `json:"name"`
	Points []CurvePoint `json:"points"`
	// Doubled is the accuracy to be expected of twice the pictures: the error falls by a power of their number, as over the
	// last points measured. A guess, not a measurement.
	Doubled float64 `json:"doubled"`
}

// curveSteps are the numbers of pictures of a class that are tried, as far as there are as many.
var curveSteps = [...]int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000}

// curve fits the probe to parts of the pictures, drawn by the seed, a larger part holding the smaller ones. A part is
// fitted at its fold's strength times the whole's number over the part's, so that a picture weighs the same against the
// penalty.
func (s *study) curve(ctx context.Context, name string, features table, c Chosen, whole outcome, seed uint64) (Curve, error) {
	curve := Curve{Name: name}
	most := 0
	perClass := make([]int, s.classes)
	learned := 0
	for fold := range s.folds {
		clear(perClass)
		rows := s.rows(fold)
		learned += len(rows)
		for _, i := range rows {
			perClass[s.labels[i]]++
			most = max(most, perClass[s.labels[i]])
		}
	}
	for _, step := range curveSteps {
		if 5*step >= 4*most {
			break // next to the whole
		}
		right, images := 0, 0
		for fold := range s.folds {
			if err := ctx.Err(); err != nil {
				return curve, err
			}
			all := s.rows(fold)
			n := len(all)
			rand.New(rand.NewPCG(seed, uint64(fold))).Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
			clear(perClass)
			var rows []int
			for _, i := range all {
				if perClass[s.labels[i]] < step {
					perClass[s.labels[i]]++
					rows = append(rows, i)
				}
			}
			rows = s.few(rows, features.cols)
			images += len(rows)
			f, err := newProblem(s.pool, features, rows, s.labels, s.classes).solve(c.Strength[fold]*float64(n)/float64(len(rows)), nil, closeEnough)
			if err != nil {
				return curve, err
			}
			test := s.in(fold)
			for r, p := range f.predict(s.pool, features, test) {
				likeliest := 0
				for class, v := range p {
					if v > p[likeliest] {
						likeliest = class
					}
				}
				if likeliest == s.labels[test[r]] {
					right++
				}
			}
		}
		point := CurvePoint{PerClass: step, Images: float64(images) / float64(s.folds)}
		point.Accuracy.Value = float64(right) / float64(len(s.labels))
		point.Accuracy.Lo, point.Accuracy.Hi = stat.Wilson(right, len(s.labels))
		curve.Points = append(curve.Points, point)
	}
	curve.Points = append(curve.Points, CurvePoint{PerClass: most, Images: float64(learned) / float64(s.folds), Accuracy: score(whole).Accuracy})
	curve.Doubled = doubled(curve.Points)
	return curve, nil
}

// doubled continues a curve to twice its last point's pictures.
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
		return last.Accuracy.Value // more pictures have not helped
	}
	return 1 - (1-last.Accuracy.Value)*math.Pow(2, xy/xx)
}
