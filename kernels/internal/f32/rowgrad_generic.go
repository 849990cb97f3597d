package f32

import "unsafe"

// rowGradGeneric is the Go twin of rowgrad of so many taps. Its sums are float64's, as gemmRow's are.
func rowGradGeneric(taps int) func(*RowGrad) {
	return func(t *RowGrad) {
		pixels := t.Before + t.Middle + t.Behind
		for i := range RowFilters {
			for k := range taps {
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
}

// depthGradGeneric is the Go twin of depthgrad of so many taps.
func depthGradGeneric(taps int) func(*RowGrad) {
	return func(t *RowGrad) {
		mask := unsafe.Slice(t.Mask, NR)
		for k := range taps {
			for c := range NR {
				if mask[c] == 0 {
					continue
				}
				sum := 0.0
				for _, row := range unsafe.Slice(t.Rows, t.N) {
					for p := range t.Middle {
						sum += float64(*At(row.DY, t.DY+p*t.DYPixel+4*c)) * float64(*At(row.X, t.X+p*t.XPixel+k*t.XTap+4*c))
					}
				}
				*At(t.Sums, k*t.Tap+4*c) += float32(sum)
			}
		}
	}
}
