package decode

import (
	"encoding/binary"
	"fmt"
	"image"
)

// segment takes in every segment but a scan.
func (d *jpegDecoder) segment(marker byte, p []byte) error {
	switch marker {
	case mSOF0, mSOF1, mSOF2:
		return d.frame(p, marker == mSOF2)
	case mDHT:
		return d.huffman(p)
	case mDQT:
		return d.quantisers(p)
	case mDRI:
		if len(p) != 2 {
			return d.bad("restart interval: %d bytes, want 2", len(p))
		}
		d.restartInterval = int(binary.BigEndian.Uint16(p))
	case mAPP0:
		if len(p) >= 14 && string(p[:5]) == "JFIF\x00" {
			d.sawJFIF = true
		}
	case mAPPE:
		if len(p) >= 12 && string(p[:5]) == "Adobe" {
			d.sawAdobe, d.adobeTransform = true, p[11]
		}
	case mSOI:
		return d.bad("second start-of-image marker")
	case mDNL:
		return &UnsupportedError{"jpeg", "a height after the first scan (DNL)"}
	case 0xc9, 0xca:
		return &UnsupportedError{"jpeg", "arithmetic coding"}
	}
	return nil
}

func (d *jpegDecoder) quantisers(p []byte) error {
	for len(p) > 0 {
		wide, index := p[0]>>4, p[0]&15
		if wide > 1 || index > 3 {
			return d.bad("quantisation table: selector %#02x", p[0])
		}
		p = p[1:]
		if len(p) < 64*int(1+wide) {
			return d.bad("quantisation table %d: %d bytes, want %d", index, len(p), 64*int(1+wide))
		}
		for k := range 64 {
			if wide == 1 {
				d.quant[index][zigzag[k]] = int32(binary.BigEndian.Uint16(p[2*k:]))
			} else {
				d.quant[index][zigzag[k]] = int32(p[k])
			}
		}
		p = p[64*int(1+wide):]
		d.have[index] = true
	}
	return nil
}

func (d *jpegDecoder) huffman(p []byte) error {
	for len(p) > 0 {
		class, index := p[0]>>4, p[0]&15
		if class > 1 || index > 3 {
			return d.bad("Huffman table: selector %#02x", p[0])
		}
		if len(p) < 17 {
			return d.bad("Huffman table %d: %d bytes, want at least 17", index, len(p))
		}
		counts, n := p[1:17], 0
		for _, c := range counts {
			n += int(c)
		}
		p = p[17:]
		if n > 256 || n > len(p) {
			return d.bad("Huffman table %d: %d codes in %d bytes", index, n, len(p))
		}
		if class == 0 {
			for _, s := range p[:n] {
				if s > 15 {
					return d.bad("Huffman table %d: DC size %d, want at most 15", index, s)
				}
			}
		}
		if !d.huff[class][index].build(counts, p[:n]) {
			return d.bad("Huffman table %d: more codes than fit their lengths", index)
		}
		p = p[n:]
	}
	return nil
}

// frame reads the frame header, T.81 B.2.2.
func (d *jpegDecoder) frame(p []byte, progressive bool) error {
	if d.ncomp != 0 {
		return d.bad("second frame header")
	}
	if len(p) < 6 {
		return d.bad("frame header: %d bytes, want at least 6", len(p))
	}
	if p[0] != 8 {
		return &UnsupportedError{"jpeg", fmt.Sprintf("a precision of %d bits (want 8)", p[0])}
	}
	d.height, d.width = int(binary.BigEndian.Uint16(p[1:])), int(binary.BigEndian.Uint16(p[3:]))
	n := int(p[5])
	if d.width == 0 || d.height == 0 {
		return d.bad("size %d×%d, want at least 1×1", d.width, d.height)
	}
	if n != 1 && n != 3 && n != 4 {
		return &UnsupportedError{"jpeg", fmt.Sprintf("a count of %d components (want 1, 3 or 4)", n)}
	}
	if len(p) != 6+3*n {
		return d.bad("frame header: %d bytes for %d components, want %d", len(p), n, 6+3*n)
	}
	d.progressive = progressive
	d.hmax, d.vmax = 1, 1
	for i := range n {
		q := p[6+3*i:]
		c := &d.comp[i]
		c.id, c.h, c.v, c.quantIndex = q[0], int(q[1]>>4), int(q[1]&15), q[2]
		c.quant, c.scanned = nil, false
		for k := range c.missing {
			c.missing[k] = -1
		}
		for j := range i {
			if d.comp[j].id == c.id {
				return d.bad("component %d occurs twice", c.id)
			}
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return d.bad("component %d: sampling %d×%d, want 1 to 4", c.id, c.h, c.v)
		}
		if c.quantIndex > 3 {
			return d.bad("component %d: quantisation table %d, want 0 to 3", c.id, c.quantIndex)
		}
		d.hmax, d.vmax = max(d.hmax, c.h), max(d.vmax, c.v)
	}
	for i := range n {
		c := &d.comp[i]
		if d.hmax%c.h != 0 || d.vmax%c.v != 0 {
			return &UnsupportedError{"jpeg", fmt.Sprintf("sampling of %d×%d in %d×%d", c.h, c.v, d.hmax, d.vmax)}
		}
		c.hexp, c.vexp = d.hmax/c.h, d.vmax/c.v
	}
	d.mcusX, d.mcusY = ceilDiv(d.width, 8*d.hmax), ceilDiv(d.height, 8*d.vmax)
	d.ncomp = n
	return nil
}

// plausible refuses a size that the file is too short to hold, before memory is
// taken for it: a block costs at least a bit in a progressive file and two in a
// sequential one.
func (d *jpegDecoder) plausible() error {
	blocks := 0
	for i := range d.ncomp {
		c := &d.comp[i]
		blocks += ceilDiv(ceilDiv(d.width, c.hexp), 8) * ceilDiv(ceilDiv(d.height, c.vexp), 8)
	}
	perByte := 4
	if d.progressive {
		perByte = 8
	}
	if len(d.data) < blocks/perByte {
		return d.cut(fmt.Sprintf("before the %d×%d pixels claimed can fit", d.width, d.height))
	}
	return nil
}

// sizePlanes makes room for the frame and the window.
func (d *jpegDecoder) sizePlanes() {
	for i := range d.ncomp {
		c := &d.comp[i]
		c.width, c.height = ceilDiv(d.width, c.hexp), ceilDiv(d.height, c.vexp)
		c.blocksX, c.blocksY = d.mcusX*c.h, d.mcusY*c.v
		c.keep = image.Rectangle{}
		if !d.window.Empty() {
			// One sample around, for the triangle filter.
			c.keep = image.Rect(
				max(d.window.Min.X/c.hexp-1, 0)/8,
				max(d.window.Min.Y/c.vexp-1, 0)/8,
				min((d.window.Max.X-1)/c.hexp+1, c.width-1)/8+1,
				min((d.window.Max.Y-1)/c.vexp+1, c.height-1)/8+1)
		}
		c.stride = 8 * c.keep.Dx()
		c.plane = grow(c.plane, c.stride*8*c.keep.Dy())
		if d.progressive {
			c.coefs = grow(c.coefs, 64*c.blocksX*c.blocksY)
			clear(c.coefs)
		}
	}
}
