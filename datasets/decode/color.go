package decode

// Colour conversion as libjpeg does it, with 16 fractional bits, and from CMYK
// as Pillow does it.

// A ycc holds the four products of libjpeg's YCbCr to RGB conversion by sample
// value: Cr to red and Cb to blue in whole levels, both to green with 16
// fractional bits, the rounding added to one of them.
type ycc struct {
	crR, cbB, crG, cbG [256]int32
}

func newYCC() *ycc {
	const half = 1 << 15
	t := new(ycc)
	for i := range int32(256) {
		x := i - 128
		t.crR[i] = (91881*x + half) >> 16  // 1.40200
		t.cbB[i] = (116130*x + half) >> 16 // 1.77200
		t.crG[i] = -46802 * x              // 0.71414
		t.cbG[i] = -22554*x + half         // 0.34414
	}
	return t
}

// isYCC reports whether the frame is luma and chroma, by libjpeg's rules: the
// JFIF and Adobe segments, then the components' names.
func (d *jpegDecoder) isYCC() bool {
	switch {
	case d.ncomp == 1:
		return false
	case d.ncomp == 4:
		return d.sawAdobe && d.adobeTransform != 0
	case d.sawJFIF:
		return true
	case d.sawAdobe:
		return d.adobeTransform != 0
	}
	return d.comp[0].id != 'R' || d.comp[1].id != 'G' || d.comp[2].id != 'B'
}

// convert writes the window's pixels to m.
func (d *jpegDecoder) convert(m *Image) {
	isYCC := d.isYCC()
	if isYCC && d.ycc == nil {
		d.ycc = newYCC()
	}
	x0, x1 := m.Window.Min.X, m.Window.Max.X
	for y := m.Window.Min.Y; y < m.Window.Max.Y; y++ {
		out := m.Pix[(y-m.Window.Min.Y)*m.Stride():][:m.Stride()]
		first := d.comp[0].upsample(y, x0, x1)
		if d.ncomp == 1 {
			for i, v := range first {
				p := out[3*i : 3*i+3 : 3*i+3]
				p[0], p[1], p[2] = v, v, v
			}
			continue
		}
		second, third := d.comp[1].upsample(y, x0, x1), d.comp[2].upsample(y, x0, x1)
		if isYCC {
			d.ycc.row(first, second, third, out)
		} else {
			for i, v := range first {
				p := out[3*i : 3*i+3 : 3*i+3]
				p[0], p[1], p[2] = v, second[i], third[i]
			}
		}
		if d.ncomp == 4 {
			cmyk(out, d.comp[3].upsample(y, x0, x1), isYCC)
		}
	}
}

// row converts a row of samples to interleaved RGB.
func (t *ycc) row(y, cb, cr, out []byte) {
	cb, cr, out = cb[:len(y)], cr[:len(y)], out[:3*len(y)]
	for i, v := range y {
		l, b, r := int32(v), cb[i], cr[i]
		p := out[3*i : 3*i+3 : 3*i+3]
		p[0] = clamp8(l + t.crR[r])
		p[1] = clamp8(l + (t.cbG[b]+t.crG[r])>>16)
		p[2] = clamp8(l + t.cbB[b])
	}
}

// cmyk turns a row of three inks into RGB in place, with black beside it.
// Pillow takes every four-component file for inverted, as Adobe writes them:
// 255 is no ink. From YCCK libjpeg gives ink as 255 - RGB, and Pillow's
// inversion undoes that.
func cmyk(pix, black []byte, fromYCCK bool) {
	for i, k := range black {
		for j := 3 * i; j < 3*i+3; j++ {
			ink := 255 - int32(pix[j])
			if fromYCCK {
				ink = int32(pix[j])
			}
			// Pillow: light left by black, less the share of it that the ink
			// takes, by its rounding division by 255.
			light := int32(k)
			t := ink*light + 128
			pix[j] = clamp8(light - (t>>8+t)>>8)
		}
	}
}
