package decode

// The inverse DCT of blocks that no encoder writes, as damaged data makes them. libjpeg-turbo computes in vectors of 16 bits:
// products with the quantiser and sums of two samples wrap around, and what leaves the first pass is clipped. Below
// wrapFrom none of this can happen.

// wrapFrom is from which magnitude of a dequantised coefficient on the sums may leave 16 bits: eight of them, times 4 for the
// first pass's fraction, over √8, and two of those added up, stay below 2^15.
const wrapFrom = 1024

// magnitude is v's, or one less; the bits of several may be joined by or.
func magnitude(v int32) int32 { return v ^ v>>31 }

// wrap16 keeps the low 16 bits, as a signed number.
func wrap16(v int32) int32 { return int32(int16(v)) }

// clip16 limits v to 16 bits.
func clip16(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }

// wrapButterfly is butterfly with sums of two inputs in 16 bits.
func wrapButterfly(x0, x1, x2, x3, x4, x5, x6, x7 int32) (e, o [4]int32) {
	t2 := x2*fix0_541196100 + x6*(fix0_541196100-fix1_847759065)
	t3 := x2*(fix0_541196100+fix0_765366865) + x6*fix0_541196100
	t0, t1 := wrap16(x0+x4)<<constBits, wrap16(x0-x4)<<constBits
	e = [4]int32{t0 + t3, t1 + t2, t1 - t2, t0 - t3}

	a, b := wrap16(x7+x3), wrap16(x5+x1)
	z3 := a*(fix1_175875602-fix1_961570560) + b*fix1_175875602
	z4 := a*fix1_175875602 + b*(fix1_175875602-fix0_390180644)
	o = [4]int32{
		x7*-fix0_899976223 + x1*(fix1_501321110-fix0_899976223) + z4,
		x5*-fix2_562915447 + x3*(fix3_072711026-fix2_562915447) + z3,
		x5*(fix2_053119869-fix2_562915447) + x3*-fix2_562915447 + z4,
		x7*(fix0_298631336-fix0_899976223) + x1*-fix0_899976223 + z3,
	}
	return e, o
}

// wrapIDCT is idct for coefficients of any size.
func wrapIDCT(b *[64]int32, dst []byte, stride int) {
	var in, ws [64]int32
	below := int32(0)
	for i, v := range b {
		if in[i] = wrap16(v); i >= 8 {
			below |= in[i]
		}
	}
	for c := range 8 {
		if below == 0 {
			for r := range 8 {
				ws[8*r+c] = wrap16(in[c] << pass1Bits)
			}
			continue
		}
		e, o := wrapButterfly(in[c], in[8+c], in[16+c], in[24+c], in[32+c], in[40+c], in[48+c], in[56+c])
		const shift = constBits - pass1Bits
		const half = 1 << (shift - 1)
		for i := range 4 {
			ws[8*i+c] = clip16((e[i] + o[i] + half) >> shift)
			ws[8*(7-i)+c] = clip16((e[i] - o[i] + half) >> shift)
		}
	}
	for r := range 8 {
		w := ws[8*r : 8*r+8 : 8*r+8]
		e, o := wrapButterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
		const shift = constBits + pass1Bits + 3
		const half = 1 << (shift - 1)
		out := dst[r*stride : r*stride+8 : r*stride+8]
		for i := range 4 {
			out[i] = clamp8((e[i]+o[i]+half)>>shift + 128)
			out[7-i] = clamp8((e[i]-o[i]+half)>>shift + 128)
		}
	}
}
