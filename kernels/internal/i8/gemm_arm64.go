//go:build !purego

package i8

// gemm{mr}x16NEON computes what gemm{mr}x16VNNI does where Columns is 16.

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

// gemm{mr}x16NEONDOT computes the same of bytes of which 128 is subtracted (Level.Less), with the dot products of ARMv8.2.

//go:noescape
func gemm6x16NEONDOT(t *Tile)

//go:noescape
func gemm5x16NEONDOT(t *Tile)

//go:noescape
func gemm4x16NEONDOT(t *Tile)

//go:noescape
func gemm3x16NEONDOT(t *Tile)

//go:noescape
func gemm2x16NEONDOT(t *Tile)

//go:noescape
func gemm1x16NEONDOT(t *Tile)
