//go:build !purego

package f32

// rowgrad3{ISA} computes, for every filter i < RowFilters, tap k < 3 and channel c < NR, with a sum in this order:
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
func rowgrad3AVX2(t *RowGrad)

// With AVX-512 the same, to the bit.
//
//go:noescape
func rowgrad3AVX512(t *RowGrad)
