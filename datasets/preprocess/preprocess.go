// Package preprocess turns decoded pixels into a network's input tensor,
// exactly as the evaluation transforms of torchvision and timm do over Pillow:
// resize, crop, scale to 0…1, subtract the mean, divide by the deviation.
//
// The contract: the resized and cropped pixels equal Pillow's in every byte, by
// its own fixed-point arithmetic in two passes, and the tensor equals torch's
// float32 in every bit. Only the rows and columns that the crop needs are
// computed; a Processor says which source pixels those are (Window), so that a
// decoder can skip the rest. A Processor keeps its buffers from image to
// image and serves one goroutine at a time.
//
// It leaves decoding to datasets/decode, and which recipe a checkpoint wants to
// zoo.
package preprocess

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"zoobench/datasets/decode"
)

// A CropMode is how an image gets the proportions of the crop, named as timm
// names it.
type CropMode string

// timm's crop modes (timm/data/transforms_factory.py).
const (
	// Center scales the shorter edge to Resize, keeping the proportions, and
	// cuts Size×Size from the middle, with black where the image is smaller.
	// torchvision has only this one. Where the crop is no square, the image is
	// scaled so that it just covers what Squash makes of it.
	Center CropMode = "center"
	// Squash scales both edges to Resize and cuts the middle.
	Squash CropMode = "squash"
	// Border scales the longer edge to Resize, keeping the proportions, and
	// fills up with the mean colour to Size×Size.
	Border CropMode = "border"
)

// A Recipe is a checkpoint's preprocessing. The zero value of each field but
// Size is the usual one of ImageNet.
type Recipe struct {
	Size          int        // edge of the square crop in pixels, or the height of one that is no square
	Width         int        `json:",omitempty"` // of a crop that is no square; 0 means Size
	CropPct       float64    // crop edge over resized edge; 0 means 0.875
	Resize        int        // resized edge in pixels; 0 means ⌊Size/CropPct⌋
	Interpolation Filter     // "" means Bilinear
	CropMode      CropMode   // "" means Center
	Mean, Std     [3]float64 // of red, green and blue, scaled to 0…1; all zero means ImageNet's
	BGR           bool       // the tensor's channels are blue, green, red
}

// Full returns the recipe with the values that its zeros stand for, or an error
// that names the field that is out of range.
func (r Recipe) Full() (Recipe, error) {
	if r.CropPct == 0 {
		r.CropPct = 0.875
	}
	if r.Interpolation == "" {
		r.Interpolation = Bilinear
	}
	if r.CropMode == "" {
		r.CropMode = Center
	}
	if r.Mean == [3]float64{} && r.Std == [3]float64{} {
		r.Mean, r.Std = [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}
	}
	const maxEdge = 1 << 14
	switch {
	case r.Size < 1 || r.Size > maxEdge:
		return r, fmt.Errorf("preprocess: size %d, want 1 to %d", r.Size, maxEdge)
	case r.Width < 0 || r.Width > maxEdge:
		return r, fmt.Errorf("preprocess: width %d, want 0 to %d", r.Width, maxEdge)
	case !(r.CropPct > 0 && r.CropPct <= 4):
		return r, fmt.Errorf("preprocess: crop fraction %v, want more than 0 and at most 4", r.CropPct)
	case r.Interpolation.kernel() == nil && r.Interpolation != Nearest:
		return r, fmt.Errorf("preprocess: interpolation %q, want one of %s", r.Interpolation, strings.Join(filterNames(), ", "))
	case !slices.Contains([]CropMode{Center, Squash, Border}, r.CropMode):
		return r, fmt.Errorf("preprocess: crop mode %q, want %s, %s or %s", r.CropMode, Center, Squash, Border)
	}
	if r.Resize == 0 {
		r.Resize = int(math.Floor(float64(r.Size) / r.CropPct))
	}
	if most := max(r.Resize, r.resizedWidth()); min(r.Resize, r.resizedWidth()) < 1 || most > maxEdge {
		return r, fmt.Errorf("preprocess: resize to %d, want 1 to %d", most, maxEdge)
	}
	if err := cmp.Or(CheckScale("mean", r.Mean), CheckScale("deviation", r.Std)); err != nil {
		return r, fmt.Errorf("preprocess: %w", err)
	}
	for c := range 3 {
		if m, s := r.Mean[c], r.Std[c]; math.IsNaN(m) || math.IsInf(m, 0) || !(s > 0) || math.IsInf(s, 0) {
			return r, fmt.Errorf("preprocess: channel %d: mean %v, deviation %v, want finite numbers and a positive deviation", c, m, s)
		}
	}
	return r, nil
}

// CropWidth is the width of the crop.
func (r Recipe) CropWidth() int { return cmp.Or(r.Width, r.Size) }

// Oblong reports whether the crop is no square.
func (r Recipe) Oblong() bool { return r.CropWidth() != r.Size }

// resizedWidth is the resized edge along the crop's width: in the proportion that Resize has to Size, as timm rounds it.
func (r Recipe) resizedWidth() int {
	switch {
	case !r.Oblong():
		return r.Resize
	case r.Resize == int(math.Floor(float64(r.Size)/r.CropPct)):
		return int(math.Floor(float64(r.Width) / r.CropPct))
	}
	return r.Resize * r.Width / r.Size
}

// CheckScale refuses a mean or a deviation, by that name, of values from 0 to 255: those of a tensor go from 0 to 1.
func CheckScale(name string, v [3]float64) error {
	if most := max(v[0], v[1], v[2]); most > 1 && !math.IsInf(most, 0) {
		return fmt.Errorf("%s %s: these are of values from 0 to 255, want values from 0 to 1; divided by 255 they are %s", name, list(v, 1),
			list(v, 255))
	}
	return nil
}

// list writes three numbers, each divided by d, as flags take them.
func list(v [3]float64, d float64) string {
	return fmt.Sprintf("%.6g,%.6g,%.6g", v[0]/d, v[1]/d, v[2]/d)
}

// A Layout is the order of a tensor's dimensions.
type Layout int

// The layouts of one image of a batch.
const (
	HWC Layout = iota // (Size, width, 3): channels last, as the engine takes it
	CHW               // (3, Size, width): planes, as torch has it
)

// A Processor carries out one recipe.
type Processor struct {
	// Change, where it is not nil, changes the crop's pixels of shape (Size, width, 3) before Tensor scales them.
	Change func(pixels []byte)

	recipe  Recipe
	layout  Layout
	scale   [3][256]float32 // tensor value of a level, by channel
	fill    [3]byte         // around an image smaller than the crop
	decoder decode.Decoder
	notes   decode.Notes

	planned       bool
	width, height int // of the image that the plan is for
	plan          plan
	planErr       error
	narrow        []byte  // the rows needed, resized horizontally: (rows, plan.x.n, 3)
	sums          []int32 // one row of the vertical pass
	pixels        []byte  // (Size, width, 3)
}

// New returns a processor for the recipe, or the recipe's error.
func New(r Recipe, layout Layout) (*Processor, error) {
	r, err := r.Full()
	if err != nil {
		return nil, err
	}
	if layout != HWC && layout != CHW {
		return nil, fmt.Errorf("preprocess: layout %d, want HWC or CHW", layout)
	}
	p := &Processor{recipe: r, layout: layout, pixels: make([]byte, 3*r.Size*r.CropWidth())}
	for c := range 3 {
		mean, std := float32(r.Mean[c]), float32(r.Std[c])
		for level := range 256 {
			// Each step rounds to float32, as torch's three operations do.
			p.scale[c][level] = float32(float32(float32(level)/255)-mean) / std
		}
		if r.CropMode == Border {
			p.fill[c] = byte(min(max(math.RoundToEven(255*r.Mean[c]), 0), 255))
		}
	}
	return p, nil
}

// Recipe is the processor's recipe, with every value filled in.
func (p *Processor) Recipe() Recipe { return p.recipe }

// Len is the number of float32 values of one image: 3·Size·width.
func (p *Processor) Len() int { return len(p.pixels) }

// File decodes a file and writes its tensor to dst, of Len values; of a JPEG
// only what the crop needs is transformed.
func (p *Processor) File(data []byte, dst []float32) error {
	m, err := p.decoder.DecodeWindow(data, p.Window)
	if err != nil {
		return err
	}
	p.notes = m.Notes
	return p.Tensor(m, dst)
}

// ApplyExif makes File turn images by their Exif orientation, as viewers do and torchvision does not.
func (p *Processor) ApplyExif(apply bool) { p.decoder.Exif = apply }

// Notes say what was out of the ordinary about the file that File decoded last.
func (p *Processor) Notes() decode.Notes { return p.notes }

// Tensor writes the tensor of m to dst, of Len values, in the processor's
// layout. m.Window must cover the processor's Window for its size.
func (p *Processor) Tensor(m *decode.Image, dst []float32) error {
	if len(dst) != p.Len() {
		return fmt.Errorf("preprocess: tensor of %d values, want %d", len(dst), p.Len())
	}
	pixels, err := p.Pixels(m)
	if err != nil {
		return err
	}
	if p.Change != nil {
		p.Change(pixels)
	}
	if p.layout == CHW {
		plane := len(p.pixels) / 3
		first, last := p.ends()
		r, g, b := dst[first*plane:][:plane], dst[plane:][:plane], dst[last*plane:][:plane]
		for i := range plane {
			q := pixels[3*i : 3*i+3 : 3*i+3]
			r[i], g[i], b[i] = p.scale[0][q[0]], p.scale[1][q[1]], p.scale[2][q[2]]
		}
		return nil
	}
	p.Normalise(dst, pixels)
	return nil
}

// Normalise writes the tensor values of pixels' levels, in the recipe's order of channels: dst and pixels (n, 3).
func (p *Processor) Normalise(dst []float32, pixels []byte) {
	first, last := p.ends()
	for i := 0; i < len(pixels); i += 3 {
		q, d := pixels[i:i+3:i+3], dst[i:i+3:i+3]
		d[first], d[1], d[last] = p.scale[0][q[0]], p.scale[1][q[1]], p.scale[2][q[2]]
	}
}

// ends are the tensor's channels of red and of blue.
func (p *Processor) ends() (red, blue int) {
	if p.recipe.BGR {
		return 2, 0
	}
	return 0, 2
}

// Window is the part of a width×height image that the crop is computed from,
// in the form that decode.Decoder.DecodeWindow asks for.
func (p *Processor) Window(width, height int) image.Rectangle {
	if p.prepare(width, height) != nil {
		return image.Rectangle{}
	}
	return p.plan.source
}

// Pixels resizes and crops m to RGB of shape (Size, width, 3). The slice is the
// processor's own and is overwritten by its next call. m.Window must cover the
// processor's Window for its size.
func (p *Processor) Pixels(m *decode.Image) ([]byte, error) {
	if err := p.prepare(m.Width, m.Height); err != nil {
		return nil, err
	}
	if !p.plan.source.In(m.Window) {
		return nil, fmt.Errorf("preprocess: image has the window %v of %d×%d, want %v", m.Window, m.Width, m.Height, p.plan.source)
	}
	pl, width := &p.plan, p.recipe.CropWidth()
	if pl.x.n < width || pl.y.n < p.recipe.Size {
		for i := 0; i < len(p.pixels); i += 3 {
			copy(p.pixels[i:], p.fill[:])
		}
	}
	row := 3 * pl.x.n
	top := pl.source.Min.Y
	p.narrow = grow(p.narrow, row*pl.source.Dy())
	for y := top; y < pl.source.Max.Y; y++ {
		src := m.Pix[(y-m.Window.Min.Y)*m.Stride():][:m.Stride()]
		pl.x.across(p.narrow[(y-top)*row:][:row], src[3*(pl.source.Min.X-m.Window.Min.X):])
	}
	p.sums = grow(p.sums, row)
	for i := range pl.y.n {
		dst := p.pixels[3*(width*(pl.y.at+i)+pl.x.at):][:row]
		pl.y.down(dst, p.narrow, i, p.sums)
	}
	return p.pixels, nil
}

// prepare makes the plan for images of this size, unless it is there already.
func (p *Processor) prepare(width, height int) error {
	if !p.planned || width != p.width || height != p.height {
		p.planErr = p.plan.make(p.recipe, width, height)
		p.planned, p.width, p.height = true, width, height
	}
	return p.planErr
}

// grow returns a slice of n elements that reuses s where it is large enough;
// its contents are arbitrary.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
