package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
)

// librarySize reads the header of a format that a library decodes.
func librarySize(format string, data []byte) (w, h int, err error) {
	var c image.Config
	if format == "png" {
		c, err = png.DecodeConfig(bytes.NewReader(data))
	} else {
		c, err = bmp.DecodeConfig(bytes.NewReader(data))
	}
	if err == nil && (c.Width <= 0 || c.Height <= 0) {
		return 0, 0, &FormatError{Format: format, What: "no pixels"}
	}
	return c.Width, c.Height, libraryError(format, data, err)
}

// libraryDecode decodes PNG and BMP into t.
func libraryDecode(data []byte, t *target) error {
	w, h, err := librarySize(t.format, data)
	if err != nil {
		return err
	}
	if err := t.check(w, h); err != nil {
		return err
	}
	// The libraries take the memory for all pixels at once: a file too short for
	// them is found out before that.
	if len(data)*packing(t.format) < (w*bitsPerPixel(t.format, data)+7)/8*h {
		return &TruncatedError{Format: t.format, Offset: len(data), What: fmt.Sprintf("before the %d×%d pixels claimed can fit", w, h)}
	}
	var m image.Image
	if t.format == "png" {
		m, err = png.Decode(bytes.NewReader(data))
	} else {
		m, err = bmp.Decode(bytes.NewReader(data))
	}
	if err != nil {
		return libraryError(t.format, data, err)
	}
	if b := m.Bounds(); b.Dx() != w || b.Dy() != h {
		return &FormatError{Format: t.format, What: "size differs from the header's"}
	}
	toRGB(m, t.open(w, h), t.img, t.format == "png" && isGray16(data))
	return nil
}

// packing is the most that a format compresses: DEFLATE 1032 to 1, and the
// bitmaps that the library reads not at all.
func packing(format string) int {
	if format == "png" {
		return 1032
	}
	return 1
}

// bitsPerPixel reads the header, which the library has accepted.
func bitsPerPixel(format string, data []byte) int {
	if format == "bmp" {
		return int(binary.LittleEndian.Uint16(data[28:]))
	}
	channels := [7]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
	return int(data[pngBitDepth]) * channels[data[pngColorType]%7]
}

// Offsets in a PNG file, whose header chunk is the first.
const pngBitDepth, pngColorType = 24, 25

// isGray16 tells a PNG of 16-bit grey without alpha, which Pillow reads as
// integers and then clips.
func isGray16(data []byte) bool {
	return data[pngBitDepth] == 16 && data[pngColorType] == 0
}

// libraryError gives a library's error this package's types.
func libraryError(format string, data []byte, err error) error {
	var unsupportedPNG png.UnsupportedError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err == png.FormatError("not enough pixel data"):
		return &TruncatedError{Format: format, Offset: len(data), What: "in the pixels or a header"}
	case errors.As(err, &unsupportedPNG):
		return &UnsupportedError{Format: format, Feature: string(unsupportedPNG)}
	case errors.Is(err, bmp.ErrUnsupported):
		return &UnsupportedError{Format: format, Feature: "this kind of bitmap"}
	}
	return &FormatError{Format: format, What: err.Error()}
}

// toRGB writes the window's pixels of src to m by Pillow's rules: alpha and
// transparency are dropped without blending, so stored colours are taken as
// they are, and 16 bits are cut to the high byte or, for plain grey, clipped.
func toRGB(src image.Image, window image.Rectangle, m *Image, clipGray bool) {
	origin := src.Bounds().Min
	i := 0
	put := func(r, g, b byte) {
		p := m.Pix[i : i+3 : i+3]
		p[0], p[1], p[2] = r, g, b
		i += 3
	}
	at := pixelReader(src, clipGray)
	for y := window.Min.Y; y < window.Max.Y; y++ {
		for x := window.Min.X; x < window.Max.X; x++ {
			put(at(x+origin.X, y+origin.Y))
		}
	}
}

// pixelReader returns the function that reads a pixel of src's kind.
func pixelReader(src image.Image, clipGray bool) func(x, y int) (r, g, b byte) {
	switch src := src.(type) {
	case *image.Gray:
		return func(x, y int) (r, g, b byte) {
			v := src.Pix[src.PixOffset(x, y)]
			return v, v, v
		}
	case *image.Gray16:
		return func(x, y int) (r, g, b byte) {
			v := gray16(src.Pix[src.PixOffset(x, y):], clipGray)
			return v, v, v
		}
	case *image.NRGBA:
		return func(x, y int) (r, g, b byte) {
			p := src.Pix[src.PixOffset(x, y):]
			return p[0], p[1], p[2]
		}
	case *image.RGBA:
		return func(x, y int) (r, g, b byte) {
			p := src.Pix[src.PixOffset(x, y):]
			return p[0], p[1], p[2]
		}
	case *image.NRGBA64:
		return func(x, y int) (r, g, b byte) {
			p := src.Pix[src.PixOffset(x, y):]
			return gray16(p, clipGray), gray16(p[2:], clipGray), gray16(p[4:], clipGray)
		}
	case *image.RGBA64:
		return func(x, y int) (r, g, b byte) {
			p := src.Pix[src.PixOffset(x, y):]
			return p[0], p[2], p[4]
		}
	case *image.Paletted:
		colors := make([][3]byte, 256)
		for i, c := range src.Palette {
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			if stored, ok := c.(color.NRGBA); ok {
				n = stored // with its colour where it is wholly transparent
			}
			colors[i] = [3]byte{n.R, n.G, n.B}
		}
		return func(x, y int) (r, g, b byte) {
			c := colors[src.Pix[src.PixOffset(x, y)]]
			return c[0], c[1], c[2]
		}
	}
	return func(x, y int) (r, g, b byte) {
		n := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
		return n.R, n.G, n.B
	}
}

// gray16 reduces a big-endian 16-bit sample to 8 bits.
func gray16(p []byte, clip bool) byte {
	if clip {
		return byte(min(binary.BigEndian.Uint16(p), 255))
	}
	return p[0]
}
