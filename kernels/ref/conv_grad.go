package ref

// ConvGrad is the gradients of Conv from dy (N,O,OH,OW), its result's: dx (N,C,H,W), dw (O,C/Groups,KH,KW) and db (O),
// each nil where nobody wants it; x and w are Conv's own.
//
//	dx[n,c',oh·SH−Top+kh·DH,ow·SW−Left+kw·DW] = Σ w[o,c,kh,kw] · dy[n,o,oh,ow]
//	dw[o,c,kh,kw] = Σ x[n,c',oh·SH−Top+kh·DH,ow·SW−Left+kw·DW] · dy[n,o,oh,ow]
//	db[o] = Σ dy[n,o,oh,ow]
//
// over all that Conv brings together, c' being channel c of o's group.
func ConvGrad[P Float](dx, dw, db, dy, x []float64, w []P, s ConvSize) {
	cg, og, taps := s.C/s.Groups, s.O/s.Groups, s.Window.H*s.Window.W
	in, out := s.H*s.W, s.OH*s.OW
	check("dy", len(dy), s.N*s.O*out)
	check("x", len(x), s.N*s.C*in)
	check("w", len(w), s.O*cg*taps)
	if dx != nil {
		check("dx", len(dx), len(x))
		each(s.N*s.C, func(i int) {
			plane, n, c := dx[i*in:][:in], i/s.C, i%s.C
			clear(plane)
			for o := c / cg * og; o < (c/cg+1)*og; o++ {
				g := dy[(n*s.O+o)*out:][:out]
				for t := range taps {
					s.back(plane, g, float64(w[(o*cg+c%cg)*taps+t]), t/s.Window.W, t%s.Window.W)
				}
			}
		})
	}
	if dw != nil {
		check("dw", len(dw), len(w))
		each(s.O*cg, func(i int) {
			o, c := i/cg, i/cg/og*cg+i%cg
			for t := range taps {
				sum := 0.0
				for n := range s.N {
					sum += s.product(dy[(n*s.O+o)*out:][:out], x[(n*s.C+c)*in:][:in], t/s.Window.W, t%s.Window.W)
				}
				dw[i*taps+t] = sum
			}
		})
	}
	if db != nil {
		check("db", len(db), s.O)
		clear(db)
		for i, v := range dy {
			db[i/out%s.O] += v
		}
	}
}

// back adds v·dy to every input pixel that a tap reads, dx (H,W), dy (OH,OW).
func (s ConvSize) back(dx, dy []float64, v float64, kh, kw int) {
	s.rows(kh, kw, func(out, in, n int) {
		if s.Window.SW == 1 {
			axpy(dx[in:in+n], dy[out:], v)
			return
		}
		for j := range n {
			dx[in+j*s.Window.SW] += v * dy[out+j]
		}
	})
}

// product is the sum over output pixels of dy by the input pixel that a tap brings to it, dy (OH,OW), x (H,W).
func (s ConvSize) product(dy, x []float64, kh, kw int) float64 {
	sum := 0.0
	s.rows(kh, kw, func(out, in, n int) {
		if s.Window.SW == 1 {
			sum += dot(dy[out:out+n], x[in:])
			return
		}
		for j := range n {
			sum += dy[out+j] * x[in+j*s.Window.SW]
		}
	})
	return sum
}

// LinearGrad is ConvGrad of Linear: dx and x (N,C,P), dw and w (O,C), db (O), dy (N,O,P).
func LinearGrad[W Float](dx, dw, db, dy, x []float64, w []W, n, c, o, p int) {
	ConvGrad(dx, dw, db, dy, x, w, linearSize(n, c, o, p))
}

// StandardizeGrad is the gradient of Standardize: dw and w (O,K), dy (O,K) its result's.
func StandardizeGrad[W Float](dw, dy []float64, w []W, eps float64, o int) {
	check("dw", len(dw), len(w))
	check("dy", len(dy), len(w))
	k := len(w) / o
	row := make([]float64, k)
	for i := range o {
		for j := range row {
			row[j] = float64(w[i*k+j])
		}
		normGrad(dw[i*k:][:k], dy[i*k:][:k], row, eps)
	}
}

// ChannelConvGrad is the gradients of ChannelConv: dx, dy and x (N,C), dw and w (K).
func ChannelConvGrad[W Float](dx, dw, dy, x []float64, w []W, n, c int) {
	check("dx", len(dx), n*c)
	check("dy", len(dy), n*c)
	check("x", len(x), n*c)
	check("dw", len(dw), len(w))
	clear(dx)
	clear(dw)
	for i, g := range dy {
		for k, v := range w {
			if ch := i%c + k - len(w)/2; ch >= 0 && ch < c {
				at := i - i%c + ch
				dx[at] += float64(v) * g
				dw[k] += x[at] * g
			}
		}
	}
}
