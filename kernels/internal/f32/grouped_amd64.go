//go:build !purego

package f32

// grouped3s{s}p{px}{ISA} computes, for every output pixel p < px and channel c < C/4, with sums in this order:
//
//	sum := Bias[c]
//	first := c/Each*Each
//	for _, tap := range Taps[:N] {
//		for j := range Each {
//			for kx := range 3 {
//				if x := p*s + kx; x is not the first or the last one, or is no padding by Before or Behind {
//					sum += tap.In[First/4+x*Pixel/4+first+j] * W[c/Lanes*WStep/4+tap.W/4+(j*3+kx)*Lanes+c%Lanes]
//				}
//			}
//		}
//	}
//	Out[p*LDO/4+c] = min(max(sum, Lo), Hi)
//
//go:noescape
func grouped3s1p8AVX2(t *Grouped)

//go:noescape
func grouped3s1p7AVX2(t *Grouped)

//go:noescape
func grouped3s1p4AVX2(t *Grouped)

//go:noescape
func grouped3s1p2AVX2(t *Grouped)

//go:noescape
func grouped3s1p1AVX2(t *Grouped)

//go:noescape
func grouped3s2p8AVX2(t *Grouped)

//go:noescape
func grouped3s2p7AVX2(t *Grouped)

//go:noescape
func grouped3s2p4AVX2(t *Grouped)

//go:noescape
func grouped3s2p2AVX2(t *Grouped)

//go:noescape
func grouped3s2p1AVX2(t *Grouped)

//go:noescape
func grouped3s1p14AVX512(t *Grouped)

//go:noescape
func grouped3s1p12AVX512(t *Grouped)

//go:noescape
func grouped3s1p10AVX512(t *Grouped)

//go:noescape
func grouped3s1p8AVX512(t *Grouped)

//go:noescape
func grouped3s1p7AVX512(t *Grouped)

//go:noescape
func grouped3s1p4AVX512(t *Grouped)

//go:noescape
func grouped3s1p2AVX512(t *Grouped)

//go:noescape
func grouped3s1p1AVX512(t *Grouped)

//go:noescape
func grouped3s2p14AVX512(t *Grouped)

//go:noescape
func grouped3s2p12AVX512(t *Grouped)

//go:noescape
func grouped3s2p10AVX512(t *Grouped)

//go:noescape
func grouped3s2p8AVX512(t *Grouped)

//go:noescape
func grouped3s2p7AVX512(t *Grouped)

//go:noescape
func grouped3s2p4AVX512(t *Grouped)

//go:noescape
func grouped3s2p2AVX512(t *Grouped)

//go:noescape
func grouped3s2p1AVX512(t *Grouped)

// groupedAVX2 are the kernels of convolutions in groups, eight channels at a time.
var groupedAVX2 = GroupedKernels{Lanes: 8, By: [2][MaxGrouped + 1]func(*Grouped){
	{1: grouped3s1p1AVX2, 2: grouped3s1p2AVX2, 4: grouped3s1p4AVX2, 7: grouped3s1p7AVX2, 8: grouped3s1p8AVX2},
	{1: grouped3s2p1AVX2, 2: grouped3s2p2AVX2, 4: grouped3s2p4AVX2, 7: grouped3s2p7AVX2, 8: grouped3s2p8AVX2},
}}

// groupedAVX512 are the kernels of convolutions in groups, sixteen channels at a time.
var groupedAVX512 = GroupedKernels{Lanes: 16, By: [2][MaxGrouped + 1]func(*Grouped){
	{1: grouped3s1p1AVX512, 2: grouped3s1p2AVX512, 4: grouped3s1p4AVX512, 7: grouped3s1p7AVX512, 8: grouped3s1p8AVX512,
		10: grouped3s1p10AVX512, 12: grouped3s1p12AVX512, 14: grouped3s1p14AVX512},
	{1: grouped3s2p1AVX512, 2: grouped3s2p2AVX512, 4: grouped3s2p4AVX512, 7: grouped3s2p7AVX512, 8: grouped3s2p8AVX512,
		10: grouped3s2p10AVX512, 12: grouped3s2p12AVX512, 14: grouped3s2p14AVX512},
}}
