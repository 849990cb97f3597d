package corrupt

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"

	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
)

// brightness adds to the value of hue, saturation and value; the other two stay.
func brightness(c *canvas, severity int, _ *random) {
	more := [Severities]float64{.1, .2, .3, .4, .5}[severity-1]
	x := c.floats()
	for i := 0; i < len(x); i += 3 {
		p := x[i : i+3 : i+3]
		old := max(p[0], p[1], p[2])
		value := clip(old + more)
		for k := range p {
			if old > 0 {
				p[k] = mul(p[k], value/old)
			} else {
				p[k] = value
			}
		}
	}
	c.set(x)
}

// contrast brings each channel nearer to its mean.
func contrast(c *canvas, severity int, _ *random) {
	keep := [Severities]float64{.4, .3, .2, .1, .05}[severity-1]
	x := c.floats()
	for k := range 3 {
		mean := 0.0
		for i := k; i < len(x); i += 3 {
			mean += x[i]
		}
		mean /= float64(len(x) / 3)
		for i := k; i < len(x); i += 3 {
			x[i] = mul(x[i]-mean, keep) + mean
		}
	}
	c.set(x)
}

// elasticTransform moves three points of the image, and with them all of it, and then each pixel by a smooth random field.
func elasticTransform(c *canvas, severity int, r *random) {
	const unit = 244 // so in the published code, where the edge of 224 was meant
	of := [Severities]struct{ alpha, sigma, affine float64 }{
		{unit * 2, unit * .7, unit * .1}, {unit * 2, unit * .08, unit * .2},
		{unit * .05, unit * .01, unit * .02}, {unit * .07, unit * .01, unit * .02}, {unit * .12, unit * .01, unit * .02},
	}[severity-1]
	x := c.warped(c.floats(), of.affine, r)
	field := func() []float64 {
		f := make([]float64, c.size*c.size)
		for i := range f {
			f[i] = r.between(-1, 1)
		}
		return smoothed(f, c.size, of.sigma)
	}
	dx, dy := field(), field()
	out := make([]float64, len(x))
	for row := range c.size {
		for col := range c.size {
			i := c.size*row + col
			c.sample(out[3*i:], x, float64(col)+mul(dx[i], of.alpha), float64(row)+mul(dy[i], of.alpha), reflected)
		}
	}
	c.set(out)
}

// warped is the affine map that takes three points around the middle to where each is after a random move of at most far
// pixels along each axis.
func (c *canvas) warped(x []float64, far float64, r *random) []float64 {
	middle, side := float64(c.size/2), float64(c.size/3)
	from := [3][2]float64{{middle + side, middle + side}, {middle + side, middle - side}, {middle - side, middle - side}}
	to := from
	for i := range to {
		for k := range to[i] {
			to[i][k] += r.between(-far, far)
		}
	}
	// Of the way back, to → from: a vector from the third point is a sum of the other two's, by Cramer's rule.
	ax, ay := to[0][0]-to[2][0], to[0][1]-to[2][1]
	bx, by := to[1][0]-to[2][0], to[1][1]-to[2][1]
	determinant := mul(ax, by) - mul(bx, ay)
	if math.Abs(determinant) < 1 { // the moved points lie on a line: an image of few pixels
		return x
	}
	out := make([]float64, len(x))
	for row := range c.size {
		for col := range c.size {
			px, py := float64(col)-to[2][0], float64(row)-to[2][1]
			s, t := (mul(px, by)-mul(bx, py))/determinant, (mul(ax, py)-mul(px, ay))/determinant
			c.sample(out[3*(c.size*row+col):], x,
				from[2][0]+mul(s, from[0][0]-from[2][0])+mul(t, from[1][0]-from[2][0]),
				from[2][1]+mul(s, from[0][1]-from[2][1])+mul(t, from[1][1]-from[2][1]), mirrored)
		}
	}
	return out
}

// sample writes the colour at a point of x to dst by linear interpolation; edge says which pixel stands for one outside.
func (c *canvas) sample(dst, x []float64, px, py float64, edge func(i, n int) int) {
	left, top := math.Floor(px), math.Floor(py)
	x0, x1 := edge(int(left), c.size), edge(int(left)+1, c.size)
	y0, y1 := edge(int(top), c.size), edge(int(top)+1, c.size)
	for k := range 3 {
		value := func(row, col int) float64 { return x[3*(c.size*row+col)+k] }
		upper := between(value(y0, x0), value(y0, x1), px-left)
		lower := between(value(y1, x0), value(y1, x1), px-left)
		dst[k] = between(upper, lower, py-top)
	}
}

// smoothed is a square under a Gaussian that is cut at three deviations and reflected at the edges. A kernel wider than the
// square meets each pixel several times: its weights are added up first.
func smoothed(x []float64, size int, sigma float64) []float64 {
	kernel := gaussian(sigma, int(mul(3, sigma)+.5))
	radius := len(kernel) / 2
	folded := make([]float64, size*size) // (out, in)
	for out := range size {
		for i, w := range kernel {
			folded[size*out+reflected(out+i-radius, size)] += w
		}
	}
	rows, all := make([]float64, len(x)), make([]float64, len(x))
	for y := range size {
		for out := range size {
			sum := 0.0
			for in, w := range folded[size*out:][:size] {
				sum += mul(w, x[size*y+in])
			}
			rows[size*y+out] = sum
		}
	}
	for out := range size {
		to := all[size*out:][:size]
		for in, w := range folded[size*out:][:size] {
			if w == 0 {
				continue
			}
			for col, v := range rows[size*in:][:size] {
				to[col] += mul(w, v)
			}
		}
	}
	return all
}

// pixelate makes the image smaller and large again by box filters, which are Pillow's.
func pixelate(c *canvas, severity int, _ *random) {
	share := [Severities]float64{.6, .5, .4, .3, .25}[severity-1]
	small := max(int(mul(float64(c.size), share)), 1)
	resized(c.pixels, resized(nil, c.pixels, c.size, small), small, c.size)
}

// resized resizes a square by Pillow's box filter into dst, or into new memory where that is nil.
func resized(dst, pixels []byte, size, to int) []byte {
	box := preprocess.Recipe{Size: to, Resize: to, Interpolation: preprocess.Box, CropMode: preprocess.Squash}
	p, err := preprocess.New(box, preprocess.HWC)
	if err == nil {
		whole := image.Rect(0, 0, size, size)
		var out []byte
		if out, err = p.Pixels(&decode.Image{Width: size, Height: size, Window: whole, Pix: pixels}); err == nil {
			return append(dst[:0], out...)
		}
	}
	panic("corrupt: " + err.Error()) // a square of a network's crop can be resized
}

// jpegCompression saves the image as a JPEG of low quality, with chroma of half the size, and reads it back.
func jpegCompression(c *canvas, severity int, _ *random) {
	quality := [Severities]int{25, 18, 15, 10, 7}[severity-1]
	m := image.NewRGBA(image.Rect(0, 0, c.size, c.size))
	for i := range c.size * c.size {
		copy(m.Pix[4*i:], c.pixels[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	var file bytes.Buffer
	err := jpeg.Encode(&file, m, &jpeg.Options{Quality: quality})
	if err == nil {
		var d decode.Decoder
		var back *decode.Image
		if back, err = d.Decode(file.Bytes()); err == nil {
			copy(c.pixels, back.Pix)
			return
		}
	}
	panic("corrupt: " + err.Error()) // it was written into memory and read from there
}
