package decode

import "image"

// Chroma and colours of lossy WebP as libwebp makes them, with its "fancy" upsampling: a sample weighs 9/16, its neighbours
// 3/16, 3/16 and 1/16, with libwebp's roundings.

// webpRGB writes the window's pixels to m.
func webpRGB(src *image.YCbCr, window image.Rectangle, m *Image) {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	u, v := make([]byte, w), make([]byte, w)
	i := 0
	for y := window.Min.Y; y < window.Max.Y; y++ {
		// A row lies between two rows of chroma: nearer to one of them.
		near := y / 2
		far := near - 1 + 2*(y&1)
		far = min(max(far, 0), (h-1)/2)
		webpRow(u, src.Cb[near*src.CStride:], src.Cb[far*src.CStride:])
		webpRow(v, src.Cr[near*src.CStride:], src.Cr[far*src.CStride:])
		luma := src.Y[y*src.YStride:]
		for x := window.Min.X; x < window.Max.X; x++ {
			l := int32(luma[x]) * 19077 >> 8
			a, b := int32(u[x]), int32(v[x])
			m.Pix[i] = webpClip(l + b*26149>>8 - 14234)
			m.Pix[i+1] = webpClip(l - a*6419>>8 - b*13320>>8 + 8708)
			m.Pix[i+2] = webpClip(l + a*33050>>8 - 17685)
			i += 3
		}
	}
}

// webpClip takes six fractional bits off.
func webpClip(v int32) byte { return clamp8(v >> 6) }

// webpRow doubles a row of chroma between the rows near and far.
func webpRow(out, near, far []byte) {
	n := len(out)
	edge := func(i int) byte { return byte((3*int(near[i]) + int(far[i]) + 2) >> 2) }
	out[0] = edge(0)
	for x := 1; x <= (n-1)/2; x++ {
		a, b, c, d := int(near[x-1]), int(near[x]), int(far[x-1]), int(far[x])
		sum := a + b + c + d + 8
		// The diagonals: of a and d, and of b and c.
		ad, bc := (sum+2*(a+d))>>3, (sum+2*(b+c))>>3
		out[2*x-1] = byte((bc + a) >> 1)
		out[2*x] = byte((ad + b) >> 1)
	}
	if n&1 == 0 {
		out[n-1] = edge((n - 1) / 2)
	}
}
