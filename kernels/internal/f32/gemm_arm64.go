//go:build !purego

package f32

// gemm{mr}x{nr}NEON computes, for every tile i, row r < mr and column j < nr:
//
//	sum := Bias[j]             // 0 with Load or without a bias
//	for tap := range Taps {
//		for k := range K {
//			sum += A[i][tap][r][(Offset+i*Move)/4+k] * B[(tap*K+k)*nr+j]
//		}
//	}
//	if Load { sum += C[i*mr+r][j] }
//	if Final { sum = min(max(sum+R[r][j], Lo), Hi) }
//	C[i*mr+r][j] = sum
//
//go:noescape
func gemm6x16NEON(t *Tile)

//go:noescape
func gemm5x16NEON(t *Tile)

//go:noescape
func gemm4x16NEON(t *Tile)

//go:noescape
func gemm3x16NEON(t *Tile)

//go:noescape
func gemm2x16NEON(t *Tile)

//go:noescape
func gemm1x16NEON(t *Tile)

//go:noescape
func gemm6x8NEON(t *Tile)

//go:noescape
func gemm5x8NEON(t *Tile)

//go:noescape
func gemm4x8NEON(t *Tile)

//go:noescape
func gemm3x8NEON(t *Tile)

//go:noescape
func gemm2x8NEON(t *Tile)

//go:noescape
func gemm1x8NEON(t *Tile)
