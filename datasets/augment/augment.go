// Package augment varies images in training: what the field calls pad-and-crop, flip, random resized crop, colour jitter and
// random erasing.
//
// The contract: a Policy is data, its zero values vary nothing, and each part means what torchvision's transform of that name
// does, in the order of its reference training: crop, flip and jitter on 8-bit pixels, then normalisation, then erasing.
// Resizing is datasets/preprocess's, Pillow's to the byte; colour jitter blends as Pillow does and turns hues in floating
// point. What is random comes from the source that the caller passes: Random gives one that depends on seed, epoch and the
// image's number alone, so that the order of images and the number of workers change nothing.
//
// It leaves to others which images there are (datasets), mixing images of a batch and changing labels (zoo/train).
package augment

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
)

// Policy is how images are varied, and what tensor they become.
type Policy struct {
	Size          int               // edge of the square tensor in pixels
	Interpolation preprocess.Filter // "" means bilinear
	Mean, Std     [3]float64        // of the channels, scaled to 0…1; all zero means ImageNet's
	BGR           bool              // the tensor's channels are blue, green, red

	// Pad puts so many black pixels around the image, resized to Size, and cuts Size×Size anywhere from it.
	Pad int

	// Scale and Ratio are the least and the largest share of the image's area, and aspect ratio, of a part that is cut
	// anywhere and resized to Size (Szegedy and others 2014). A zero Scale cuts no part; a zero Ratio means 3/4 to 4/3.
	Scale, Ratio [2]float64

	Flip   float64 // probability of a flip from left to right
	Jitter Jitter

	Erase float64 // probability that a box of 2 to 33 % of the area becomes the mean colour (Zhong and others 2017)
}

// Jitter is how far colours vary, each up to that share of the whole: brightness, contrast and saturation up to 1, hue up to
// half a turn.
type Jitter struct{ Brightness, Contrast, Saturation, Hue float64 }

// Augmenter carries out one policy. It keeps its buffers from image to image and serves one goroutine at a time.
type Augmenter struct {
	policy Policy
	resize *preprocess.Processor
	part   decode.Image // the part that was cut
	pixels []byte       // (Size, Size, 3)
}

// New returns an augmenter, or what of the policy is out of range.
func New(p Policy) (*Augmenter, error) {
	p = p.full()
	resize, err := preprocess.New(preprocess.Recipe{
		Size: p.Size, CropPct: 1, Interpolation: p.Interpolation, CropMode: preprocess.Squash, Mean: p.Mean, Std: p.Std,
		BGR: p.BGR,
	}, preprocess.HWC)
	if err != nil {
		return nil, fmt.Errorf("augment: %w", err)
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return &Augmenter{policy: p, resize: resize, pixels: make([]byte, 3*p.Size*p.Size)}, nil
}

// full fills in what zero values stand for.
func (p Policy) full() Policy {
	if p.Ratio == [2]float64{} {
		p.Ratio = [2]float64{3. / 4, 4. / 3}
	}
	return p
}

// Check names the first thing that is out of range. It takes a size of 0 for one that is not known yet.
func (p Policy) Check() error {
	p = p.full()
	within := func(v, lo, hi float64) bool { return v >= lo && v <= hi } // NaN is not
	switch {
	case p.Pad < 0:
		return fmt.Errorf("augment: pad %d, want at least 0", p.Pad)
	case p.Size > 0 && p.Pad > p.Size:
		return fmt.Errorf("augment: pad %d, want 0 to the size, %d", p.Pad, p.Size)
	case p.Pad > 0 && p.Scale != [2]float64{}:
		return fmt.Errorf("augment: pad %d and scale %v: both cut, want one", p.Pad, p.Scale)
	case p.Scale != [2]float64{} && !(p.Scale[0] > 0 && within(p.Scale[1], p.Scale[0], 1)):
		return fmt.Errorf("augment: scale %v, want two rising shares of the area, above 0 and at most 1", p.Scale)
	case !(p.Ratio[0] >= 0.01 && within(p.Ratio[1], p.Ratio[0], 100)):
		return fmt.Errorf("augment: ratio %v, want two rising ratios, 0.01 to 100", p.Ratio)
	}
	for _, v := range []struct {
		name     string
		v, limit float64
	}{
		{"flip", p.Flip, 1}, {"erase", p.Erase, 1}, {"brightness", p.Jitter.Brightness, 1}, {"contrast", p.Jitter.Contrast, 1},
		{"saturation", p.Jitter.Saturation, 1}, {"hue", p.Jitter.Hue, 0.5},
	} {
		if !within(v.v, 0, v.limit) {
			return fmt.Errorf("augment: %s %v, want 0 to %v", v.name, v.v, v.limit)
		}
	}
	return nil
}

// Len is the number of float32 values of one image: 3·Size².
func (a *Augmenter) Len() int { return len(a.pixels) }

// Random is the source of what is random about an image in an epoch.
func Random(seed uint64, epoch, image int) *rand.Rand {
	const spread = 0x9E3779B97F4A7C15 // neighbours start far from each other
	return rand.New(rand.NewPCG(seed*spread+uint64(epoch), uint64(image+1)*spread))
}

// Tensor varies a whole image and writes its tensor to dst, (Size, Size, 3).
func (a *Augmenter) Tensor(m *decode.Image, dst []float32, r *rand.Rand) error {
	if len(dst) != a.Len() {
		return fmt.Errorf("augment: tensor of %d values, want %d", len(dst), a.Len())
	}
	if m.Window != image.Rect(0, 0, m.Width, m.Height) {
		return fmt.Errorf("augment: window %v of an image of %d×%d, want all of it", m.Window, m.Width, m.Height)
	}
	p := a.policy
	if p.Scale != [2]float64{} {
		m = a.cut(m, p.resizedCrop(m.Width, m.Height, r))
	}
	pixels, err := a.resize.Pixels(m)
	if err != nil {
		return fmt.Errorf("augment: %w", err)
	}
	if p.Pad > 0 {
		shift(a.pixels, pixels, p.Size, r.IntN(2*p.Pad+1)-p.Pad, r.IntN(2*p.Pad+1)-p.Pad)
	} else {
		copy(a.pixels, pixels)
	}
	if p.Flip > 0 && r.Float64() < p.Flip {
		flip(a.pixels, p.Size)
	}
	p.Jitter.apply(a.pixels, r)
	a.resize.Normalise(dst, a.pixels)
	if p.Erase > 0 && r.Float64() < p.Erase {
		erase(dst, p.Size, r)
	}
	return nil
}

// cut copies a box of an image.
func (a *Augmenter) cut(m *decode.Image, box image.Rectangle) *decode.Image {
	w, h := box.Dx(), box.Dy()
	a.part.Width, a.part.Height, a.part.Window = w, h, image.Rect(0, 0, w, h)
	a.part.Pix = a.part.Pix[:0]
	for y := box.Min.Y; y < box.Max.Y; y++ {
		a.part.Pix = append(a.part.Pix, m.Pix[y*m.Stride()+3*box.Min.X:][:3*w]...)
	}
	return &a.part
}

// resizedCrop draws the part of an image. After ten that do not fit it is the largest in the middle whose ratio is allowed.
func (p Policy) resizedCrop(width, height int, r *rand.Rand) image.Rectangle {
	low, high := math.Log(p.Ratio[0]), math.Log(p.Ratio[1])
	for range 10 {
		area := float64(width*height) * (p.Scale[0] + (p.Scale[1]-p.Scale[0])*r.Float64())
		ratio := math.Exp(low + (high-low)*r.Float64())
		w, h := int(math.RoundToEven(math.Sqrt(area*ratio))), int(math.RoundToEven(math.Sqrt(area/ratio)))
		if w > 0 && h > 0 && w <= width && h <= height {
			x, y := r.IntN(width-w+1), r.IntN(height-h+1)
			return image.Rect(x, y, x+w, y+h)
		}
	}
	w, h := width, height
	switch ratio := float64(width) / float64(height); {
	case ratio < p.Ratio[0]:
		h = int(math.RoundToEven(float64(w) / p.Ratio[0]))
	case ratio > p.Ratio[1]:
		w = int(math.RoundToEven(float64(h) * p.Ratio[1]))
	}
	w, h = min(max(w, 1), width), min(max(h, 1), height)
	x, y := (width-w)/2, (height-h)/2
	return image.Rect(x, y, x+w, y+h)
}

// shift moves an image of size×size by dx and dy and fills up with black.
func shift(dst, src []byte, size, dx, dy int) {
	clear(dst)
	from, to := max(0, -dx), min(size, size-dx) // columns of src that stay inside
	for y := max(0, -dy); y < min(size, size-dy) && from < to; y++ {
		copy(dst[3*((y+dy)*size+from+dx):], src[3*(y*size+from):3*(y*size+to)])
	}
}

// flip turns an image of size×size from left to right.
func flip(pixels []byte, size int) {
	for i := range size * (size / 2) {
		y, x := i/(size/2), i%(size/2)
		a, b := pixels[3*(y*size+x):][:3], pixels[3*(y*size+size-1-x):][:3]
		for c := range 3 {
			a[c], b[c] = b[c], a[c]
		}
	}
}

// erase makes a box of a normalised image 0, the mean colour: 2 to 33 % of the area, at ratios of 0.3 to 1/0.3. Ten boxes that
// do not fit leave the image as it is.
func erase(x []float32, size int, r *rand.Rand) {
	for range 10 {
		area := float64(size*size) * (0.02 + 0.31*r.Float64())
		ratio := math.Exp(math.Log(0.3) * (1 - 2*r.Float64()))
		h, w := int(math.RoundToEven(math.Sqrt(area*ratio))), int(math.RoundToEven(math.Sqrt(area/ratio)))
		if h >= size || w >= size {
			continue
		}
		top, left := r.IntN(size-h+1), r.IntN(size-w+1)
		for y := top; y < top+h; y++ {
			clear(x[3*(y*size+left):][:3*w])
		}
		return
	}
}
