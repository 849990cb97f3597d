package bf16

import (
	"math"
	"unsafe"

	"zoobench/kernels/internal/f32"
)

// gemmRow computes row r of tile i, which is row o of the output.
func gemmRow(t *Tile, nr, i, r, o int) {
	var sum [f32.Panels * f32.NR]float32
	cols := t.Columns(nr)
	c := unsafe.Slice(f32.At(t.C, o*t.LDC), cols)
	if t.Bias != nil && t.Flags&f32.Load == 0 {
		copy(sum[:], unsafe.Slice(t.Bias, nr))
	}
	width := min(nr, f32.NR)
	for first := 0; first < nr; first += width {
		b := unsafe.Slice(f32.At(t.B, first/f32.NR*t.Panel), t.Taps*t.K*width)
		for tap := range t.Taps {
			row := *(**float32)(unsafe.Add(unsafe.Pointer(t.A), i*t.Step+8*(tap*f32.MR+r)))
			for _, a := range unsafe.Slice(f32.At(row, t.Offset), t.K) {
				for j, w := range b[:width] {
					sum[first+j] = addProducts(sum[first+j], math.Float32bits(a), math.Float32bits(w))
				}
				b = b[width:]
			}
		}
	}
	if t.Flags&f32.Load != 0 {
		for j, v := range c {
			sum[j] += v
		}
	}
	if t.Flags&f32.Final != 0 {
		if t.R != nil {
			for j, v := range unsafe.Slice(f32.At(t.R, o*t.LDR), cols) {
				sum[j] += v
			}
		}
		for j := range cols {
			sum[j] = min(max(sum[j], t.Lo), t.Hi)
		}
	}
	copy(c, sum[:cols])
}

// addProducts adds a pair's products to a sum.
func addProducts(sum float32, a, w uint32) float32 {
	sum = add(sum, float64(Widen(uint16(a>>16)))*float64(Widen(uint16(w>>16))))
	return add(sum, float64(Widen(uint16(a)))*float64(Widen(uint16(w))))
}

// add is sum + product, rounded once. The sum in float64 can be in the middle of two float32 numbers while the true one is
// not: the digit that a float64 has last then becomes a one, as if all that is lost were behind it.
func add(sum float32, product float64) float32 {
	x := float64(sum)
	y := x + product
	x1 := y - product
	lost := (x - x1) + (product - (y - x1))
	if bits := math.Float64bits(y); lost != 0 && bits&1 == 0 && !math.IsInf(y, 0) {
		if (lost > 0) == (y > 0) {
			bits++
		} else {
			bits--
		}
		y = math.Float64frombits(bits)
	}
	return float32(y)
}

// roundGeneric is the Go twin of roundc8AVX2, roundc16AVX512 and roundNEON.
func roundGeneric(t *Rows) {
	for o := range t.RowsLeft {
		in := unsafe.Slice(f32.At(t.In, o*t.LDI), t.C)
		out := unsafe.Slice((*uint16)(unsafe.Pointer(f32.At(t.Out, o*t.LDO))), (t.C+7)/8*8)
		clear(out)
		for c, v := range in {
			out[c] = Round(v)
		}
	}
	t.RowsLeft = 0
}
