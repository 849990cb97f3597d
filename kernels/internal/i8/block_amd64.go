//go:build !purego

package i8

// block{rows}x{nr}AMX computes, for every block i, row r < Rows and column j < Columns, Rows being above 16 where rows is 32 and
// not above it where rows is 16:
//
//	sum := Bias[j]
//	for k := range Chunks * Chunk {
//		sum += A[i*Rows+r][k] * B[j/16*Panel+(k/4*16+j%16)*4+k%4]
//	}
//	C[i*Rows+r][j] = finish(float32(sum)*Scale[j], R[i*Rows+r][j])
//
// It configures the tiles by Tiles when it begins and releases them when it ends: a goroutine may go on on another thread.
//
//go:noescape
func block16x16AMX(t *Block)

//go:noescape
func block16x32AMX(t *Block)

//go:noescape
func block32x16AMX(t *Block)

//go:noescape
func block32x32AMX(t *Block)
