package bf16

import (
	"unsafe"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
)

// Block is the argument of a product by blocks: of i8's fields, Bias is of float32, Scale and what a Finish has for bytes are not
// read, and the output is float32.
type Block = i8.Block

// blockGeneric is the Go twin of block{rows}x{nr}AMX, with as many rows as there are.
func blockGeneric(nr int) func(*Block) {
	return func(t *Block) {
		for o := range t.BlocksLeft * t.Rows {
			row := unsafe.Slice((*uint32)(unsafe.Add(t.A, o*t.LDA)), t.Chunks*t.Chunk/4)
			out := unsafe.Slice((*float32)(unsafe.Add(t.C, o*t.LDC)), t.Columns)
			for j, sum := range unsafe.Slice((*float32)(t.Bias), nr)[:t.Columns] {
				b := unsafe.Slice((*uint32)(unsafe.Add(t.B, j/f32.NR*t.Panel)), len(row)*f32.NR)[j%f32.NR:]
				for k := 0; k < len(row); k += t.Chunk / 4 {
					sum += chunkSum(row[k:][:t.Chunk/4], b[k*f32.NR:])
				}
				if t.R != nil {
					sum += *(*float32)(unsafe.Add(t.R, o*t.LDR+4*j))
				}
				out[j] = min(max(sum, t.Lo), t.Hi)
			}
		}
		t.BlocksLeft = 0
	}
}

// chunkSum is the sum of a chunk's products with a column of a panel.
func chunkSum(a, b []uint32) float32 {
	var first, second float32
	for k, a := range a {
		w := b[k*f32.NR]
		first = add(first, float64(Widen(uint16(a)))*float64(Widen(uint16(w))))
		second = add(second, float64(Widen(uint16(a>>16)))*float64(Widen(uint16(w>>16))))
	}
	return first + second
}
