package corrupt

import "math"

// snow whitens the image and lets flakes, which are noise enlarged and blurred along their fall, drift over it.
func snow(c *canvas, severity int, r *random) {
	of := [Severities]struct {
		mean, deviation, enlarge, least float64
		radius                          int
		sigma, keep                     float64
	}{
		{.1, .3, 3, .5, 10, 4, .8},
		{.2, .3, 2, .5, 12, 4, .7},
		{.55, .3, 4, .9, 12, 8, .7},
		{.55, .3, 4.5, .85, 12, 8, .65},
		{.55, .3, 2.5, .85, 12, 12, .55},
	}[severity-1]
	area := c.size * c.size
	layer := make([]float64, area)
	for i := range layer {
		layer[i] = of.mean + mul(of.deviation, r.normal())
	}
	flakes := make([]byte, area)
	for i, v := range enlarged(layer, c.size, 1, of.enlarge) {
		if v >= of.least {
			flakes[i] = level(v)
		}
	}
	fallen := make([]byte, area)
	motion(fallen, flakes, c.size, 1, of.radius, of.sigma, r.between(-135, -45))
	x := c.floats()
	for i := range area {
		p := x[3*i : 3*i+3 : 3*i+3]
		grey := mul(.299, p[0]) + mul(.587, p[1]) + mul(.114, p[2])
		white := mul(grey, 1.5) + .5
		flake := float64(fallen[i])/255 + float64(fallen[area-1-i])/255
		for k, v := range p {
			p[k] = mul(of.keep, v) + mul(1-of.keep, max(v, white)) + flake
		}
	}
	c.set(x)
}

// frost lays crystals of ice over the image. They are drawn here, where ImageNet-C takes parts of six photographs.
func frost(c *canvas, severity int, r *random) {
	of := [Severities]struct{ image, ice float64 }{{1, .4}, {.8, .6}, {.7, .7}, {.65, .7}, {.6, .75}}[severity-1]
	side := powerOfTwo(2 * c.size)
	coarse, fine := plasma(side, 1.7, r), plasma(side, 1.3, r)
	left, top := r.below(side-c.size+1), r.below(side-c.size+1)
	x := c.floats()
	for row := range c.size {
		for col := range c.size {
			at := side*(top+row) + left + col
			// Crystals are the ridges of a rough height map, over a haze of another one.
			ridge := 1 - math.Abs(mul(2, mul(.65, coarse[at])+mul(.35, fine[at]))-1)
			ice := mul(.25, coarse[at]) + mul(.75, mul(ridge, mul(ridge, ridge)))
			for k, tint := range [3]float64{.82, .92, 1} { // bluish
				i := 3*(c.size*row+col) + k
				x[i] = mul(of.image, x[i]) + mul(of.ice, mul(tint, ice))
			}
		}
	}
	c.set(x)
}

// fog adds a height map and takes the contrast back to what it was.
func fog(c *canvas, severity int, r *random) {
	of := [Severities]struct{ amount, decay float64 }{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}}[severity-1]
	side := max(powerOfTwo(c.size), 2)
	heights := plasma(side, of.decay, r)
	x := c.floats()
	largest := 0.0
	for _, v := range x {
		largest = max(largest, v)
	}
	scale := largest / (largest + of.amount)
	for row := range c.size {
		for col := range c.size {
			for k := range 3 {
				i := 3*(c.size*row+col) + k
				x[i] = mul(x[i]+mul(of.amount, heights[side*row+col]), scale)
			}
		}
	}
	c.set(x)
}

// powerOfTwo is the first that is not below n.
func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// plasma is a height map from 0 to 1 by the diamond-square algorithm, whose edges meet; side is a power of two, at least 2.
// Each finer grid deviates by less, by the factor decay.
func plasma(side int, decay float64, r *random) []float64 {
	m := make([]float64, side*side)
	at := func(y, x int) *float64 { return &m[side*(y&(side-1))+x&(side-1)] }
	for step, wibble := side, 100.0; step >= 2; step, wibble = step/2, wibble/decay {
		half := step / 2
		set := func(y, x int, a, b, c, d float64) {
			*at(y, x) = (a+b+c+d)/4 + mul(wibble, r.between(-wibble, wibble))
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				set(y+half, x+half, *at(y, x), *at(y+step, x), *at(y, x+step), *at(y+step, x+step))
			}
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				set(y, x+half, *at(y+half, x+half), *at(y-half, x+half), *at(y, x), *at(y, x+step))
			}
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				set(y+half, x, *at(y+half, x+half), *at(y+half, x-half), *at(y, x), *at(y+step, x))
			}
		}
	}
	lo, hi := m[0], m[0]
	for _, v := range m {
		lo, hi = min(lo, v), max(hi, v)
	}
	for i := range m {
		m[i] = (m[i] - lo) / (hi - lo)
	}
	return m
}
