package decode

import (
	"bytes"
	"encoding/binary"
)

// A meta is what a file says of its image beside the pixels, as far as it matters here.
type meta struct {
	orientation int // of Exif, 1 to 8; 1 is upright
	profile     bool
	animated    bool
}

// readMeta reads a file's meta data. Damaged ones are as good as none.
func readMeta(format string, data []byte) meta {
	m := meta{orientation: 1}
	switch format {
	case "jpeg":
		m.jpeg(data)
	case "png":
		m.png(data)
	case "webp":
		m.webp(data)
	case "tiff":
		m.orientation = orientation(data)
		m.profile = tiffValue(data, tiffProfile) != 0
	}
	return m
}

// notes are the meta data that are not applied.
func (m meta) notes(turned bool) (n Notes) {
	if m.orientation > 1 && !turned {
		n |= Turned
	}
	if m.profile {
		n |= Profile
	}
	if m.animated {
		n |= Animated
	}
	return n
}

// jpeg walks the segments before the first scan.
func (m *meta) jpeg(data []byte) {
	exif := false
	for pos := 2; pos+4 <= len(data); {
		if data[pos] != 0xff {
			pos++
			continue
		}
		marker := data[pos+1]
		if marker == 0xff || marker == 0 || marker >= mRST0 && marker <= mSOI || marker == 1 {
			pos++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[pos+2:]))
		if marker == mSOS || marker == mEOI || n < 2 || pos+2+n > len(data) {
			return
		}
		payload := data[pos+4 : pos+2+n]
		switch marker {
		case mAPP0 + 1:
			if rest, ok := bytes.CutPrefix(payload, []byte("Exif\x00")); ok && !exif && len(rest) > 1 {
				m.orientation, exif = orientation(rest[1:]), true
			}
		case mAPP0 + 2:
			m.profile = m.profile || bytes.HasPrefix(payload, []byte("ICC_PROFILE\x00"))
		}
		pos += 2 + n
	}
}

func (m *meta) png(data []byte) {
	for c := range pngChunks(data) {
		switch c.kind {
		case "eXIf":
			m.orientation = orientation(c.data)
		case "iCCP":
			m.profile = true
		case "acTL":
			m.animated = true
		}
	}
}

// webp walks the RIFF chunks.
func (m *meta) webp(data []byte) {
	for pos := 12; pos+8 <= len(data); {
		n := int(binary.LittleEndian.Uint32(data[pos+4:]))
		if n < 0 || n > len(data)-pos-8 {
			return
		}
		payload := data[pos+8 : pos+8+n]
		switch string(data[pos : pos+4]) {
		case "EXIF":
			m.orientation = orientation(bytes.TrimPrefix(payload, []byte("Exif\x00\x00")))
		case "ICCP":
			m.profile = true
		case "ANIM":
			m.animated = true
		}
		pos += 8 + n + n&1
	}
}

// Tags of TIFF's and Exif's folders.
const (
	tiffBits        = 258
	tiffPhotometric = 262
	tiffOrientation = 274
	tiffProfile     = 34675
)

// orientation is Exif's orientation, from a block that begins with TIFF's header; 1 where there is none.
func orientation(block []byte) int {
	if v := tiffValue(block, tiffOrientation); v >= 1 && v <= 8 {
		return v
	}
	return 1
}

// tiffValue is the first value of a tag in the first folder, 0 where there is none. Of a value that lies elsewhere it is the
// place.
func tiffValue(block []byte, tag uint16) int {
	if len(block) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(block[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(block[4:]))
	if at+2 > int64(len(block)) {
		return 0
	}
	entries := int(order.Uint16(block[at:]))
	for i := range entries {
		e := at + 2 + 12*int64(i)
		if e+12 > int64(len(block)) {
			return 0
		}
		entry := block[e : e+12]
		if order.Uint16(entry) != tag {
			continue
		}
		switch kind, count := order.Uint16(entry[2:]), order.Uint32(entry[4:]); {
		case kind == 1 && count <= 4:
			return int(entry[8])
		case kind == 3 && count <= 2:
			return int(order.Uint16(entry[8:]))
		default:
			return int(order.Uint32(entry[8:]))
		}
	}
	return 0
}

// upright writes src, which an Exif orientation from 2 to 8 turns, to dst as a viewer shows it.
func upright(dst, src *Image, orientation int) {
	w, h := src.Width, src.Height
	dst.Width, dst.Height = w, h
	if orientation >= 5 {
		dst.Width, dst.Height = h, w
	}
	dst.Window.Min.X, dst.Window.Min.Y, dst.Window.Max.X, dst.Window.Max.Y = 0, 0, dst.Width, dst.Height
	dst.Notes = src.Notes
	dst.Pix = grow(dst.Pix, len(src.Pix))
	i := 0
	for y := range dst.Height {
		for x := range dst.Width {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			copy(dst.Pix[i:i+3], src.Pix[3*(sy*w+sx):])
			i += 3
		}
	}
}
