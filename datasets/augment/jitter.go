package augment

import (
	"math"
	"math/rand/v2"
)

// apply varies brightness, contrast, saturation and hue, in random order.
func (j Jitter) apply(pixels []byte, r *rand.Rand) {
	if j == (Jitter{}) {
		return
	}
	around := func(v float64) float32 { return float32(1 - v + 2*v*r.Float64()) }
	for _, part := range r.Perm(4) {
		switch {
		case part == 0 && j.Brightness > 0:
			f := around(j.Brightness)
			for i, v := range pixels {
				pixels[i] = blend(0, v, f)
			}
		case part == 1 && j.Contrast > 0:
			f, mean := around(j.Contrast), meanGrey(pixels)
			for i, v := range pixels {
				pixels[i] = blend(mean, v, f)
			}
		case part == 2 && j.Saturation > 0:
			f := around(j.Saturation)
			for i := 0; i < len(pixels); i += 3 {
				p := pixels[i : i+3]
				g := grey(p)
				for c, v := range p {
					p[c] = blend(g, v, f)
				}
			}
		case part == 3 && j.Hue > 0:
			turn := j.Hue * (2*r.Float64() - 1)
			for i := 0; i < len(pixels); i += 3 {
				turnHue(pixels[i:i+3], turn)
			}
		}
	}
}

// blend is Pillow's: from + f·(to − from), cut to 0…255 and to a whole number.
func blend(from, to byte, f float32) byte {
	return byte(min(max(float32(from)+f*(float32(to)-float32(from)), 0), 255))
}

// grey is Pillow's luma of a pixel, ITU-R 601-2 in fixed point.
func grey(p []byte) byte {
	return byte((int(p[0])*19595 + int(p[1])*38470 + int(p[2])*7471 + 1<<15) >> 16)
}

// meanGrey is the mean of all pixels' grey, rounded.
func meanGrey(pixels []byte) byte {
	sum := 0
	for i := 0; i < len(pixels); i += 3 {
		sum += int(grey(pixels[i : i+3]))
	}
	n := len(pixels) / 3
	return byte((2*sum + n) / (2 * n))
}

// turnHue moves a colour along the circle of hues by a share of it, and keeps its saturation and its value (Smith 1978).
func turnHue(p []byte, turn float64) {
	r, g, b := float64(p[0]), float64(p[1]), float64(p[2])
	top, low := max(r, g, b), min(r, g, b)
	chroma := top - low
	if chroma == 0 {
		return
	}
	var sixths float64 // of the circle, from red
	switch top {
	case r:
		sixths = (g - b) / chroma
	case g:
		sixths = 2 + (b-r)/chroma
	default:
		sixths = 4 + (r-g)/chroma
	}
	sixths += 6 * turn
	for c, at := range []float64{0, 2, 4} { // where a channel's own hue is
		distance := math.Abs(math.Mod(math.Mod(sixths-at, 6)+9, 6) - 3) // along the shorter way round
		p[c] = byte(math.Round(low + chroma*min(max(2-distance, 0), 1)))
	}
}
