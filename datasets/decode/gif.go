package decode

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
)

// decodeGIF decodes a file's first frame as Pillow does: onto a screen of the transparent colour, or of the first one, with
// all colours as the table has them.
func decodeGIF(data []byte, t *target) error {
	data = bytes.Clone(data)
	transparent, animated, colours := gifFrame(data)
	m, err := guarded(gif.Decode, data)
	if err != nil {
		return libraryError(t.format, data, err)
	}
	frame, ok := m.(*image.Paletted)
	w, h := int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	if !ok || !frame.Rect.In(image.Rect(0, 0, w, h)) {
		return &FormatError{Format: t.format, What: "frame beyond the screen"}
	}
	screen := image.NewPaletted(image.Rect(0, 0, w, h), frame.Palette)
	if transparent >= 0 {
		t.img.Notes |= Transparent
		fill(screen.Pix, byte(transparent))
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		copy(screen.Pix[screen.PixOffset(frame.Rect.Min.X, y):], frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()])
	}
	if animated {
		t.img.Notes |= Animated
	}
	toRGB(screen, t.open(w, h), t.img, false, colours)
	return nil
}

// gifFrame walks a file's blocks. It takes the mark of transparency from the first frame, so that a library leaves its
// colour be, and returns the transparent index, -1 for none; whether there are more frames; and the size of the first
// frame's colour table.
func gifFrame(data []byte) (transparent int, animated bool, colours int) {
	transparent = -1
	pos, table := 13, 0
	if len(data) < pos {
		return transparent, false, 0
	}
	if flags := data[10]; flags&0x80 != 0 {
		table = 2 << (flags & 7)
		pos += 3 * table
	}
	frames := 0
	for pos+1 < len(data) {
		switch data[pos] {
		case '!': // an extension: a label, then blocks
			if data[pos+1] == 0xf9 && pos+6 < len(data) && frames == 0 && data[pos+3]&1 != 0 {
				transparent = int(data[pos+6])
				data[pos+3] &^= 1
			}
			pos = gifBlocks(data, pos+2)
		case ',': // a frame: its place and colours, the code size, then blocks
			if frames++; frames == 2 || pos+10 >= len(data) {
				return transparent, frames > 1, colours
			}
			colours = table
			flags := data[pos+9]
			pos += 11
			if flags&0x80 != 0 {
				colours = 2 << (flags & 7)
				pos += 3 * colours
			}
			pos = gifBlocks(data, pos)
		default:
			return transparent, false, colours
		}
	}
	return transparent, false, colours
}

// gifBlocks is the place behind a row of blocks, which an empty one ends.
func gifBlocks(data []byte, pos int) int {
	for pos < len(data) && data[pos] != 0 {
		pos += 1 + int(data[pos])
	}
	return pos + 1
}
