//go:build !purego

package f32

import "unsafe"

// dwrow{px}c16NEON computes what dwconv{px}c16NEON does with weights in blocks of sixteen channels: in place of
// its W it reads
//
//	W[c/16*WStep/4+tap.W/4+c%16]
//
//go:noescape
func dwrow4c16NEON(t *Depthwise)

//go:noescape
func dwrow1c16NEON(t *Depthwise)

// dwbandNEON is dwband{k}s{s}r{rows} by dwrow, row by row: four pixels at a time where windows hold no padding at their
// sides, one at a time elsewhere.
func dwbandNEON(k, s, rows int) func(*Band) {
	return func(t *Band) {
		first := min((t.Left+s-1)/s, t.OW)
		last := first
		if room := t.Cols - k + t.Left; room >= 0 {
			last = max(first, min(room/s+1, t.OW))
		}
		fours := (last - first) &^ 3
		for r := range rows {
			for o := range first {
				bandPixels(t, k, s, r, o, 1)
			}
			bandPixels(t, k, s, r, first, fours)
			for o := first + fours; o < t.OW; o++ {
				bandPixels(t, k, s, r, o, 1)
			}
		}
	}
}

// maxSide is the side of the largest window that a band has.
const maxSide = 7

// bandPixels computes n pixels of row r from column o on, whose windows hold the same positions; n is 1 or a multiple of 4.
func bandPixels(t *Band, k, s, r, o, n int) {
	if n == 0 {
		return
	}
	var taps [maxSide * maxSide]Tap
	in := unsafe.Slice(t.In, r*s+k)[r*s:]
	count := 0
	for kx := range k {
		x := o*s + kx - t.Left
		if x < 0 || x >= t.Cols {
			continue
		}
		for ky, row := range in {
			if row != nil {
				taps[count] = Tap{In: At(row, x*t.InPixel), W: 64 * (ky*k + kx)}
				count++
			}
		}
	}
	out := At(t.Out, r*t.OutRow+o*t.OutPixel)
	if count == 0 { // windows in the padding
		bias := unsafe.Slice(t.Bias, t.C)
		for i := range n {
			for c, y := range bias {
				*At(out, i*t.OutPixel+4*c) = min(max(y, t.Lo), t.Hi)
			}
		}
		return
	}
	a := Depthwise{Taps: &taps[0], N: count, W: t.W, WStep: 64 * k * k, Bias: t.Bias, Out: out, LDO: t.OutPixel, Step: s * t.InPixel,
		C: t.C, Mask: t.Mask, GroupsLeft: n, Lo: t.Lo, Hi: t.Hi}
	if n == 1 {
		dwrow1c16NEON(&a)
		return
	}
	a.GroupsLeft = n / 4
	dwrow4c16NEON(&a)
}

// bandsNEON are all bands, by (K−3)/2, S−1 and R.
var bandsNEON = func() (b [3][2][MaxBand + 1]func(*Band)) {
	for k := range b {
		for s := range b[k] {
			for r := 1; r <= MaxBand; r++ {
				b[k][s][r] = dwbandNEON(2*k+3, s+1, r)
			}
		}
	}
	return b
}()
