package f32

import "unsafe"

// rowGradGeneric is the Go twin of rowgrad3. Its sums are float64's, as gemmRow's are.
func rowGradGeneric(t *RowGrad) {
	pixels := t.Before + t.Middle + t.Behind
	for i := range RowFilters {
		for k := range 3 {
			var sums [NR]float64
			for _, row := range unsafe.Slice(t.Rows, t.N) {
				for p := range pixels {
					if k == 0 && p < t.Before || k == 2 && p >= pixels-t.Behind {
						continue
					}
					dy := float64(*At(row.DY, t.DY+p*t.DYPixel+4*i))
					for c, x := range unsafe.Slice(At(row.X, t.X+p*t.XPixel+k*t.XTap), NR) {
						sums[c] += dy * float64(x)
					}
				}
			}
			for c, out := 0, unsafe.Slice(At(t.Sums, i*t.LDS+k*t.Tap), NR); c < NR; c++ {
				out[c] += float32(sums[c])
			}
		}
	}
}
