package f32

import "unsafe"

// GemmGeneric are the Go twins of gemm{mr}x{nr}{ISA}, by what computes row r of tile i, which is row o of the output: the tiles of
// whole panels, and those of half a panel.
func GemmGeneric(row func(t *Tile, nr, i, r, o int)) (gemm [Panels + 1]Tiles, gemm8 Tiles) {
	for mr := 1; mr <= MR; mr++ {
		gemm8[mr] = gemmGeneric(row, mr, NR/2)
		for panels := 1; panels <= Panels; panels++ {
			gemm[panels][mr] = gemmGeneric(row, mr, panels*NR)
		}
	}
	return gemm, gemm8
}

// gemmGeneric is one of these.
func gemmGeneric(row func(t *Tile, nr, i, r, o int), mr, nr int) func(*Tile) {
	return func(t *Tile) {
		for i := range t.TilesLeft {
			for r := range mr {
				row(t, nr, i, r, i*mr+r)
			}
			t.Offset += t.Move
		}
		t.TilesLeft = 0
	}
}

// Columns is how many of nr columns there are.
func (t *Tile) Columns(nr int) int {
	if t.Mask == nil {
		return nr
	}
	n := 0
	for _, m := range unsafe.Slice(t.Mask, nr) {
		n -= int(m)
	}
	return n
}

// gemmRow computes row r of tile i, which is row o of the output. Its sums are float64's: without fused multiply-adds,
// which Go does not use on every machine, those of float32 would lose more digits than assembly's.
func gemmRow(t *Tile, nr, i, r, o int) {
	var sum [Panels * NR]float64
	var residual [Panels * NR]float32
	cols := t.Columns(nr)
	c := unsafe.Slice(At(t.C, o*t.LDC), cols)
	if t.Bias != nil && t.Flags&Load == 0 {
		for j, v := range unsafe.Slice(t.Bias, nr) {
			sum[j] = float64(v)
		}
	}
	width := min(nr, NR)
	for first := 0; first < nr; first += width {
		b := unsafe.Slice(At(t.B, first/NR*t.Panel), t.Taps*t.K*width)
		for tap := range t.Taps {
			row := *(**float32)(unsafe.Add(unsafe.Pointer(t.A), i*t.Step+8*(tap*MR+r)))
			for _, a := range unsafe.Slice(At(row, t.Offset), t.K) {
				for j, w := range b[:width] {
					sum[first+j] += float64(a) * float64(w)
				}
				b = b[width:]
			}
		}
	}
	if t.Flags&Load != 0 {
		for j, v := range c {
			sum[j] += float64(v)
		}
	}
	if t.Flags&Final != 0 {
		if t.R != nil {
			copy(residual[:], unsafe.Slice(At(t.R, o*t.LDR), cols))
		}
		for j := range cols {
			sum[j] = min(max(sum[j]+float64(residual[j]), float64(t.Lo)), float64(t.Hi))
		}
	}
	for j := range c {
		c[j] = float32(sum[j])
	}
}

// dwconvGeneric is the Go twin of dwconv{px}c16AVX2 and, with largest, of maxpool{px}c16AVX2.
func dwconvGeneric(px int, largest bool) func(*Depthwise) {
	return func(t *Depthwise) {
		taps := unsafe.Slice(t.Taps, t.N)
		bias := unsafe.Slice(t.Bias, t.C)
		for o := range t.GroupsLeft * px {
			out := unsafe.Slice(At(t.Out, o*t.LDO), t.C)
			copy(out, bias)
			for _, tap := range taps {
				in := unsafe.Slice(At(tap.In, o*t.Step), t.C)
				if largest {
					for c, x := range in {
						out[c] = max(out[c], x)
					}
					continue
				}
				for c := 0; c < t.C; c += 8 {
					w := unsafe.Slice(At(t.W, c/8*t.WStep+tap.W), 8)
					for j, x := range in[c:min(c+8, t.C)] {
						out[c+j] += x * w[j]
					}
				}
			}
			for c, y := range out {
				out[c] = min(max(y, t.Lo), t.Hi)
			}
		}
		t.GroupsLeft = 0
	}
}

// gconvGeneric is the Go twin of gconv{px}g4c8AVX2.
func gconvGeneric(px int) func(*Depthwise) {
	return func(t *Depthwise) {
		taps := unsafe.Slice(t.Taps, t.N)
		bias := unsafe.Slice(t.Bias, t.C)
		for o := range t.GroupsLeft * px {
			out := unsafe.Slice(At(t.Out, o*t.LDO), t.C)
			copy(out, bias)
			for _, tap := range taps {
				in := unsafe.Slice(At(tap.In, o*t.Step), t.C)
				for c := range out {
					w := unsafe.Slice(At(t.W, c/8*t.WStep+4*tap.W), 32)
					for j, x := range in[c&^3 : c&^3+4] {
						out[c] += x * w[8*j+c%8]
					}
				}
			}
			for c, y := range out {
				out[c] = min(max(y, t.Lo), t.Hi)
			}
		}
		t.GroupsLeft = 0
	}
}

// At is the address bytes after p.
func At(p *float32, bytes int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), bytes))
}
