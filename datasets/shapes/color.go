package shapes

// color is red, green and blue, of 255.
type color [3]int

// far is how much two colors differ, as a mean over the three.
func (c color) far(d color) int {
	sum := 0
	for i := range c {
		sum += max(c[i]-d[i], d[i]-c[i])
	}
	return sum / len(c)
}

// mix is c where share is 0 and d where it is one.
func (c color) mix(d color, share int) (m color) {
	for i := range c {
		m[i] = c[i] + (d[i]-c[i])*share>>12
	}
	return m
}

func anyColor(r *random) color { return color{r.below(256), r.below(256), r.below(256)} }

// near is a color that differs by at most so much in each of the three.
func near(r *random, c color, most int) color {
	for i := range c {
		c[i] = min(max(c[i]+r.either(most), 0), 255)
	}
	return c
}

// apart is a color that differs from others by at least so much, or the best of some tries.
func apart(r *random, least int, from ...color) (best color) {
	most := -1
	for range 32 {
		c, nearest := anyColor(r), 255
		for _, f := range from {
			nearest = min(nearest, c.far(f))
		}
		if nearest > most {
			best, most = c, nearest
		}
		if nearest >= least {
			break
		}
	}
	return best
}
