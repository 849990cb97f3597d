package decode

// The inverse DCT is the one of libjpeg's "islow" method, which is the default
// of libjpeg, libjpeg-turbo and so of Pillow: Loeffler, Ligtenberg and
// Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications"
// (ICASSP 1989), in fixed point with 13 fractional bits. Columns first, keeping
// two extra bits between the passes, then rows: the order and both roundings
// decide the low bit, so they are part of the format here.

const (
	constBits = 13
	pass1Bits = 2

	fix0_298631336 = 2446 // each is the decimal times 2^13, rounded
	fix0_390180644 = 3196
	fix0_541196100 = 4433
	fix0_765366865 = 6270
	fix0_899976223 = 7373
	fix1_175875602 = 9633
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_562915447 = 20995
	fix3_072711026 = 25172
)

// clamp8 limits v to 0…255.
func clamp8(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 for negative v, 255 above
	}
	return byte(v)
}

// butterfly is the one-dimensional transform of eight inputs in natural order.
// It returns the four sums and four differences before descaling: output i is
// e[i]+o[i] and output 7-i is e[i]-o[i].
func butterfly(x0, x1, x2, x3, x4, x5, x6, x7 int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	z1 := (x2 + x6) * fix0_541196100
	t2 := z1 - x6*fix1_847759065
	t3 := z1 + x2*fix0_765366865
	t0 := (x0 + x4) << constBits
	t1 := (x0 - x4) << constBits
	e0, e3 = t0+t3, t0-t3
	e1, e2 = t1+t2, t1-t2

	z5 := (x7 + x3 + x5 + x1) * fix1_175875602
	z1 = (x7 + x1) * -fix0_899976223
	z2 := (x5 + x3) * -fix2_562915447
	z3 := (x7+x3)*-fix1_961570560 + z5
	z4 := (x5+x1)*-fix0_390180644 + z5
	o3 = x7*fix0_298631336 + z1 + z3
	o2 = x5*fix2_053119869 + z2 + z4
	o1 = x3*fix3_072711026 + z2 + z3
	o0 = x1*fix1_501321110 + z1 + z4
	return
}

// idct writes the 8×8 samples of a block of dequantised coefficients, in
// natural order, to dst, whose rows are stride bytes apart.
func idct(b *[64]int32, dst []byte, stride int) {
	var ws [64]int32
	for c := range 8 {
		if b[8+c]|b[16+c]|b[24+c]|b[32+c]|b[40+c]|b[48+c]|b[56+c] == 0 {
			dc := b[c] << pass1Bits // what the full computation gives, exactly
			ws[c], ws[8+c], ws[16+c], ws[24+c] = dc, dc, dc, dc
			ws[32+c], ws[40+c], ws[48+c], ws[56+c] = dc, dc, dc, dc
			continue
		}
		e0, e1, e2, e3, o0, o1, o2, o3 := butterfly(b[c], b[8+c], b[16+c], b[24+c], b[32+c], b[40+c], b[48+c], b[56+c])
		const shift = constBits - pass1Bits
		const half = 1 << (shift - 1)
		ws[c] = (e0 + o0 + half) >> shift
		ws[56+c] = (e0 - o0 + half) >> shift
		ws[8+c] = (e1 + o1 + half) >> shift
		ws[48+c] = (e1 - o1 + half) >> shift
		ws[16+c] = (e2 + o2 + half) >> shift
		ws[40+c] = (e2 - o2 + half) >> shift
		ws[24+c] = (e3 + o3 + half) >> shift
		ws[32+c] = (e3 - o3 + half) >> shift
	}
	for r := range 8 {
		w := ws[8*r : 8*r+8 : 8*r+8]
		e0, e1, e2, e3, o0, o1, o2, o3 := butterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
		const shift = constBits + pass1Bits + 3
		const half = 1<<(shift-1) + 128<<shift // the level shift rides on the rounding
		out := dst[r*stride : r*stride+8 : r*stride+8]
		out[0] = clamp8((e0 + o0 + half) >> shift)
		out[7] = clamp8((e0 - o0 + half) >> shift)
		out[1] = clamp8((e1 + o1 + half) >> shift)
		out[6] = clamp8((e1 - o1 + half) >> shift)
		out[2] = clamp8((e2 + o2 + half) >> shift)
		out[5] = clamp8((e2 - o2 + half) >> shift)
		out[3] = clamp8((e3 + o3 + half) >> shift)
		out[4] = clamp8((e3 - o3 + half) >> shift)
	}
}

// idctDC is idct for a block whose only coefficient is the dequantised dc.
func idctDC(dc int32, dst []byte, stride int) {
	v := clamp8((dc<<pass1Bits+1<<(pass1Bits+2))>>(pass1Bits+3) + 128)
	for r := range 8 {
		out := dst[r*stride : r*stride+8 : r*stride+8]
		out[0], out[1], out[2], out[3] = v, v, v, v
		out[4], out[5], out[6], out[7] = v, v, v, v
	}
}
