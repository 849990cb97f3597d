package preprocess

// The two passes of Pillow's resampling of 8-bit images: across into rounded
// bytes, then down. The sums are 32-bit with weightBits fractional bits, which
// leaves two bits for weights beyond 0…1.

const (
	weightBits = 32 - 8 - 2
	half       = 1 << (weightBits - 1)
)

// round8 takes a sum to a level, limited to 0…255.
func round8(sum int32) byte {
	v := sum >> weightBits
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 for negative v, 255 above
	}
	return byte(v)
}

// across resamples one row: dst (n, 3) from src (inputs, 3).
func (a *axis) across(dst, src []byte) {
	for i := range a.n {
		weights := a.weights[i*a.stride:][:a.count[i]]
		p := src[3*a.first[i]:]
		r, g, b := int32(half), int32(half), int32(half)
		for _, w := range weights {
			q := p[:3:3]
			r += int32(q[0]) * w
			g += int32(q[1]) * w
			b += int32(q[2]) * w
			p = p[3:]
		}
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = round8(r), round8(g), round8(b)
	}
}

// down makes output row i: dst (bytes of a row) from src (inputs, bytes of a
// row), two source rows at a time.
func (a *axis) down(dst, src []byte, i int, sums []int32) {
	n := len(dst)
	weights := a.weights[i*a.stride:][:a.count[i]]
	src = src[int(a.first[i])*n:]
	if len(weights) == 1 && weights[0] == 1<<weightBits {
		copy(dst, src[:n])
		return
	}
	sums = sums[:n]
	for j := range sums {
		sums[j] = half
	}
	for len(weights) > 2 {
		addRows(sums, src[:n], src[n:2*n], weights[0], weights[1])
		weights, src = weights[2:], src[2*n:]
	}
	if len(weights) == 2 {
		w0, w1, s0, s1 := weights[0], weights[1], src[:n], src[n:2*n]
		for j, v := range s0 {
			dst[j] = round8(sums[j] + w0*int32(v) + w1*int32(s1[j]))
		}
		return
	}
	for j, v := range src[:n] {
		dst[j] = round8(sums[j] + weights[0]*int32(v))
	}
}

// addRows adds w0·s0 + w1·s1 to sums.
func addRows(sums []int32, s0, s1 []byte, w0, w1 int32) {
	s0, s1 = s0[:len(sums)], s1[:len(sums)]
	for j := range sums {
		sums[j] += w0*int32(s0[j]) + w1*int32(s1[j])
	}
}
