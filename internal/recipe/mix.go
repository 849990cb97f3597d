package recipe

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Labels is what becomes of the labels of a batch before the network sees it.
type Labels struct {
	// Smoothing is how much of each label goes to all classes alike (Szegedy and others 2015).
	Smoothing float64

	// Mixup and CutMix are the α of the Beta(α, α) distribution that says how much an image takes of another of its batch:
	// over all pixels (Zhang and others 2017), or as a box (Yun and others 2019). 0 leaves it out; with both, each batch
	// takes one of them, as likely as the other.
	Mixup, CutMix float64
}

// Check names the first thing that is out of range.
func (l Labels) Check() error {
	if !(l.Smoothing >= 0 && l.Smoothing < 1) {
		return fmt.Errorf("train: label smoothing %v, want at least 0 and less than 1", l.Smoothing)
	}
	for _, a := range []struct {
		name  string
		alpha float64
	}{{"mixup", l.Mixup}, {"CutMix", l.CutMix}} {
		if !(a.alpha >= 0 && a.alpha <= 1000) {
			return fmt.Errorf("train: %s %v, want 0 (none) to 1000", a.name, a.alpha)
		}
	}
	return nil
}

// Targets are the probabilities of classes that labels mean: (N, classes).
func (l Labels) Targets(labels []int, classes int) []float64 {
	targets := make([]float64, len(labels)*classes)
	for i, label := range labels {
		row := targets[i*classes:][:classes]
		for k := range row {
			row[k] = l.Smoothing / float64(classes)
		}
		row[label] += 1 - l.Smoothing
	}
	return targets
}

// Mix mixes a batch with itself in reverse order, images (N,H,W,3) and targets (N, classes). What it does depends on the
// seed and the step.
func (l Labels) Mix(images []float32, targets []float64, n, h, w int, seed uint64, step int) {
	r := Random(seed, step, forMixing)
	mixup, cutmix := l.Mixup > 0, l.CutMix > 0
	if mixup && cutmix {
		mixup = r.IntN(2) == 0
	}
	keep := 1.0
	switch {
	case mixup:
		keep = beta(r, l.Mixup)
		mix(images, n, 0, 0, h, w, h, w, keep)
	case cutmix:
		// A box of the image's own proportions around any pixel, cut off at the edges.
		side := math.Sqrt(1 - beta(r, l.CutMix))
		top, bottom := span(r.IntN(h), side*float64(h), h)
		left, right := span(r.IntN(w), side*float64(w), w)
		mix(images, n, top, left, bottom, right, h, w, 0)
		keep = 1 - float64((bottom-top)*(right-left))/float64(h*w)
	default:
		return
	}
	classes := len(targets) / n
	for i := range n / 2 {
		blend(targets[i*classes:][:classes], targets[(n-1-i)*classes:][:classes], keep)
	}
}

// span is the part of 0 … size that reaches half a side to both sides of centre.
func span(centre int, side float64, size int) (from, to int) {
	half := int(side / 2)
	return max(centre-half, 0), min(centre+half, size)
}

// mix keeps a share of the pixels of a box and takes the rest from the image as far from the batch's other end.
func mix(images []float32, n, top, left, bottom, right, h, w int, keep float64) {
	for i := range n / 2 {
		for y := top; y < bottom; y++ {
			a := images[((i*h+y)*w+left)*3:][:(right-left)*3]
			b := images[(((n-1-i)*h+y)*w+left)*3:][:(right-left)*3]
			blend(a, b, float32(keep))
		}
	}
}

// blend makes a keep·a + (1 − keep)·b, and b the same the other way.
func blend[F Float](a, b []F, keep F) {
	for i, v := range a {
		a[i] = keep*v + (1-keep)*b[i]
		b[i] = keep*b[i] + (1-keep)*v
	}
}

// beta draws from Beta(α, α), as the share of one of two gamma variables.
func beta(r *rand.Rand, alpha float64) float64 {
	a, b := logGamma(r, alpha), logGamma(r, alpha)
	return 1 / (1 + math.Exp(b-a)) // a small α's variables themselves would vanish
}

// logGamma draws the logarithm of a Gamma(shape, 1) variable by Marsaglia and Tsang's method (2000).
func logGamma(r *rand.Rand, shape float64) float64 {
	boost := 0.0
	if shape < 1 { // their note: G(shape + 1)·U^(1/shape)
		boost = math.Log(1-r.Float64()) / shape
		shape++
	}
	d := shape - 1./3
	for {
		x := r.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return math.Log(d*v) + boost
		}
	}
}
