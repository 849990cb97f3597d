package i8

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// eachLevel times what made makes for every instruction set that has it: ns an operation on so many bytes of output.
func eachLevel(b *testing.B, name string, bytes int, made func(l *Level) func()) {
	for _, l := range Levels() {
		run := made(l)
		if run == nil {
			continue
		}
		b.Run(name+"/isa="+l.Name, func(b *testing.B) {
			b.SetBytes(int64(bytes))
			for b.Loop() {
				run()
			}
		})
	}
}

// BenchmarkGemm times 48 rows of a product by sixteen columns, with the tile of six rows.
func BenchmarkGemm(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range []int{64, 576} {
		const tiles = 8
		in, w := someBytes(rng, tiles*MR*k), someWeights(rng, k*NR)
		a, bias, scale := make([]*uint8, tiles*MR), make([]int32, NR), scales(rng, NR, 1000)
		for i := range a {
			a[i] = &in[i*k]
		}
		out, finish := make([]uint8, tiles*MR*NR), someFinish(rng, false)
		eachLevel(b, fmt.Sprintf("k=%d", k), len(out), func(l *Level) func() {
			return func() {
				l.Gemm[1][MR](&Tile{A: &a[0], B: &w[0], C: unsafe.Pointer(&out[0]), Bias: &bias[0], Scale: &scale[0], Columns: NR, Taps: 1, K: k,
					LDC: NR, TilesLeft: tiles, Step: 8 * MR, Finish: finish, Prefetch: uintptr(unsafe.Pointer(&w[0]))})
			}
		})
	}
}

// BenchmarkRows times the kernels of rows on 4096 elements.
func BenchmarkRows(b *testing.B) {
	const n = 4096
	rng := rand.New(rand.NewPCG(1, 2))
	in, second, out, table := someBytes(rng, 4*n), someBytes(rng, n), make([]uint8, 4*n), [256]uint8(someBytes(rng, 256))
	parts := []Part{{In: unsafe.Pointer(&in[0]), Scale: 0.5, Zero: 3}, {In: unsafe.Pointer(&second[0]), Scale: 0.25, Zero: 7}}
	clear(in[n:]) // no NaN among the numbers of float32
	arg := Rows{Out: unsafe.Pointer(&out[0]), In: unsafe.Pointer(&in[0]), B: unsafe.Pointer(&second[0]), C: n, InScale: 0.01, InZero: 100,
		Finish: someFinish(rng, false), Table: &table, Parts: &parts[0], N: 2}
	for _, op := range []struct {
		name string
		of   func(l *Level) func(*Rows)
	}{
		{"table", func(l *Level) func(*Rows) { return l.Table }}, {"add", func(l *Level) func(*Rows) { return l.Add }},
		{"mul", func(l *Level) func(*Rows) { return l.Mul }}, {"quantize", func(l *Level) func(*Rows) { return l.Quantize }},
		{"dequantize", func(l *Level) func(*Rows) { return l.Dequantize }},
	} {
		eachLevel(b, op.name, n, func(l *Level) func() {
			return func() {
				t := arg
				t.RowsLeft = 1
				op.of(l)(&t)
			}
		})
	}
}

// BenchmarkWindow times windows of 3×3 on 28 pixels of 96 channels.
func BenchmarkWindow(b *testing.B) {
	const c, pixels = 96, 28
	rng := rand.New(rand.NewPCG(1, 2))
	in, w, out := someBytes(rng, 3*(pixels+2)*c), someWeights(rng, 9*c), make([]uint8, pixels*c)
	bias, scale, taps := make([]int32, c), scales(rng, c, 200), make([]Tap, 9)
	for i := range taps {
		taps[i] = Tap{In: &in[(i/3*(pixels+2)+i%3)*c], W: i * c}
	}
	arg := Window{Taps: &taps[0], N: 9, W: &w[0], Bias: &bias[0], Scale: &scale[0], Out: &out[0], LDO: c, Step: c, C: c,
		Finish: someFinish(rng, false)}
	for _, op := range []struct {
		name string
		of   func(l *Level) func(*Window)
	}{
		{"depthwise", func(l *Level) func(*Window) { return l.Depthwise }}, {"sum", func(l *Level) func(*Window) { return l.Sum }},
		{"max", func(l *Level) func(*Window) { return l.Max }},
	} {
		eachLevel(b, op.name, len(out), func(l *Level) func() {
			return func() {
				t := arg
				t.PixelsLeft = pixels
				op.of(l)(&t)
			}
		})
	}
}

// BenchmarkBand times twelve rows of 28 pixels of 96 channels of depthwise convolutions, in bands of as many rows as there are, and by
// the kernel of a window where a level has no bands.
func BenchmarkBand(b *testing.B) {
	const c, columns, rows = 96, 28, 12
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][2]int{{3, 1}, {3, 2}, {5, 1}, {5, 2}} {
		k, s := shape[0], shape[1]
		in, w, out := someBytes(rng, s*(columns+k)*c), someWeights(rng, k*k*c), make([]uint8, rows*columns*c)
		bias, scale := make([]int32, c), scales(rng, c, 200)
		inputs := make([]*uint8, BandInputs)
		for i := range inputs {
			inputs[i] = &in[0]
		}
		taps, finish := make([]Tap, k*k), someFinish(rng, false)
		for i := range taps {
			taps[i] = Tap{In: &in[i%k*c], W: i * c}
		}
		eachLevel(b, fmt.Sprintf("k=%d,s=%d", k, s), len(out), func(l *Level) func() {
			most, kernels := 0, l.Bands[(k-3)/2][s-1]
			for most+1 < len(kernels) && kernels[most+1] != nil {
				most++
			}
			if most == 0 {
				return func() {
					for range rows {
						l.Depthwise(&Window{Taps: &taps[0], N: k * k, W: &w[0], Bias: &bias[0], Scale: &scale[0], Out: &out[0], LDO: c,
							Step: s * c, C: c, PixelsLeft: columns, Finish: finish})
					}
				}
			}
			packed := bandWeights(k, c, l.BandRows, bias, scale, w)
			return func() {
				for done := 0; done < rows; done += most {
					kernels[most](&Band{In: &inputs[0], Padding: &inputs[0], W: (*int8)(unsafe.Pointer(&packed[0])), Out: &out[0], InPixel: c,
						OutRow: columns * c, OutPixel: c, Cols: s*columns + k - 1, OW: columns, C: c, Finish: finish})
				}
			}
		})
	}
}
