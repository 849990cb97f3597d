//go:build !purego

package bf16

// gemm{mr}x{nr}{ISA} computes, for every tile i, row r < mr and column j < nr:
//
//	sum := Bias[j]             // 0 with Load or without a bias
//	for tap := range Taps {
//		for k := range K {
//			a, b := A[i][tap][r][(Offset+i*Move)/4+k], B[j/16*Panel/4+(tap*K+k)*16+j%16] // with nr = 8, B[(tap*K+k)*8+j]
//			sum += second(a) * second(b)
//			sum += first(a) * first(b)
//		}
//	}
//	if Load { sum += C[i*mr+r][j] }
//	if Final { sum = min(max(sum+R[r][j], Lo), Hi) }
//	C[i*mr+r][j] = sum
//
//go:noescape
func gemm6x16AVX2(t *Tile)

//go:noescape
func gemm5x16AVX2(t *Tile)

//go:noescape
func gemm4x16AVX2(t *Tile)

//go:noescape
func gemm3x16AVX2(t *Tile)

//go:noescape
func gemm2x16AVX2(t *Tile)

//go:noescape
func gemm1x16AVX2(t *Tile)

//go:noescape
func gemm6x8AVX2(t *Tile)

//go:noescape
func gemm5x8AVX2(t *Tile)

//go:noescape
func gemm4x8AVX2(t *Tile)

//go:noescape
func gemm3x8AVX2(t *Tile)

//go:noescape
func gemm2x8AVX2(t *Tile)

//go:noescape
func gemm1x8AVX2(t *Tile)

//go:noescape
func gemm6x16AVX512(t *Tile)

//go:noescape
func gemm5x16AVX512(t *Tile)

//go:noescape
func gemm4x16AVX512(t *Tile)

//go:noescape
func gemm3x16AVX512(t *Tile)

//go:noescape
func gemm2x16AVX512(t *Tile)

//go:noescape
func gemm1x16AVX512(t *Tile)

//go:noescape
func gemm6x32AVX512(t *Tile)

//go:noescape
func gemm5x32AVX512(t *Tile)

//go:noescape
func gemm4x32AVX512(t *Tile)

//go:noescape
func gemm3x32AVX512(t *Tile)

//go:noescape
func gemm2x32AVX512(t *Tile)

//go:noescape
func gemm1x32AVX512(t *Tile)

//go:noescape
func gemm6x48AVX512(t *Tile)

//go:noescape
func gemm5x48AVX512(t *Tile)

//go:noescape
func gemm4x48AVX512(t *Tile)

//go:noescape
func gemm3x48AVX512(t *Tile)

//go:noescape
func gemm2x48AVX512(t *Tile)

//go:noescape
func gemm1x48AVX512(t *Tile)

//go:noescape
func gemm6x64AVX512(t *Tile)

//go:noescape
func gemm5x64AVX512(t *Tile)

//go:noescape
func gemm4x64AVX512(t *Tile)

//go:noescape
func gemm3x64AVX512(t *Tile)

//go:noescape
func gemm2x64AVX512(t *Tile)

//go:noescape
func gemm1x64AVX512(t *Tile)

//go:noescape
func gemm6x16AVX512BF16(t *Tile)

//go:noescape
func gemm5x16AVX512BF16(t *Tile)

//go:noescape
func gemm4x16AVX512BF16(t *Tile)

//go:noescape
func gemm3x16AVX512BF16(t *Tile)

//go:noescape
func gemm2x16AVX512BF16(t *Tile)

//go:noescape
func gemm1x16AVX512BF16(t *Tile)

//go:noescape
func gemm6x32AVX512BF16(t *Tile)

//go:noescape
func gemm5x32AVX512BF16(t *Tile)

//go:noescape
func gemm4x32AVX512BF16(t *Tile)

//go:noescape
func gemm3x32AVX512BF16(t *Tile)

//go:noescape
func gemm2x32AVX512BF16(t *Tile)

//go:noescape
func gemm1x32AVX512BF16(t *Tile)

//go:noescape
func gemm6x48AVX512BF16(t *Tile)

//go:noescape
func gemm5x48AVX512BF16(t *Tile)

//go:noescape
func gemm4x48AVX512BF16(t *Tile)

//go:noescape
func gemm3x48AVX512BF16(t *Tile)

//go:noescape
func gemm2x48AVX512BF16(t *Tile)

//go:noescape
func gemm1x48AVX512BF16(t *Tile)

//go:noescape
func gemm6x64AVX512BF16(t *Tile)

//go:noescape
func gemm5x64AVX512BF16(t *Tile)

//go:noescape
func gemm4x64AVX512BF16(t *Tile)

//go:noescape
func gemm3x64AVX512BF16(t *Tile)

//go:noescape
func gemm2x64AVX512BF16(t *Tile)

//go:noescape
func gemm1x64AVX512BF16(t *Tile)

// roundc{lanes}{ISA} computes, for every row o and channel c < C:
//
//	Out[o][c] = Round(In[o][c])
//
//go:noescape
func roundc8AVX2(t *Rows)

//go:noescape
func roundc16AVX512(t *Rows)
