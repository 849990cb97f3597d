package bf16

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"unsafe"

	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
)

// TestBlockTwins runs products by blocks over random shapes, depths, residuals and strides: the same bits as the Go twin, and what
// lies between and behind the columns stays as it was.
func TestBlockTwins(t *testing.T) {
	if !cpu.AMX {
		t.Skip("AMX: this machine has none, or the system does not let this process use it")
	}
	fast, twin, rng := Blocks(), i8.BlocksGeneric(blockGeneric), rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		panels := 1 + rng.IntN(i8.BlockPanels)
		nr := panels * f32.NR
		arg := Block{Chunks: 1 + rng.IntN(5), Chunk: 4 * (1 + rng.IntN(i8.ChunkBytes/4)), BlocksLeft: 1 + rng.IntN(3), Columns: 1 + rng.IntN(nr)}
		arg.SetRows(1 + rng.IntN(i8.BlockRows))
		depth, rows := arg.Chunks*arg.Chunk/4, arg.BlocksLeft*arg.Rows
		lda, panel, ldc, ldr := depth+rng.IntN(9), depth*f32.NR+rng.IntN(30), arg.Columns+rng.IntN(4), arg.Columns+rng.IntN(4)
		a, b, bias := pairsOf(rng, rows*lda), pairsOf(rng, panels*panel), numbers(rng, nr)
		c, r := numbers(rng, rows*ldc+1), numbers(rng, rows*ldr)
		var sums i8.BlockSums
		arg.A, arg.B, arg.Bias, arg.Sums = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&bias[0]), &sums
		arg.LDA, arg.Panel, arg.LDC, arg.LDR = 4*lda, 4*panel, 4*ldc, 4*ldr
		arg.Ahead = 1 + rng.IntN(20)
		arg.Lo, arg.Hi, arg.Prefetch = float32(-rng.IntN(200)), float32(rng.IntN(200)), uintptr(arg.B)
		if rng.IntN(2) == 0 {
			arg.R = unsafe.Pointer(&r[0])
		}
		got, want := append([]float32(nil), c...), append([]float32(nil), c...)
		mine, theirs := arg, arg
		mine.C, theirs.C = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
		tiles := (arg.Rows - 1) / 16
		fast[tiles][panels-1](&mine)
		twin[tiles][panels-1](&theirs)
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%d blocks of %d rows, %d panels, %d columns, %d chunks of %d: element %d: %v, want %v",
					arg.BlocksLeft, arg.Rows, panels, arg.Columns, arg.Chunks, arg.Chunk, i, got[i], want[i])
			}
		}
	}
}

// BenchmarkBlock is the rate of products of 192 rows by 32 columns.
func BenchmarkBlock(b *testing.B) {
	if !cpu.AMX {
		b.Skip("AMX: this machine has none, or the system does not let this process use it")
	}
	blocks := Blocks()
	for _, depth := range []int{64, 256, 576, 1024, 2304, 4608} {
		b.Run(strconv.Itoa(depth), func(b *testing.B) {
			const rows, nr = 192, i8.BlockPanels * f32.NR
			a, w, out, bias := make([]float32, rows*depth/2), make([]float32, nr*depth/2), make([]float32, rows*nr), make([]float32, nr)
			rng := rand.New(rand.NewPCG(1, 2))
			copy(a, pairsOf(rng, len(a)))
			copy(w, pairsOf(rng, len(w)))
			var sums i8.BlockSums
			arg := Block{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&w[0]), C: unsafe.Pointer(&out[0]), Bias: unsafe.Pointer(&bias[0]),
				Sums: &sums, LDA: 2 * depth, Panel: 2 * depth * f32.NR, LDC: 4 * nr, Columns: nr, Prefetch: uintptr(unsafe.Pointer(&w[0])), Ahead: 5}
			arg.Chunks, arg.Chunk = i8.Chunks(2 * depth)
			arg.SetRows(i8.BlockRows)
			for b.Loop() {
				t := arg
				t.BlocksLeft = rows / i8.BlockRows
				blocks[1][1](&t)
			}
			b.ReportMetric(2*rows*nr*float64(depth)*float64(b.N)/b.Elapsed().Seconds()/1e12, "TFLOPS")
		})
	}
}
