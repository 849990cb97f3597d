package ref

import "math"

// BatchStats is the mean and the variance, with divisor N·P, of each of C channels: x (N,C,P), mean and variance (C).
func BatchStats(mean, variance, x []float64, n, c, p int) {
	check("x", len(x), n*c*p)
	check("mean", len(mean), c)
	check("variance", len(variance), c)
	all := make([]float64, n*p)
	for ch := range c {
		for i := range n {
			copy(all[i*p:], x[(i*c+ch)*p:][:p])
		}
		mean[ch], variance[ch] = moments(all)
	}
}

// BatchNormGrad is the gradients of BatchNorm by the statistics of the batch itself, which depend on x: dx, dy and x
// (N,C,P), dw, db and w (C), dw nil where w is.
func BatchNormGrad[W Float](dx, dw, db, dy, x []float64, w []W, eps float64, n, c, p int) {
	setsGrad(dx, dw, db, dy, x, w, eps, c, n*p, func(set, i int) (at, ch int) {
		return (i/p*c+set)*p + i%p, set
	})
}

// GroupNormGrad is the gradients of GroupNorm: dx, dy and x (N,C,P), dw, db and w (C).
func GroupNormGrad[W Float](dx, dw, db, dy, x []float64, w []W, eps float64, groups, n, c, p int) {
	size := c / groups * p
	setsGrad(dx, dw, db, dy, x, w, eps, n*groups, size, func(set, i int) (at, ch int) {
		return set*size + i, set%groups*(c/groups) + i/p
	})
}

// LayerNormGrad is the gradients of LayerNorm: dx, dy and x (N,C,P), dw, db and w (C).
func LayerNormGrad[W Float](dx, dw, db, dy, x []float64, w []W, eps float64, n, c, p int) {
	setsGrad(dx, dw, db, dy, x, w, eps, n*p, c, func(set, i int) (at, ch int) {
		return (set/p*c+i)*p + set%p, i
	})
}

// setsGrad is the gradients of a norm that takes each of some sets of elements to mean 0 and variance 1, then scales and
// shifts by channel. element says where element i of a set is and what channel it is of.
func setsGrad[W Float](dx, dw, db, dy, x []float64, w []W, eps float64, sets, size int, element func(set, i int) (at, ch int)) {
	check("dx", len(dx), sets*size)
	check("dy", len(dy), sets*size)
	check("x", len(x), sets*size)
	check("dw", len(dw), len(w))
	if w != nil {
		check("db", len(db), len(w))
	}
	clear(dw)
	clear(db)
	in, g, d := make([]float64, size), make([]float64, size), make([]float64, size)
	for set := range sets {
		for i := range size {
			at, ch := element(set, i)
			if in[i], g[i] = x[at], dy[at]; w != nil {
				g[i] *= float64(w[ch])
			}
		}
		mean, sd := normGrad(d, g, in, eps)
		for i := range size {
			at, ch := element(set, i)
			dx[at] = d[i]
			if w != nil {
				dw[ch] += dy[at] * (in[i] - mean) / sd
			}
			db[ch] += dy[at]
		}
	}
}

// normGrad is the gradient of y = (x − mean)/√(var + eps) over one set of elements, and its mean and divisor. All of x
// moves the mean and the variance, so that dx has no part along 1 and along y:
//
//	dx = (dy − mean(dy) − y·mean(dy·y)) / √(var + eps)
func normGrad(dx, dy, x []float64, eps float64) (mean, sd float64) {
	mean, variance := moments(x)
	sd = math.Sqrt(variance + eps)
	var along1, alongY float64
	for i, g := range dy {
		along1 += g
		alongY += g * (x[i] - mean) / sd
	}
	size := float64(len(x))
	for i, g := range dy {
		dx[i] = (g - along1/size - (x[i]-mean)/sd*alongY/size) / sd
	}
	return mean, sd
}

// AffineGrad is the gradients of Affine: dx, dy and x (N,C,P), scale, dscale and dshift (C), the latter two nil where nobody
// wants them.
func AffineGrad[W Float](dx, dscale, dshift, dy, x []float64, scale []W, n, c, p int) {
	Affine(dx, dy, scale, nil, n, c, p)
	clear(dscale)
	clear(dshift)
	for i, g := range dy {
		ch := i / p % c
		if dscale != nil {
			dscale[ch] += g * x[i]
		}
		if dshift != nil {
			dshift[ch] += g
		}
	}
}
