package corrupt

import "math"

// defocusBlur is a lens out of focus: the mean over a disk whose edge is softened.
func defocusBlur(c *canvas, severity int, _ *random) {
	of := [Severities]struct{ radius, soft float64 }{{3, .1}, {4, .5}, {6, .5}, {8, .5}, {10, .5}}[severity-1]
	reach, side := 8, 1 // of the kernel, and of what softens it
	if of.radius > 8 {
		reach, side = int(of.radius), 2
	}
	n := 2*reach + 1
	disk := make([]float64, n*n)
	for y := range n {
		for x := range n {
			if dx, dy := float64(x-reach), float64(y-reach); dx*dx+dy*dy <= of.radius*of.radius { // whole numbers: exact
				disk[n*y+x] = 1
			}
		}
	}
	soften := gaussian(of.soft, side)
	disk = separable(normalised(disk), n, 1, soften, mirrored)
	type tap struct {
		x, y   int
		weight float64
	}
	var taps []tap
	for i, w := range disk {
		if w > 0 {
			taps = append(taps, tap{i%n - reach, i/n - reach, w})
		}
	}
	size := c.size
	x, out := c.floats(), make([]float64, len(c.pixels))
	columns := make([]int, size+2*reach)
	for i := range columns {
		columns[i] = 3 * mirrored(i-reach, size)
	}
	for row := range size {
		for _, t := range taps {
			from := x[3*size*mirrored(row+t.y, size):]
			to := out[3*size*row:][:3*size]
			for col := range size {
				at := columns[col+t.x+reach]
				to[3*col] += mul(t.weight, from[at])
				to[3*col+1] += mul(t.weight, from[at+1])
				to[3*col+2] += mul(t.weight, from[at+2])
			}
		}
	}
	c.set(out)
}

// glassBlur is frosted glass: pixels are exchanged with neighbours between two blurs. The published code means to swap two
// pixels, but both have the neighbour's value in the end, and so here.
func glassBlur(c *canvas, severity int, r *random) {
	of := [Severities]struct {
		sigma       float64
		delta, runs int
	}{{.7, 1, 2}, {.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}}[severity-1]
	blur := func() {
		c.set(separable(c.floats(), c.size, 3, gaussian(of.sigma, int(mul(4, of.sigma)+.5)), clamped))
	}
	blur()
	for range of.runs {
		for y := c.size - of.delta; y > of.delta; y-- {
			for x := c.size - of.delta; x > of.delta; x-- {
				dx, dy := r.below(2*of.delta)-of.delta, r.below(2*of.delta)-of.delta
				copy(c.pixels[3*(c.size*y+x):][:3], c.pixels[3*(c.size*(y+dy)+x+dx):])
			}
		}
	}
	blur()
}

func motionBlur(c *canvas, severity int, r *random) {
	of := [Severities]struct {
		radius int
		sigma  float64
	}{{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}}[severity-1]
	out := make([]byte, len(c.pixels))
	motion(out, c.pixels, c.size, 3, of.radius, of.sigma, r.between(-45, 45))
	copy(c.pixels, out)
}

// motion blurs along a line that begins at each pixel, as ImageMagick's motion blur does: half a Gaussian of 2·radius+1
// weights, at an angle in degrees.
func motion(to, from []byte, size, channels, radius int, sigma, degrees float64) {
	whole := gaussian(sigma, 2*radius)
	weights := normalised(whole[2*radius:])
	sin, cos := sincos(degrees * (math.Pi / 180))
	dx, dy := make([]int, len(weights)), make([]int, len(weights))
	for i := range weights {
		dx[i], dy[i] = int(math.Ceil(mul(float64(i), cos)-.5)), int(math.Ceil(mul(float64(i), sin)-.5))
	}
	for y := range size {
		for x := range size {
			var sum [3]float64
			for i, w := range weights {
				at := channels * (size*clamped(y+dy[i], size) + clamped(x+dx[i], size))
				for k := range channels {
					sum[k] += mul(w, float64(from[at+k]))
				}
			}
			for k := range channels {
				to[channels*(size*y+x)+k] = byte(min(sum[k]+.5, 255))
			}
		}
	}
}

// zoomBlur is the mean of the image and of enlargements of its middle.
func zoomBlur(c *canvas, severity int, _ *random) {
	of := [Severities]struct {
		step  float64
		count int
	}{{.01, 12}, {.01, 16}, {.02, 11}, {.02, 13}, {.03, 11}}[severity-1]
	x := c.floats()
	sum := append([]float64{}, x...)
	for i := range of.count {
		for j, v := range enlarged(x, c.size, 3, 1+mul(float64(i), of.step)) {
			sum[j] += v
		}
	}
	for i := range sum {
		sum[i] /= float64(of.count + 1)
	}
	c.set(sum)
}

// enlarged enlarges the middle of a square by linear interpolation between the outermost pixels' centres, and cuts it to size.
func enlarged(x []float64, size, channels int, by float64) []float64 {
	part := min(int(math.Ceil(float64(size)/by)), size)
	top := (size - part) / 2
	whole := max(int(math.RoundToEven(mul(float64(part), by))), size)
	trim := (whole - size) / 2
	type place struct {
		low, high int
		share     float64 // of high
	}
	places := make([]place, size)
	for i := range places {
		at := 0.0
		if whole > 1 {
			at = mul(float64(i+trim), float64(part-1)/float64(whole-1))
		}
		low := min(int(at), part-1)
		places[i] = place{top + low, top + min(low+1, part-1), at - float64(low)}
	}
	out := make([]float64, len(x))
	for row, y := range places {
		for col, p := range places {
			for k := range channels {
				value := func(row, col int) float64 { return x[channels*(size*row+col)+k] }
				upper := between(value(y.low, p.low), value(y.low, p.high), p.share)
				lower := between(value(y.high, p.low), value(y.high, p.high), p.share)
				out[channels*(size*row+col)+k] = between(upper, lower, y.share)
			}
		}
	}
	return out
}

// between is linear interpolation.
func between(a, b, share float64) float64 { return a + mul(share, b-a) }

// separable filters a square along its rows and then its columns. Edge says which pixel stands for one outside.
func separable(x []float64, size, channels int, kernel []float64, edge func(i, n int) int) []float64 {
	radius := len(kernel) / 2
	at := make([]int, size+2*radius)
	for i := range at {
		at[i] = edge(i-radius, size)
	}
	rows := make([]float64, len(x))
	for y := range size {
		from, to := x[channels*size*y:], rows[channels*size*y:]
		for col := range size {
			for i, w := range kernel {
				for k := range channels {
					to[channels*col+k] += mul(w, from[channels*at[col+i]+k])
				}
			}
		}
	}
	out := make([]float64, len(x))
	for y := range size {
		to := out[channels*size*y:][:channels*size]
		for i, w := range kernel {
			for k, v := range rows[channels*size*at[y+i]:][:channels*size] {
				to[k] += mul(w, v)
			}
		}
	}
	return out
}

// clamped is the nearest pixel of n.
func clamped(i, n int) int { return min(max(i, 0), n-1) }

// mirrored mirrors at the centres of the outermost pixels of n.
func mirrored(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	if i = ((i % period) + period) % period; i >= n {
		i = period - i
	}
	return i
}

// reflected mirrors at the edges of the outermost pixels of n.
func reflected(i, n int) int {
	period := 2 * n
	if i = ((i % period) + period) % period; i >= n {
		i = period - 1 - i
	}
	return i
}
