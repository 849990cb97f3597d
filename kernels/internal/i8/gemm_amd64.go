//go:build !purego

package i8

// gemm{mr}x{nr}VNNI computes, for every tile i, row r < mr and column j < Columns:
//
//	sum := Bias[j]
//	for tap := range Taps {
//		for k := range K {
//			sum += A[i][tap][r][Offset+i*Move+k] * B[j/16*Panel+((tap*K+k)/4*16+j%16)*4+k%4]
//		}
//	}
//	C[i*mr+r][j] = finish(float32(sum)*Scale[j], R[i*mr+r][j])
//
//go:noescape
func gemm6x16VNNI(t *Tile)

//go:noescape
func gemm5x16VNNI(t *Tile)

//go:noescape
func gemm4x16VNNI(t *Tile)

//go:noescape
func gemm3x16VNNI(t *Tile)

//go:noescape
func gemm2x16VNNI(t *Tile)

//go:noescape
func gemm1x16VNNI(t *Tile)

//go:noescape
func gemm6x32VNNI(t *Tile)

//go:noescape
func gemm5x32VNNI(t *Tile)

//go:noescape
func gemm4x32VNNI(t *Tile)

//go:noescape
func gemm3x32VNNI(t *Tile)

//go:noescape
func gemm2x32VNNI(t *Tile)

//go:noescape
func gemm1x32VNNI(t *Tile)

//go:noescape
func gemm6x48VNNI(t *Tile)

//go:noescape
func gemm5x48VNNI(t *Tile)

//go:noescape
func gemm4x48VNNI(t *Tile)

//go:noescape
func gemm3x48VNNI(t *Tile)

//go:noescape
func gemm2x48VNNI(t *Tile)

//go:noescape
func gemm1x48VNNI(t *Tile)

//go:noescape
func gemm6x64VNNI(t *Tile)

//go:noescape
func gemm5x64VNNI(t *Tile)

//go:noescape
func gemm4x64VNNI(t *Tile)

//go:noescape
func gemm3x64VNNI(t *Tile)

//go:noescape
func gemm2x64VNNI(t *Tile)

//go:noescape
func gemm1x64VNNI(t *Tile)

// gemm{mr}x16AVX2 computes the same where Columns is 16, with the panel's step of k in the order of Level.Pairs.

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

// gemm{mr}x16AVXVNNI computes the same by four bytes at a time.

//go:noescape
func gemm6x16AVXVNNI(t *Tile)

//go:noescape
func gemm5x16AVXVNNI(t *Tile)

//go:noescape
func gemm4x16AVXVNNI(t *Tile)

//go:noescape
func gemm3x16AVXVNNI(t *Tile)

//go:noescape
func gemm2x16AVXVNNI(t *Tile)

//go:noescape
func gemm1x16AVXVNNI(t *Tile)
