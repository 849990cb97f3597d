package i8

import (
	"math"
	"unsafe"
)

// clamp is y within [Lo, Hi].
func (f *Finish) clamp(y float32) float32 {
	if !(y > f.Lo) {
		y = f.Lo
	}
	if !(y < f.Hi) {
		y = f.Hi
	}
	return y
}

// round is y as the output has it.
func (f *Finish) round(y float32) uint8 {
	return uint8(int32(math.RoundToEven(float64(f.clamp(y)))) + f.Zero)
}

// scaled is a number of a tensor with a zero point, times a scale. Its conversion keeps the product from being fused with a
// sum that it goes into.
func scaled(q uint8, zero int32, scale float32) float32 {
	return float32(float32(int32(q)-zero) * scale)
}

// gemmGeneric is the Go twin of all gemm{mr}x{nr}{ISA}.
func gemmGeneric(mr, nr int) func(*Tile) {
	return func(t *Tile) {
		for i := range t.TilesLeft {
			for r := range mr {
				gemmRow(t, nr, i, r, i*mr+r)
			}
			t.Offset += t.Move
		}
		t.TilesLeft = 0
	}
}

// gemmRow computes row r of tile i, which is row o of the output.
func gemmRow(t *Tile, nr, i, r, o int) {
	var sum [Panels * NR]int32
	copy(sum[:nr], unsafe.Slice(t.Bias, nr))
	for first := 0; first < nr; first += NR {
		b := unsafe.Slice(at(t.B, first/NR*t.Panel), t.Taps*t.K*NR)
		sum := sum[first:][:NR]
		for tap := range t.Taps {
			row := *(**uint8)(unsafe.Add(unsafe.Pointer(t.A), i*t.Step+8*(tap*MR+r)))
			b = addRow(sum, unsafe.Slice(at(row, t.Offset), t.K), b)
		}
	}
	t.finishRow(unsafe.Add(t.C, o*t.LDC), unsafe.Add(t.R, o*t.LDR), t.R != nil, sum[:t.Columns], unsafe.Slice(t.Scale, nr))
}

// addRow adds a row's products with a panel to sixteen sums, and is what is left of the panel.
func addRow(sum []int32, a []uint8, b []int8) []int8 {
	for ; len(a) > 0; a = a[Depth:] {
		w := (*[Depth * NR]int8)(b)
		for j := range sum {
			w := (*[Depth]int8)(w[Depth*j:])
			sum[j] += int32(a[0])*int32(w[0]) + int32(a[1])*int32(w[1]) + int32(a[2])*int32(w[2]) + int32(a[3])*int32(w[3])
		}
		b = b[Depth*NR:]
	}
	return b
}

// finishRow stores a row of sums, with the residual's where there is one.
func (f *Finish) finishRow(out, res unsafe.Pointer, add bool, sums []int32, scales []float32) {
	if f.OutFloats != 0 {
		to := unsafe.Slice((*float32)(out), len(sums))
		for j, sum := range sums {
			y := float32(float32(sum) * scales[j])
			if add {
				y += unsafe.Slice((*float32)(res), len(sums))[j]
			}
			to[j] = min(max(y, f.Lo), f.Hi)
		}
		return
	}
	to := unsafe.Slice((*uint8)(out), len(sums))
	for j, sum := range sums {
		y := float32(float32(sum) * scales[j])
		if add {
			y += scaled(unsafe.Slice((*uint8)(res), len(sums))[j], f.ResZero, f.ResScale)
		}
		to[j] = f.round(y)
	}
}

// chunk is how many channels the Go loops sum at a time.
const chunk = 64

// eachChunk calls f for some channels of an output pixel after others: with the place of the first one's output, which it is,
// how many bytes behind a tap's address its input is, and sums for them.
func (t *Window) eachChunk(f func(out *uint8, c, from int, sums []int32)) {
	var sums [chunk]int32
	for o := range t.PixelsLeft {
		for c := 0; c < t.C; c += chunk {
			f(at(t.Out, o*t.LDO+c), c, o*t.Step+c, sums[:min(chunk, t.C-c)])
		}
	}
	t.PixelsLeft = 0
}

func depthwiseGeneric(t *Window) {
	t.eachChunk(func(out *uint8, c, from int, sums []int32) {
		copy(sums, unsafe.Slice(at(t.Bias, 4*c), len(sums)))
		for _, tap := range unsafe.Slice(t.Taps, t.N) {
			in, w := unsafe.Slice(at(tap.In, from), len(sums)), unsafe.Slice(at(t.W, tap.W+c), len(sums))
			for i, x := range in {
				sums[i] += int32(x) * int32(w[i])
			}
		}
		t.finishRow(unsafe.Pointer(out), nil, false, sums, unsafe.Slice(at(t.Scale, 4*c), len(sums)))
	})
}

func sumGeneric(t *Window) {
	t.eachChunk(func(out *uint8, _, from int, sums []int32) {
		for i := range sums {
			sums[i] = t.Start
		}
		for _, tap := range unsafe.Slice(t.Taps, t.N) {
			for i, x := range unsafe.Slice(at(tap.In, from), len(sums)) {
				sums[i] += int32(x)
			}
		}
		for i, sum := range sums {
			*at(out, i) = t.round(float32(float32(sum) * *t.Scale))
		}
	})
}

func maxGeneric(t *Window) {
	t.eachChunk(func(out *uint8, _, from int, sums []int32) {
		most := unsafe.Slice(out, len(sums))
		clear(most)
		for _, tap := range unsafe.Slice(t.Taps, t.N) {
			for i, x := range unsafe.Slice(at(tap.In, from), len(sums)) {
				most[i] = max(most[i], x)
			}
		}
	})
}

// eachRow calls f with every row's places.
func (t *Rows) eachRow(f func(out, in, b unsafe.Pointer)) {
	for r := range t.RowsLeft {
		f(unsafe.Add(t.Out, r*t.LDO), unsafe.Add(t.In, r*t.LDI), unsafe.Add(t.B, r*t.LDB))
	}
	t.RowsLeft = 0
}

func tableGeneric(t *Rows) {
	t.eachRow(func(out, in, _ unsafe.Pointer) {
		to := unsafe.Slice((*uint8)(out), t.C)
		for c, q := range unsafe.Slice((*uint8)(in), t.C) {
			to[c] = t.Table[q]
		}
	})
}

func addGeneric(t *Rows) {
	parts := unsafe.Slice(t.Parts, t.N)
	for r := range t.RowsLeft {
		for c := range t.C {
			var y float32
			for i, p := range parts {
				x := scaled(*(*uint8)(unsafe.Add(p.In, r*p.LDI+c)), p.Zero, p.Scale)
				if y += x; i == 0 {
					y = x
				}
			}
			*(*uint8)(unsafe.Add(t.Out, r*t.LDO+c)) = t.round(y)
		}
	}
	t.RowsLeft = 0
}

func mulGeneric(t *Rows) {
	t.eachRow(func(out, in, b unsafe.Pointer) {
		to, second := unsafe.Slice((*uint8)(out), t.C), unsafe.Slice((*uint8)(b), t.C)
		for c, q := range unsafe.Slice((*uint8)(in), t.C) {
			product := (int32(q) - t.InZero) * (int32(second[c]) - t.BZero)
			to[c] = t.round(float32(float32(product) * t.InScale))
		}
	})
}

func quantizeGeneric(t *Rows) {
	t.eachRow(func(out, in, _ unsafe.Pointer) {
		to := unsafe.Slice((*uint8)(out), t.C)
		for c, x := range unsafe.Slice((*float32)(in), t.C) {
			to[c] = t.round(float32(x * t.InScale))
		}
	})
}

func dequantizeGeneric(t *Rows) {
	t.eachRow(func(out, in, _ unsafe.Pointer) {
		to := unsafe.Slice((*float32)(out), t.C)
		for c, q := range unsafe.Slice((*uint8)(in), t.C) {
			to[c] = scaled(q, t.InZero, t.InScale)
		}
	})
}
