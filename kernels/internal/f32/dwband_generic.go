package f32

import "unsafe"

// MaxBand is the most rows of output that a band has.
const MaxBand = 3

// bandGeneric is the Go twin of dwband{k}s{s}r{rows}.
func bandGeneric(k, s, rows int) func(*Band) {
	return func(t *Band) {
		bias := unsafe.Slice(t.Bias, t.C)
		for o := range t.OW {
			for r := range rows {
				out := unsafe.Slice(At(t.Out, r*t.OutRow+o*t.OutPixel), t.C)
				copy(out, bias)
				for kx := range k {
					x := o*s + kx - t.Left
					if x < 0 || x >= t.Cols {
						continue
					}
					for ky := range k {
						row := unsafe.Slice(t.In, (rows-1)*s+k)[r*s+ky]
						if row == nil {
							continue
						}
						for c, v := range unsafe.Slice(At(row, x*t.InPixel), t.C) {
							out[c] += v * *At(t.W, 4*(c/16*k*k*16+(ky*k+kx)*16+c%16))
						}
					}
				}
				for c, y := range out {
					out[c] = min(max(y, t.Lo), t.Hi)
				}
			}
		}
	}
}

// bandsGeneric are all bands in Go.
func bandsGeneric() (b [3][2][MaxBand + 1]func(*Band)) {
	for k := range b {
		for s := range b[k] {
			for r := 1; r <= MaxBand; r++ {
				b[k][s][r] = bandGeneric(2*k+3, s+1, r)
			}
		}
	}
	return b
}
