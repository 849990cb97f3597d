package f32

// The transforms of Lavin and Gray 2015 for F(4×4, 3×3).
var (
	winogradB = [6][6]float32{
		{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
		{0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1},
	}
	winogradA = [4][6]float32{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}
)

// winogradInGeneric is the Go twin of wino4x3inc8AVX2.
func winogradInGeneric(t *Winograd) {
	for c := range t.C {
		var d, half [6][6]float32
		for y := range 6 {
			for x := range 6 {
				d[y][x] = *At(t.In, y*t.InRow+x*t.InPixel+4*c)
			}
		}
		for i, row := range winogradB {
			for x := range 6 {
				for k, b := range row {
					half[i][x] += b * d[k][x]
				}
			}
		}
		for i := range 6 {
			for j, row := range winogradB {
				var sum float32
				for k, b := range row {
					sum += b * half[i][k]
				}
				*At(t.Out, (6*i+j)*t.OutRow+4*c) = sum
			}
		}
	}
}

// winogradOutGeneric is the Go twin of wino4x3outc8AVX2.
func winogradOutGeneric(t *Winograd) {
	for c := range t.C {
		var half [4][6]float32
		for i, row := range winogradA {
			for x := range 6 {
				for k, a := range row {
					half[i][x] += a * *At(t.In, (6*k+x)*t.InRow+4*c)
				}
			}
		}
		for i := range 4 {
			for j, row := range winogradA {
				sum := *At(t.Bias, 4*c)
				for k, a := range row {
					sum += a * half[i][k]
				}
				if t.R != nil {
					sum += *At(t.R, i*t.ResRow+j*t.ResPixel+4*c)
				}
				*At(t.Out, i*t.OutRow+j*t.OutPixel+4*c) = min(max(sum, t.Lo), t.Hi)
			}
		}
	}
}

// winogradFiltersGeneric is the Go twin of wino4x3filterc4AVX2.
func winogradFiltersGeneric(t *Filters) {
	for c := range t.N {
		for j := range NR {
			var half [3][6]float64
			for x := range half {
				g := func(y int) float64 { return float64(*At(t.In, 4*((9*c+3*y+x)*NR+j))) }
				half[x] = spreadFilter(g(0), g(1), g(2))
			}
			for i := range 6 {
				for k, v := range spreadFilter(half[0][i], half[1][i], half[2][i]) {
					*At(t.Out, (6*i+k)*t.Step+4*(c*NR+j)) = float32(v)
				}
			}
		}
	}
}

// spreadFilter is G·(a, b, c), three taps at six points. The products are rounded, so that every machine has the same bits.
func spreadFilter(a, b, c float64) [6]float64 {
	a6, b6, c6 := float64(1.0/6*a), float64(1.0/6*b), float64(1.0/6*c)
	a24, b12 := float64(1.0/24*a), float64(1.0/12*b)
	return [6]float64{1.0 / 4 * a, -(a6 + b6 + c6), b6 - a6 - c6, a24 + b12 + c6, a24 - b12 + c6, c}
}
