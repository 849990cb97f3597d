package ref

// ResampleGrad is the gradient of Resample: dx (C,prefix+from), dy (C,prefix+to).
func ResampleGrad(dx, dy []float64, from, to [2]int, prefix, c int) {
	in, out := prefix+from[0]*from[1], prefix+to[0]*to[1]
	check("dx", len(dx), c*in)
	check("dy", len(dy), c*out)
	clear(dx)
	columns, rows := bicubic(from[1], to[1]), bicubic(from[0], to[0])
	wide := make([]float64, from[0]*to[1])
	for ch := range c {
		d, g := dx[ch*in:][:in], dy[ch*out:][:out]
		copy(d[:prefix], g)
		d, g = d[prefix:], g[prefix:]
		clear(wide)
		for i, v := range g {
			t := rows[i/to[1]]
			for k, weight := range t.weights {
				wide[(t.first+k)*to[1]+i%to[1]] += weight * v
			}
		}
		for i, v := range wide {
			t := columns[i%to[1]]
			axpy(d[i/to[1]*from[1]+t.first:][:len(t.weights)], t.weights, v)
		}
	}
}

// AttentionGrad is the gradients of Attention: dqkv and qkv (N,3·Heads·D,H,W), dbias and bias (Heads,2h−1,2w−1) or nil,
// dy (N,Heads·D,H,W). With p the softmax's result for one query, s its argument:
//
//	dv[key] = Σ p[key] · dy[query]
//	ds[key] = p[key] · (v[key]·dy[query] − Σ p[k] · v[k]·dy[query])
//	dq[query] = Scale · Σ ds[key] · k[key], dk[key] = Scale · Σ ds[key] · q[query], dbias = Σ ds
func AttentionGrad(dqkv, dbias, dy, qkv, bias []float64, s AttentionSize) {
	check("dqkv", len(dqkv), len(qkv))
	s.check(dy, qkv, bias)
	check("dbias", len(dbias), len(bias))
	clear(dqkv)
	clear(dbias)
	each(s.Heads, func(head int) {
		for i := range s.N * s.windows() {
			n, w := i/s.windows(), s.window(i%s.windows())
			p, ds := make([]float64, len(w.at)), make([]float64, len(w.at))
			for query, at := range w.at {
				s.softmax(p, qkv, bias, n, head, query, w)
				sum := 0.0
				for key, from := range w.at {
					ds[key] = 0
					for c := range s.D {
						g := dy[((n*s.Heads+head)*s.D+c)*s.H*s.W+at]
						value := s.plane(n, 2, head, c) + from
						dqkv[value] += p[key] * g
						ds[key] += qkv[value] * g
					}
					sum += p[key] * ds[key]
				}
				for key, from := range w.at {
					d := p[key] * (ds[key] - sum)
					if bias != nil {
						dbias[s.relative(head, query, key)] += d
					}
					for c := range s.D {
						q, k := s.plane(n, 0, head, c)+at, s.plane(n, 1, head, c)+from
						dqkv[q] += s.Scale * d * qkv[k]
						dqkv[k] += s.Scale * d * qkv[q]
					}
				}
			}
		}
	})
}
