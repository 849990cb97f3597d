package preprocess

import (
	"fmt"
	"image"
	"math"
)

// A plan is a recipe applied to one size of image.
type plan struct {
	x, y   axis
	source image.Rectangle // the pixels that the crop is computed from
}

// An axis is the resampling along one dimension, for the part of the resized
// image that the crop keeps. Output i is the sum of weights[i·stride:] times
// the inputs from first[i] on, counted from the axis's own first input.
type axis struct {
	at, n   int // where in the crop the outputs go, and how many there are
	stride  int
	first   []int32
	count   []int32
	weights []int32 // with weightBits fractional bits
}

// What an image's plan may take: bytes of its rows resized horizontally, and
// weights along one dimension. Photographs of up to 30,000×20,000 pixels stay
// below both at any size of up to 5,900; a file of a few kilobytes that claims
// to be millions of pixels long does not.
const maxNarrow, maxWeights = 1 << 29, 1 << 26

// make lays the recipe out for a width×height image.
func (p *plan) make(r Recipe, width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("preprocess: image of %d×%d, want at least 1×1", width, height)
	}
	w, h := resized(r, width, height)
	if w < 1 || h < 1 {
		return fmt.Errorf("preprocess: image of %d×%d becomes %d×%d, want at least 1×1", width, height, w, h)
	}
	for _, side := range [...]struct{ in, out, crop int }{{width, w, r.CropWidth()}, {height, h, r.Size}} {
		if n := min(side.crop, side.out) * r.Interpolation.taps(side.in, side.out); n > maxWeights {
			return fmt.Errorf("preprocess: image of %d×%d takes %d weights to become %d×%d, want at most %d", width, height, n, w, h, maxWeights)
		}
	}
	x0, x1 := p.x.make(r.Interpolation, width, w, r.CropWidth())
	y0, y1 := p.y.make(r.Interpolation, height, h, r.Size)
	p.source = image.Rect(x0, y0, x1, y1)
	if n := 3 * p.x.n * p.source.Dy(); n > maxNarrow {
		return fmt.Errorf("preprocess: image of %d×%d takes %d bytes to become %d×%d, want at most %d", width, height, n, w, h, maxNarrow)
	}
	return nil
}

// resized is the size of the whole image after resizing, before the crop.
func resized(r Recipe, width, height int) (w, h int) {
	x, y := float64(width)/float64(r.resizedWidth()), float64(height)/float64(r.Resize)
	keep := func(ratio float64) (w, h int) { // timm's ResizeKeepRatio; Python rounds halves to even
		return int(math.RoundToEven(float64(width) / ratio)), int(math.RoundToEven(float64(height) / ratio))
	}
	switch {
	case r.CropMode == Squash:
		return r.resizedWidth(), r.Resize
	case r.CropMode == Border:
		return keep(max(x, y))
	case r.Oblong():
		return keep(min(x, y))
	}
	// torchvision's Resize: the longer edge is cut, not rounded.
	if width <= height {
		return r.Resize, int(float64(r.Resize*height) / float64(width))
	}
	return int(float64(r.Resize*width) / float64(height)), r.Resize
}

// make lays out one dimension of in source pixels, out resized ones and a crop
// of size from their middle, and returns the range of source pixels that
// takes part.
func (a *axis) make(f Filter, in, out, size int) (from, to int) {
	skip := 0
	a.at, a.n = 0, size
	if out < size {
		a.at, a.n = (size-out)/2, out
	} else {
		// torchvision's int(round((out - size) / 2.0)): halves to even.
		skip = int(math.RoundToEven(float64(out-size) / 2))
	}
	a.first, a.count = grow(a.first, a.n), grow(a.count, a.n)
	switch {
	case f == Nearest:
		a.nearest(in, out, skip)
	case in == out: // Pillow leaves the pass out
		a.pick(func(i int) int { return i + skip })
	default:
		a.convolve(f, in, out, skip)
	}
	from, to = in, 0
	for i := range a.n {
		from = min(from, int(a.first[i]))
		to = max(to, int(a.first[i]+a.count[i]))
	}
	for i := range a.n {
		a.first[i] -= int32(from)
	}
	return from, to
}

// pick makes every output a copy of one input.
func (a *axis) pick(input func(i int) int) {
	a.stride = 1
	a.weights = grow(a.weights, a.n)
	for i := range a.n {
		a.first[i], a.count[i], a.weights[i] = int32(input(i)), 1, 1<<weightBits
	}
}

// nearest follows Pillow's affine transform, which adds up the step from the
// left edge on instead of multiplying it: the rounding can tell.
func (a *axis) nearest(in, out, skip int) {
	step := float64(in) / float64(out)
	position := float64(step * 0.5)
	for range skip {
		position += step
	}
	a.pick(func(int) int {
		input := min(int(position), in-1)
		position += step
		return input
	})
}

// taps is the most inputs that an output of in resampled to out takes.
func (f Filter) taps(in, out int) int {
	if f == Nearest || in == out {
		return 1
	}
	scale := float64(in) / float64(out)
	support := float64(f.kernel().support * max(scale, 1))
	return min(int(math.Ceil(support))*2+1, in)
}

// convolve follows Pillow's precompute_coeffs: the kernel is stretched by the
// scale where the image shrinks, and its weights are normalised in double
// precision before they are rounded to fixed point. The conversions to float64
// keep the compiler from fusing a product with the sum after it.
func (a *axis) convolve(f Filter, in, out, skip int) {
	kernel := f.kernel()
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := float64(kernel.support * stretch)
	inverse := 1 / stretch
	a.stride = f.taps(in, out)
	a.weights = grow(a.weights, a.n*a.stride)
	raw := make([]float64, a.stride)
	for i := range a.n {
		center := float64((float64(i+skip) + 0.5) * scale)
		first := max(int(center-support+0.5), 0)
		end := min(int(center+support+0.5), in)
		raw = raw[:end-first]
		sum := 0.0
		for j := range raw {
			raw[j] = kernel.at(float64((float64(j+first) - center + 0.5) * inverse))
			sum += raw[j]
		}
		a.first[i], a.count[i] = int32(first), int32(len(raw))
		weights := a.weights[i*a.stride:]
		for j, w := range raw {
			if sum != 0 {
				w /= sum
			}
			weights[j] = int32(float64(w*(1<<weightBits)) + math.Copysign(0.5, w))
		}
	}
}
