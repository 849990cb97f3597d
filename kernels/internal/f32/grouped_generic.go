package f32

import "unsafe"

// groupedGeneric is the Go twin of grouped3s{s}p{px} with so many lanes. Its sums are float64's, as gemmRow's are.
func groupedGeneric(lanes, s, px int) func(*Grouped) {
	return func(t *Grouped) {
		last := (px-1)*s + 2
		bias := unsafe.Slice(t.Bias, t.C/4)
		for p := range px {
			out := unsafe.Slice(At(t.Out, p*t.LDO), t.C/4)
			for c := range out {
				sum, first := float64(bias[c]), c/t.Each*t.Each
				for _, tap := range unsafe.Slice(t.Taps, t.N) {
					w := At(t.W, c/lanes*t.WStep+tap.W+4*(c%lanes))
					for j := range t.Each {
						for kx := range 3 {
							if x := p*s + kx; !(x == 0 && t.Before != 0) && !(x == last && t.Behind != 0) {
								sum += float64(*At(tap.In, t.First+x*t.Pixel+4*(first+j))) * float64(*At(w, 4*lanes*(3*j+kx)))
							}
						}
					}
				}
				out[c] = float32(min(max(sum, float64(t.Lo)), float64(t.Hi)))
			}
		}
	}
}

// groupedKernelsGeneric are kernels of convolutions in groups in Go.
func groupedKernelsGeneric() GroupedKernels {
	k := GroupedKernels{Lanes: 8}
	for s := range k.By {
		for _, px := range []int{1, 7} {
			k.By[s][px] = groupedGeneric(k.Lanes, s+1, px)
		}
	}
	return k
}
