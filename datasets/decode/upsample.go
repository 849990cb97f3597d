package decode

// Chroma upsampling as libjpeg's "fancy" method does it, its default: a
// triangle filter, so that the nearer sample weighs 3/4 and the further one 1/4
// in each halved direction, with roundings that alternate between pixels.
// Beyond the image's edge the last sample the image covers is repeated;
// the padding of the last blocks is never looked at. Ratios other than 2 are
// replicated, and so are rows of one or two samples halved in width: libjpeg
// has no filter for them.

// rowAt returns the component's samples of row y and column x0 on, in its own
// coordinates.
func (c *component) rowAt(y, x0 int) []byte {
	return c.plane[(y-8*c.keep.Min.Y)*c.stride+x0-8*c.keep.Min.X:][:8*c.keep.Max.X-x0]
}

// upsample returns the component's samples of the image's row y, for the
// columns x0 ≤ x < x1.
func (c *component) upsample(y, x0, x1 int) []byte {
	if c.hexp == 1 && c.vexp == 1 {
		return c.rowAt(y, x0)[:x1-x0]
	}
	cy, cx0, cx1 := y/c.vexp, x0/c.hexp, (x1-1)/c.hexp+1
	near := c.rowAt(cy, cx0)[:cx1-cx0]
	c.row = grow(c.row, (cx1-cx0)*c.hexp)
	out := c.row
	filterWidth := c.hexp == 2 && c.width > 2
	switch {
	case filterWidth && c.vexp == 2:
		c.h2v2(y, cx0, cx1, out)
	case filterWidth && c.vexp == 1:
		left, right := near[0], near[len(near)-1]
		if cx0 > 0 {
			left = c.rowAt(cy, cx0-1)[0]
		}
		if cx1 < c.width {
			right = c.rowAt(cy, cx1)[0]
		}
		h2v1(near, left, right, out)
	case c.hexp == 1 && c.vexp == 2:
		far, bias := c.rowAt(c.further(y), cx0), 1+y&1
		for i, a := range near {
			out[i] = byte((3*int(a) + int(far[i]) + bias) >> 2)
		}
	default:
		for i, a := range near {
			for j := range c.hexp {
				out[i*c.hexp+j] = a
			}
		}
	}
	return out[x0-cx0*c.hexp:][:x1-x0]
}

// further is the row that weighs 1/4 in the image's row y, where rows are
// halved: the one above for even y, below for odd.
func (c *component) further(y int) int {
	if y&1 == 0 {
		return max(y>>1-1, 0)
	}
	return min(y>>1+1, c.height-1)
}

// h2v1 doubles a row; left and right are its neighbours, or its own ends at the
// image's edge.
func h2v1(in []byte, left, right byte, out []byte) {
	out = out[:2*len(in)]
	prev, cur := int32(left), int32(in[0])
	for i := range in {
		next := int32(right)
		if i+1 < len(in) {
			next = int32(in[i+1])
		}
		out[2*i] = byte((3*cur + prev + 1) >> 2)
		out[2*i+1] = byte((3*cur + next + 2) >> 2)
		prev, cur = cur, next
	}
}

// h2v2 doubles both ways: the image's row y for the component's columns cx0
// to cx1.
func (c *component) h2v2(y, cx0, cx1 int, out []byte) {
	// Sums of the two rows, 3:1, with a column on each side.
	lo, hi := max(cx0-1, 0), min(cx1+1, c.width)
	near, far := c.rowAt(y>>1, lo)[:hi-lo], c.rowAt(c.further(y), lo)[:hi-lo]
	c.sums = grow(c.sums, hi-lo)
	for i, a := range near {
		c.sums[i] = 3*int32(a) + int32(far[i])
	}
	sums := c.sums[cx0-lo:][:cx1-cx0]
	prev, last := sums[0], sums[len(sums)-1]
	if lo < cx0 {
		prev = c.sums[0]
	}
	if cx1 < hi {
		last = c.sums[len(c.sums)-1]
	}
	out = out[:2*len(sums)]
	for i, cur := range sums[:len(sums)-1] {
		next := sums[i+1]
		out[2*i] = byte((3*cur + prev + 8) >> 4)
		out[2*i+1] = byte((3*cur + next + 7) >> 4)
		prev = cur
	}
	i, cur := len(sums)-1, sums[len(sums)-1]
	out[2*i] = byte((3*cur + prev + 8) >> 4)
	out[2*i+1] = byte((3*cur + last + 7) >> 4)
}
