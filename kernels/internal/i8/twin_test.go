package i8

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// eachTwin runs a test body for every instruction set but the Go one, with numbers from a seed.
func eachTwin(t *testing.T, body func(t *testing.T, l *Level, rng *rand.Rand)) {
	for _, l := range Levels() {
		if l != generic {
			t.Run("isa="+l.Name, func(t *testing.T) { body(t, l, rand.New(rand.NewPCG(1, 2))) })
		}
	}
}

// someBytes are n bytes, now and then all of them at an end.
func someBytes(rng *rand.Rand, n int) []uint8 {
	x, ends := make([]uint8, n), rng.IntN(4) == 0
	for i := range x {
		if x[i] = uint8(rng.Uint32()); ends {
			x[i] = 255 * (x[i] & 1)
		}
	}
	return x
}

// someWeights are n weights.
func someWeights(rng *rand.Rand, n int) []int8 {
	w := make([]int8, n)
	for i, b := range someBytes(rng, n) {
		w[i] = int8(max(int(b)-128, -127))
	}
	return w
}

// someFinish is an end of sums; of bytes, or of float32.
func someFinish(rng *rand.Rand, floats bool) Finish {
	if floats {
		return Finish{Lo: float32(-rng.IntN(1000)), Hi: float32(rng.IntN(1000)), OutFloats: 1}
	}
	zero := rng.IntN(256)
	f := Finish{Lo: float32(-zero), Hi: float32(255 - zero), Zero: int32(zero), ResScale: rng.Float32() * 2, ResZero: int32(rng.IntN(256))}
	if rng.IntN(2) == 0 {
		f.Lo, f.Hi = 0, float32(rng.IntN(256-zero))
	}
	return f
}

// scales are n multipliers; one in a while is far beyond what gives a byte.
func scales(rng *rand.Rand, n int, of float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		if x[i] = float32(rng.Float64() / of); rng.IntN(50) == 0 {
			x[i] = 1e30
		}
	}
	return x
}

// placed are panels of (taps·k/4, 16, 4), size bytes apart, as a level has them.
func placed(l *Level, panels []int8, size int) []int8 {
	if !l.Pairs {
		return panels
	}
	out := make([]int8, len(panels))
	for i, w := range panels {
		if step, column, k := i%size/(NR*Depth), i%size/Depth%NR, i%Depth; i%size < size/(NR*Depth)*(NR*Depth) {
			out[i/size*size+step*NR*Depth+k/2*2*NR+2*column+k%2] = w
		}
	}
	return out
}

// TestTileTwins runs every matrix tile over random depths, residuals, numbers of columns and strides: all instruction sets give the
// same bits, and what lies between and behind the columns stays as it was.
func TestTileTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 3000 {
			mr, panels := 1+rng.IntN(MR), 1+rng.IntN(Panels)
			if l.Gemm[panels][mr] == nil {
				panels = 1
			}
			nr, taps, k, tiles, offset, move := panels*NR, 1+rng.IntN(4), Depth*(1+rng.IntN(9)), 1+rng.IntN(3), rng.IntN(3), rng.IntN(9)
			size := taps*k*NR + rng.IntN(2)*NR*Depth // from a panel to the next
			input, b := someBytes(rng, 200), someWeights(rng, panels*size)
			a := make([]*uint8, tiles*taps*MR)
			for i := range a {
				a[i] = &input[rng.IntN(200-k-offset-(tiles-1)*move)]
			}
			bias, less := make([]int32, nr), make([]int32, nr)
			for j := range bias {
				bias[j] = int32(rng.IntN(200001) - 100000)
				less[j] = bias[j]
				for i := range taps * k {
					less[j] += l.Less * int32(b[j/NR*size+(i/Depth*NR+j%NR)*Depth+i%Depth])
				}
			}
			finish, columns, element := someFinish(rng, rng.IntN(3) == 0), nr, 1
			if finish.OutFloats != 0 {
				element = 4
			}
			if !l.Whole && rng.IntN(2) == 0 {
				columns = 1 + rng.IntN(nr)
			}
			scale := scales(rng, nr, 100*math.Sqrt(float64(taps*k)))
			ldc, ldr := element*(nr+rng.IntN(3)), element*(nr+rng.IntN(3))
			first, res := someBytes(rng, tiles*mr*ldc), someBytes(rng, tiles*mr*ldr)
			if element == 4 {
				for i := range len(res) / 4 {
					*(*float32)(unsafe.Pointer(&res[4*i])) = float32(rng.NormFloat64())
				}
			}
			arg := Tile{A: &a[0], B: &b[0], Bias: &bias[0], Scale: &scale[0], Columns: columns, Taps: taps, K: k, Offset: offset, LDC: ldc, LDR: ldr,
				TilesLeft: tiles, Step: 8 * taps * MR, Panel: size, Move: move, Finish: finish, Prefetch: uintptr(unsafe.Pointer(&b[0]))}
			if rng.IntN(2) == 0 {
				arg.R = unsafe.Pointer(&res[0])
			}
			got, want := append([]uint8(nil), first...), append([]uint8(nil), first...)
			mine, theirs := arg, arg
			mine.C, theirs.C = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
			mine.B, mine.Bias = &placed(l, b, size)[0], &less[0]
			l.Gemm[panels][mr](&mine)
			generic.Gemm[panels][mr](&theirs)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%dx%d, %d taps of %d, %d tiles, %d columns, %+v: byte %d: %d, want %d",
						mr, nr, taps, k, tiles, columns, finish, i, got[i], want[i])
				}
			}
			if mine.TilesLeft != 0 {
				t.Fatalf("%d tiles left", mine.TilesLeft)
			}
		}
	})
}

// sameRows runs one kernel of rows by a level and by its twin, on as many copies of the output's memory.
func sameRows(t *testing.T, name string, arg Rows, out []uint8, kernel, twin func(*Rows)) {
	t.Helper()
	got, want := append([]uint8(nil), out...), append([]uint8(nil), out...)
	mine, theirs := arg, arg
	mine.Out, theirs.Out = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
	kernel(&mine)
	twin(&theirs)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s of %d rows of %d: byte %d: %d, want %d: %+v", name, arg.RowsLeft, arg.C, i, got[i], want[i], arg)
		}
	}
	if mine.RowsLeft != 0 {
		t.Fatalf("%s: %d rows left", name, mine.RowsLeft)
	}
}

// TestRowTwins does the same with the kernels of rows.
func TestRowTwins(t *testing.T) {
	special := []float32{0, float32(math.Copysign(0, -1)), 0.5, 1.5, 2.5, -0.5, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)),
		float32(math.NaN()), math.Float32frombits(0x7f800001), math.Float32frombits(0xffc00001)}
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for c := 1; c <= 300; c += 1 + c/150 {
			rows := 1 + rng.IntN(3)
			ld := func() int { return rng.IntN(2) * (c + rng.IntN(5)) } // the same row again and again, or others
			memory := func() []uint8 { return someBytes(rng, 4*rows*(c+5)) }
			in, b, table := memory(), memory(), [256]uint8(someBytes(rng, 256))
			arg := Rows{In: unsafe.Pointer(&in[0]), B: unsafe.Pointer(&b[0]), LDI: ld(), LDB: ld(), LDO: c + rng.IntN(5), C: c, RowsLeft: rows,
				InZero: int32(rng.IntN(256)), BZero: int32(rng.IntN(256)), InScale: scales(rng, 1, 20)[0],
				Finish: someFinish(rng, false), Table: &table}
			sameRows(t, "table", arg, memory(), l.Table, tableGeneric)
			sameRows(t, "mul", arg, memory(), l.Mul, mulGeneric)
			parts := make([]Part, 1+rng.IntN(3))
			for i := range parts {
				parts[i] = Part{In: unsafe.Pointer(&in[i]), LDI: ld(), Zero: int32(rng.IntN(256)), Scale: 2 * rng.Float32()}
			}
			arg.Parts, arg.N = &parts[0], len(parts)
			sameRows(t, "add", arg, memory(), l.Add, addGeneric)
			arg.LDO *= 4
			sameRows(t, "dequantize", arg, memory(), l.Dequantize, dequantizeGeneric)
			floats := make([]float32, rows*(c+5))
			for i := range floats {
				if floats[i] = float32(rng.NormFloat64() * 3000); rng.IntN(4) == 0 {
					floats[i] = special[rng.IntN(len(special))] / arg.InScale
				}
			}
			arg.In, arg.LDI, arg.LDO = unsafe.Pointer(&floats[0]), 4*ld(), arg.LDO/4
			sameRows(t, "quantize", arg, memory(), l.Quantize, quantizeGeneric)
		}
	})
}

// TestWindowTwins does the same with the kernels of a window.
func TestWindowTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for c := 1; c <= 300; c += 1 + c/150 {
			taps, pixels, step := make([]Tap, 1+rng.IntN(12)), 1+rng.IntN(9), rng.IntN(4)
			in, w := someBytes(rng, len(taps)*9+c+8*step), someWeights(rng, len(taps)*c)
			bias, scale := make([]int32, c), scales(rng, c, 50*math.Sqrt(float64(len(taps))))
			for i := range taps {
				taps[i] = Tap{In: &in[9*i+rng.IntN(9)], W: (len(taps) - 1 - i) * c}
			}
			for i := range bias {
				bias[i] = int32(rng.IntN(20001) - 10000)
			}
			arg := Window{Taps: &taps[0], N: len(taps), W: &w[0], Bias: &bias[0], Scale: &scale[0], Start: -int32(rng.IntN(1000)),
				LDO: c + rng.IntN(3), Step: step, C: c, PixelsLeft: pixels, Finish: someFinish(rng, false)}
			for _, kernel := range []struct {
				name      string
				run, twin func(*Window)
			}{
				{"depthwise", l.Depthwise, depthwiseGeneric}, {"sum", l.Sum, sumGeneric}, {"max", l.Max, maxGeneric},
			} {
				got := someBytes(rng, pixels*(c+3))
				want := append([]uint8(nil), got...)
				mine, theirs := arg, arg
				mine.Out, theirs.Out = &got[0], &want[0]
				kernel.run(&mine)
				kernel.twin(&theirs)
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("%s of %d pixels of %d, %d taps: byte %d: %d, want %d", kernel.name, pixels, c, len(taps), i, got[i], want[i])
					}
				}
				if mine.PixelsLeft != 0 {
					t.Fatalf("%s: %d pixels left", kernel.name, mine.PixelsLeft)
				}
			}
		}
	})
}

// bandWeights are a band's biases and scales, and w, which is (K, K, C), as so many rows of weights stand together.
func bandWeights(k, c, rows int, bias []int32, scale []float32, w []int8) []uint8 {
	size := BandBlock(k, rows)
	out := make([]uint8, (c+NR-1)/NR*size)
	for block := range (c + NR - 1) / NR {
		for j := range NR {
			at, ch := out[block*size+4*j:], min(block*NR, c-NR)+j
			*(*int32)(unsafe.Pointer(&at[0])) = bias[ch]
			*(*float32)(unsafe.Pointer(&at[4*NR])) = scale[ch]
			for ky := range k {
				for kx := range k {
					for i := range rows { // shift+i is ky
						to := at[4*NR*(2+(ky-i+rows-1)*k+kx)+4/rows*i:]
						if weight := w[(ky*k+kx)*c+ch]; rows == 2 {
							*(*int16)(unsafe.Pointer(&to[0])) = int16(weight)
						} else {
							to[0] = uint8(weight)
						}
					}
				}
			}
		}
	}
	return out
}

// bandTwin is the Go twin of all dwband{K}s{S}r{R}{ISA}, with weights of (K, K, C).
func bandTwin(k, s, r int, t *Band, bias []int32, scale []float32, w []int8) {
	inputs, padding := unsafe.Slice(t.In, (r-1)*s+k), unsafe.Slice(t.Padding, (r-1)*s+k)
	for i := range r * t.OW * t.C {
		row, o, c := i/(t.OW*t.C), i/t.C%t.OW, i%t.C
		sum := bias[c]
		for tap := range k * k {
			in, x := inputs[row*s+tap/k], o*s+tap%k-t.Left
			if x < 0 || x >= t.Cols {
				in, x = padding[row*s+tap/k], 0
			}
			sum += int32(*at(in, x*t.InPixel+c)) * int32(w[tap*t.C+c])
		}
		*at(t.Out, row*t.OutRow+o*t.OutPixel+c) = t.round(float32(float32(sum) * scale[c]))
	}
}

// TestBandTwins does the same with the depthwise kernels of several rows, which may have no column of input inside.
func TestBandTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 1500 {
			k, s := 3+2*rng.IntN(3), 1+rng.IntN(2)
			kernels := l.Bands[(k-3)/2][s-1]
			r := 1 + rng.IntN(len(kernels)-1)
			if kernels[r] == nil {
				continue
			}
			c, cols, ow, inputs := NR+rng.IntN(3*NR), 1+rng.IntN(12), 1+rng.IntN(12), (r-1)*s+k
			pixel, left := c+rng.IntN(3), rng.IntN(k+2)-2
			rows, padding, in := make([]*uint8, inputs), make([]*uint8, inputs), someBytes(rng, cols*pixel+40)
			for i := range rows {
				rows[i], padding[i] = &in[rng.IntN(40)], &in[rng.IntN(40)]
			}
			w, bias, scale := someWeights(rng, k*k*c), make([]int32, c), scales(rng, c, float64(100*k))
			for i := range bias {
				bias[i] = int32(rng.IntN(20001) - 10000)
			}
			arg := Band{In: &rows[0], Padding: &padding[0], InPixel: pixel, OutPixel: c + rng.IntN(3), Cols: cols, Left: left, OW: ow, C: c,
				Finish: someFinish(rng, false)}
			arg.OutRow = ow*arg.OutPixel + rng.IntN(9)
			got := someBytes(rng, r*arg.OutRow)
			want := append([]uint8(nil), got...)
			mine, theirs := arg, arg
			mine.Out, theirs.Out = &got[0], &want[0]
			mine.W = (*int8)(unsafe.Pointer(&bandWeights(k, c, l.BandRows, bias, scale, w)[0]))
			kernels[r](&mine)
			bandTwin(k, s, r, &theirs, bias, scale, w)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%d×%d, stride %d, %d rows of %d columns, %d of input after %d, %d channels: byte %d: %d, want %d",
						k, k, s, r, ow, cols, left, c, i, got[i], want[i])
				}
			}
		}
	})
}
