package f32

import (
	"math"
	"unsafe"
)

// row is n channels of row r.
func row(p *float32, r, stride, n int) []float32 {
	return unsafe.Slice(At(p, r*stride), n)
}

// eachRow runs f over the rows of t; a and b are nil where t has none.
func eachRow(f func(t *Rows, out, in, a, b []float32)) func(*Rows) {
	return func(t *Rows) {
		for r := range t.RowsLeft {
			var a, b []float32
			if t.A != nil {
				a = row(t.A, r, t.LDA, t.C)
			}
			if t.B != nil {
				b = row(t.B, r, t.LDB, t.C)
			}
			f(t, row(t.Out, r, t.LDO, t.C), row(t.In, r, t.LDI, t.C), a, b)
		}
		t.RowsLeft = 0
	}
}

// zipGeneric is the Go twin of zipc8AVX2.
func zipGeneric(t *Rows) {
	for r := range t.RowsLeft {
		in, b, out := row(t.In, r, t.LDI, t.C), row(t.B, r, t.LDB, t.C), row(t.Out, r, t.LDO, 2*t.C)
		for c := range t.C {
			out[2*c], out[2*c+1] = in[c], b[c]
		}
	}
	t.RowsLeft = 0
}

// turnGeneric is the Go twin of turnc8AVX2.
func turnGeneric(t *Rows) {
	for r := range t.RowsLeft {
		for c, v := range row(t.In, r, t.LDI, t.C) {
			*At(t.Out, c*t.LDO+4*r) = v
		}
	}
	t.RowsLeft = 0
}

// topGradGeneric is the Go twin of topgradc8AVX2.
func topGradGeneric(t *Rows) {
	most, left := row(t.A, 0, 0, t.C), row(t.B, 0, 0, t.C)
	for r := range t.RowsLeft {
		out := row(t.Out, r, t.LDO, t.C)
		for c, x := range row(t.In, r, t.LDI, t.C) {
			if !(x < most[c] || x > most[c]) {
				out[c] += left[c]
				left[c] = 0
			}
		}
	}
}

// eachElement runs f over the elements of t.
func eachElement(f func(x float32) float32) func(*Rows) {
	return eachRow(func(_ *Rows, out, in, _, _ []float32) {
		for c, x := range in {
			out[c] = f(x)
		}
	})
}

// The Go twins of the kernels of the same names in rows_amd64.go.
var (
	mulAddGeneric = eachRow(func(t *Rows, out, in, a, b []float32) {
		for c, x := range in {
			out[c] = min(max(x*a[c]+b[c], t.Lo), t.Hi)
		}
	})
	mulGeneric = eachRow(func(t *Rows, out, in, a, _ []float32) {
		for c, x := range in {
			out[c] = min(max(x*a[c], t.Lo), t.Hi)
		}
	})
	addGeneric = eachRow(func(t *Rows, out, in, _, b []float32) {
		for c, x := range in {
			out[c] = min(max(x+b[c], t.Lo), t.Hi)
		}
	})
	clampGeneric = eachRow(func(t *Rows, out, in, _, _ []float32) {
		for c, x := range in {
			out[c] = min(max(x, t.Lo), t.Hi)
		}
	})
	sigmoidGeneric     = eachElement(sigmoid)
	siluGeneric        = eachElement(func(x float32) float32 { return x * sigmoid(x) })
	hardSigmoidGeneric = eachElement(hardSigmoid)
	hardSwishGeneric   = eachElement(func(x float32) float32 { return x * hardSigmoid(x) })
	geluGeneric        = eachElement(func(x float32) float32 {
		return float32(0.5 * float64(x) * math.Erfc(-float64(x)/math.Sqrt2))
	})
	geluTanhGeneric = eachElement(func(x float32) float32 {
		u := float64(x)
		return float32(0.5 * u * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(u+0.044715*u*u*u))))
	})
	layerNormGeneric = eachRow(func(t *Rows, out, in, a, b []float32) {
		var sum, squares float64
		for _, x := range in {
			sum += float64(x)
		}
		mean := sum / float64(t.C)
		for _, x := range in {
			squares += (float64(x) - mean) * (float64(x) - mean)
		}
		scale := 1 / math.Sqrt(squares/float64(t.C)+float64(t.Lo))
		for c, x := range in {
			out[c] = float32((float64(x)-mean)*scale)*a[c] + b[c]
		}
	})
	softmaxGeneric = eachRow(func(t *Rows, out, in, _, _ []float32) {
		most := float32(math.Inf(-1))
		for _, x := range in {
			most = max(most, x)
		}
		var sum float64
		for c, x := range in {
			e := math.Exp(float64(t.Lo * (x - most)))
			out[c] = float32(e)
			sum += e
		}
		for c := range out {
			out[c] = float32(float64(out[c]) / sum)
		}
	})
)

// softmaxGradGeneric is the Go twin of softmaxgradc8AVX2.
var softmaxGradGeneric = eachRow(func(_ *Rows, out, in, a, _ []float32) {
	var sum float64
	for c, x := range in {
		sum += float64(a[c]) * float64(x)
	}
	for c, x := range in {
		out[c] = a[c] * float32(float64(x)-sum)
	}
})

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

func hardSigmoid(x float32) float32 { return min(max(x+3, 0), 6) * (1.0 / 6) }

// columnsGeneric is the Go twin of colsumc8AVX2 and, with square, of colsqc8AVX2.
func columnsGeneric(square bool) func(*Rows) {
	return func(t *Rows) {
		out := unsafe.Slice(t.Out, t.C)
		clear(out)
		for r := range t.RowsLeft {
			for c, x := range row(t.In, r, t.LDI, t.C) {
				if square {
					x -= *At(t.A, 4*c)
					x *= x
				}
				out[c] += x
			}
		}
	}
}

// columnProductsBy is the Go twin of colmulc8AVX2: each row's products are added to the same row of sums.
func columnProductsBy(mulAdd func(*Rows)) func(*Rows) {
	return func(t *Rows) {
		clear(unsafe.Slice(t.Out, t.C))
		sums, infinity := *t, float32(math.Inf(1))
		sums.B, sums.LDO, sums.LDB, sums.Lo, sums.Hi = t.Out, 0, 0, -infinity, infinity
		mulAdd(&sums)
	}
}

// slopeGeneric is the Go twin of slopec8AVX2.
var slopeGeneric = eachRow(func(t *Rows, out, in, a, _ []float32) {
	for c, x := range in {
		inside := uint32(0)
		if !(x <= t.Lo || x >= t.Hi) {
			inside--
		}
		out[c] = math.Float32frombits(math.Float32bits(a[c]) & inside)
	}
})

// blendBy is the Go twin of blendc8AVX2: two passes.
func blendBy(mulAdd func(*Rows)) func(*Rows) {
	return func(t *Rows) {
		infinity := float32(math.Inf(1))
		first := *t
		first.A, first.LDA, first.B, first.LDB, first.Lo, first.Hi = t.B, 0, At(t.B, 2*t.LDB), 0, -infinity, infinity
		second := first
		mulAdd(&first)
		second.In, second.LDI, second.A, second.B, second.LDB = t.A, t.LDA, At(t.B, t.LDB), t.Out, t.LDO
		mulAdd(&second)
		t.RowsLeft = 0
	}
}
