//go:build !purego

package f32

// rowgrad{taps}{ISA} computes, for every filter i < RowFilters, tap k < taps and channel c < NR, with a sum in this order:
//
//	sum := 0
//	for _, row := range Rows[:N] {
//		for p := range Before + Middle + Behind {
//			if k is not 0 in the pixel before or 2 in the one behind {
//				sum += row.DY[(DY+p*DYPixel)/4+i] * row.X[(X+p*XPixel+k*XTap)/4+c]
//			}
//		}
//	}
//	Sums[(i*LDS+k*Tap)/4+c] += sum
//
//go:noescape
func rowgrad1AVX2(t *RowGrad)

//go:noescape
func rowgrad2AVX2(t *RowGrad)

//go:noescape
func rowgrad3AVX2(t *RowGrad)

// depthgrad{taps}{ISA} computes, for every tap k < taps and channel c < NR that Mask has, with a sum in this order:
//
//	sum := 0
//	for _, row := range Rows[:N] {
//		for p := range Middle {
//			sum += row.DY[(DY+p*DYPixel)/4+c] * row.X[(X+p*XPixel+k*XTap)/4+c]
//		}
//	}
//	Sums[k*Tap/4+c] += sum
//
//go:noescape
func depthgrad3AVX2(t *RowGrad)

//go:noescape
func depthgrad5AVX2(t *RowGrad)

//go:noescape
func depthgrad7AVX2(t *RowGrad)

// With AVX-512 the same, to the bit.

//go:noescape
func rowgrad1AVX512(t *RowGrad)

//go:noescape
func rowgrad2AVX512(t *RowGrad)

//go:noescape
func rowgrad3AVX512(t *RowGrad)

//go:noescape
func depthgrad3AVX512(t *RowGrad)

//go:noescape
func depthgrad5AVX512(t *RowGrad)

//go:noescape
func depthgrad7AVX512(t *RowGrad)
