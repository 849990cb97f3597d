package f32

import "unsafe"

// MaxBand is the most rows of output that a band has.
const MaxBand = 3

// bandGeneric is the Go twin of dwband{k}s{s}r{rows}. Its sums are float64's, as gemmRow's are.
func bandGeneric(k, s, rows int) func(*Band) {
	return func(t *Band) {
		in, bias := unsafe.Slice(t.In, (rows-1)*s+k), unsafe.Slice(t.Bias, t.C)
		for o := range t.OW {
			first := o*s - t.Left // column of input
			from, to := max(0, -first), min(k, t.Cols-first)
			for r := range rows {
				out := unsafe.Slice(At(t.Out, r*t.OutRow+o*t.OutPixel), t.C)
				for c := range out {
					sum := float64(bias[c])
					for kx := from; kx < to; kx++ {
						for ky, row := range in[r*s : r*s+k] {
							if row != nil {
								sum += float64(*At(row, (first+kx)*t.InPixel+4*c)) * float64(*At(t.W, 4*(c/16*k*k*16+(ky*k+kx)*16+c%16)))
							}
						}
					}
					out[c] = float32(min(max(sum, float64(t.Lo)), float64(t.Hi)))
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
