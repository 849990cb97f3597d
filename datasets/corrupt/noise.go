package corrupt

func gaussianNoise(c *canvas, severity int, r *random) {
	deviation := [Severities]float64{.08, .12, .18, .26, .38}[severity-1]
	x := c.floats()
	for i := range x {
		x[i] += mul(deviation, r.normal())
	}
	c.set(x)
}

// shotNoise counts photons: Poisson's distribution, of which each level's mean is in proportion to it.
func shotNoise(c *canvas, severity int, r *random) {
	photons := [Severities]float64{60, 25, 12, 5, 3}[severity-1]
	var below [256][]float64 // of a level, the probabilities of at most 0, 1, 2 … photons
	for i, level := range c.pixels {
		table := below[level]
		if table == nil {
			table = poisson(mul(float64(level)/255, photons))
			below[level] = table
		}
		u, k := r.unit(), 0
		for k < len(table) && u >= table[k] {
			k++
		}
		c.pixels[i] = byte(float64(clip(float64(k)/photons) * 255))
	}
}

// poisson are the probabilities of at most 0, 1, 2 … events, up to where the rest is less than a draw can show.
func poisson(mean float64) (below []float64) {
	p := exp(-mean)
	sum := 0.0
	for k := 1; k < 1000; k++ {
		sum += p
		below = append(below, sum)
		if p < 1e-18 && float64(k) > mean {
			break
		}
		p = mul(p, mean/float64(k))
	}
	return below
}

// impulseNoise makes a share of the values, each channel's by itself, black or white: salt and pepper.
func impulseNoise(c *canvas, severity int, r *random) {
	share := [Severities]float64{.03, .06, .09, .17, .27}[severity-1]
	for i := range c.pixels {
		if r.unit() >= share {
			continue
		}
		c.pixels[i] = 0
		if r.uint64()>>63 == 1 {
			c.pixels[i] = 255
		}
	}
}
