package decode

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"iter"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// A pngChunk is one chunk of a PNG file.
type pngChunk struct {
	kind  string
	data  []byte
	sound bool // the checksum is right
}

// pngChunks yields a file's chunks, up to the end or to where it is cut off; the last one may be cut short, and is not sound
// then.
func pngChunks(data []byte) iter.Seq[pngChunk] {
	return func(yield func(pngChunk) bool) {
		for pos := len(pngSignature); pos+8 <= len(data); {
			n := int64(binary.BigEndian.Uint32(data[pos:]))
			end := int64(pos) + 8 + n
			c := pngChunk{kind: string(data[pos+4 : pos+8]), data: data[pos+8 : min(end, int64(len(data)))]}
			c.sound = end+4 <= int64(len(data)) && crc32.ChecksumIEEE(data[pos+4:end]) == binary.BigEndian.Uint32(data[end:])
			if !yield(c) || c.kind == "IEND" || end+4 > int64(len(data)) {
				return
			}
			pos = int(end) + 4
		}
	}
}

// lenientPNG makes a sound file of one that Pillow decodes although it is damaged; nil where Pillow refuses it too. Pillow
// looks at no checksum from the first pixels on but the stream's own, nor at what follows the pixels; takes a stream that goes
// on too long, or whose checksum is missing, or that ends with a whole row, the others being black then; and passes over all
// chunks but the palette.
func lenientPNG(data []byte, w, h, bits int) []byte {
	var header, palette []byte
	var packed []byte
	state := 0 // 1 within the pixels, 2 behind them
	for c := range pngChunks(data) {
		switch {
		case c.kind == "IDAT" && state < 2:
			state = 1
			packed = append(packed, c.data...)
			continue
		case state > 0:
			state = 2
		case !c.sound:
			return nil
		case c.kind == "IHDR":
			header = c.data
		case c.kind == "PLTE":
			palette = c.data
		}
		if state == 2 {
			break
		}
	}
	if len(header) != 13 || state == 0 {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	interlaced := header[12] == 1
	raw := make([]byte, rawLength(w, h, bits, interlaced))
	n, err := io.ReadFull(z, raw)
	if n < len(raw) && !(errors.Is(err, io.ErrUnexpectedEOF) && endsRow(w, h, bits, interlaced, n)) {
		return nil
	}
	_, err = z.Read(make([]byte, 1))
	if errors.Is(err, zlib.ErrChecksum) || n < len(raw) && err != io.EOF {
		return nil
	}
	out := appendChunk([]byte(pngSignature), "IHDR", header)
	if palette != nil {
		out = appendChunk(out, "PLTE", palette)
	}
	var b bytes.Buffer
	pack, _ := zlib.NewWriterLevel(&b, zlib.NoCompression) // the level is a valid one
	pack.Write(raw)                                        // into memory
	pack.Close()
	return appendChunk(appendChunk(out, "IDAT", b.Bytes()), "IEND", nil)
}

func appendChunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	start := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// adam7 is the first pixel and the step of each pass of an interlaced image, across and down.
var adam7 = [7][4]int{{0, 8, 0, 8}, {4, 8, 0, 8}, {0, 4, 4, 8}, {2, 4, 0, 4}, {0, 2, 2, 4}, {1, 2, 0, 2}, {0, 1, 1, 2}}

// passes yields the bytes a row and the number of rows of each pass, with a filter byte a row.
func passes(w, h, bits int, interlaced bool) iter.Seq2[int, int] {
	return func(yield func(row, rows int) bool) {
		if !interlaced {
			yield(1+(w*bits+7)/8, h)
			return
		}
		for _, p := range adam7 {
			pw, ph := ceilDiv(max(w-p[0], 0), p[1]), ceilDiv(max(h-p[2], 0), p[3])
			if pw > 0 && ph > 0 && !yield(1+(pw*bits+7)/8, ph) {
				return
			}
		}
	}
}

// rawLength is the length of the unpacked pixels.
func rawLength(w, h, bits int, interlaced bool) (n int) {
	for row, rows := range passes(w, h, bits, interlaced) {
		n += row * rows
	}
	return n
}

// endsRow reports whether the first n bytes of unpacked pixels are whole rows.
func endsRow(w, h, bits int, interlaced bool, n int) bool {
	for row, rows := range passes(w, h, bits, interlaced) {
		if n <= row*rows {
			return n%row == 0
		}
		n -= row * rows
	}
	return true
}

// pngPalette is how many colours a file's palette has.
func pngPalette(data []byte) int {
	for c := range pngChunks(data) {
		if c.kind == "PLTE" {
			return len(c.data) / 3
		}
		if c.kind == "IDAT" {
			break
		}
	}
	return 0
}
