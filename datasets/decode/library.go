package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// A library is how a format that this package does not read itself is read.
type library struct {
	config  func(io.Reader) (image.Config, error)
	decode  func(io.Reader) (image.Image, error)
	packing int // the most that the format compresses, in pixels' bytes to a file's
}

// libraries are the formats that libraries read: DEFLATE packs 1032 to 1, and so, about, can LZW and WebP's coding.
var libraries = map[string]library{
	"png":  {png.DecodeConfig, png.Decode, 1032},
	"bmp":  {bmp.DecodeConfig, bmp.Decode, 1},
	"gif":  {gif.DecodeConfig, gif.Decode, 1600},
	"tiff": {tiff.DecodeConfig, tiff.Decode, 4096},
	"webp": {webp.DecodeConfig, webp.Decode, 1 << 16},
}

// librarySize reads the header of a format that a library decodes.
func librarySize(format string, data []byte) (w, h int, err error) {
	c, err := guarded(libraries[format].config, data)
	if err == nil && (c.Width <= 0 || c.Height <= 0) {
		return 0, 0, &FormatError{Format: format, What: "no pixels"}
	}
	return c.Width, c.Height, libraryError(format, data, err)
}

// guarded calls a library, whose panic over a hostile file is an error of that file.
func guarded[T any](read func(io.Reader) (T, error), data []byte) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
	}()
	return read(bytes.NewReader(data))
}

// libraryDecode decodes what libraries read into t.
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
	bits := bitsPerPixel(t.format, data)
	if len(data)*libraries[t.format].packing < (w*bits+7)/8*h {
		return &TruncatedError{Format: t.format, Offset: len(data), What: fmt.Sprintf("before the %d×%d pixels claimed can fit", w, h)}
	}
	if t.format == "gif" {
		return decodeGIF(data, t)
	}
	m, err := guarded(libraries[t.format].decode, data)
	if err != nil && t.format == "png" {
		if sound := lenientPNG(data, w, h, bits); sound != nil {
			if again, failed := png.Decode(bytes.NewReader(sound)); failed == nil {
				m, err = again, nil
				t.img.Notes |= Damaged
			}
		}
	}
	if err != nil {
		return libraryError(t.format, data, err)
	}
	if b := m.Bounds(); b.Dx() != w || b.Dy() != h {
		return &FormatError{Format: t.format, What: "size differs from the header's"}
	}
	colours := 256
	switch t.format {
	case "png":
		colours = pngPalette(data)
		if data[pngBitDepth] == 16 {
			t.img.Notes |= Deep
		}
	case "tiff":
		fixFax(data, m)
		if bits := tiffValue(data, tiffBits); bits == 16 {
			t.img.Notes |= Deep
		}
	}
	clip := t.format == "tiff" || t.format == "png" && isGray16(data)
	toRGB(m, t.open(w, h), t.img, clip, colours)
	return nil
}

// bitsPerPixel reads the header, which the library has accepted.
func bitsPerPixel(format string, data []byte) int {
	switch format {
	case "bmp":
		return int(binary.LittleEndian.Uint16(data[28:]))
	case "gif", "webp", "tiff":
		return 8
	}
	channels := [7]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
	return int(data[pngBitDepth]) * channels[data[pngColorType]%7]
}

// Offsets in a PNG file, whose header chunk is the first.
const pngBitDepth, pngColorType = 24, 25

// isGray16 reports whether a PNG has 16-bit grey without alpha, which Pillow
// reads as integers and then clips.
func isGray16(data []byte) bool {
	return data[pngBitDepth] == 16 && data[pngColorType] == 0
}

// libraryError gives a library's error this package's types.
func libraryError(format string, data []byte, err error) error {
	var unsupportedPNG png.UnsupportedError
	var unsupportedTIFF tiff.UnsupportedError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err == png.FormatError("not enough pixel data"):
		return &TruncatedError{Format: format, Offset: len(data), What: "in the pixels or a header"}
	case errors.As(err, &unsupportedPNG):
		return &UnsupportedError{Format: format, Feature: string(unsupportedPNG)}
	case errors.Is(err, bmp.ErrUnsupported):
		return &UnsupportedError{Format: format, Feature: "this kind of bitmap"}
	case errors.As(err, &unsupportedTIFF):
		return &UnsupportedError{Format: format, Feature: string(unsupportedTIFF)}
	}
	return &FormatError{Format: format, What: err.Error()}
}

// toRGB writes the window's pixels of src to m by Pillow's rules: alpha and
// transparency are dropped without blending, so stored colours are taken as
// they are, and 16 bits are cut to the high byte or, for plain grey, clipped.
//
// Pixels beyond the colours of a palette become the grey of their index, as Pillow's palettes begin as a ramp.
func toRGB(src image.Image, window image.Rectangle, m *Image, clipGray bool, colours int) {
	origin := src.Bounds().Min
	i := 0
	put := func(r, g, b byte) {
		p := m.Pix[i : i+3 : i+3]
		p[0], p[1], p[2] = r, g, b
		i += 3
	}
	if ycc, ok := src.(*image.YCbCr); ok {
		webpRGB(ycc, window, m)
		return
	}
	if ycc, ok := src.(*image.NYCbCrA); ok {
		m.Notes |= Transparent
		webpRGB(&ycc.YCbCr, window, m)
		return
	}
	m.Notes |= transparency(src)
	if p, ok := src.(*image.Paletted); ok && colours < 256 && beyond(p, colours) {
		m.Notes |= BeyondPalette
	}
	at := pixelReader(src, clipGray, colours)
	for y := window.Min.Y; y < window.Max.Y; y++ {
		for x := window.Min.X; x < window.Max.X; x++ {
			put(at(x+origin.X, y+origin.Y))
		}
	}
}

// pixelReader returns the function that reads a pixel of src's kind.
func pixelReader(src image.Image, clipGray bool, colours int) func(x, y int) (r, g, b byte) {
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
		for i := range colors {
			colors[i] = [3]byte{byte(i), byte(i), byte(i)}
		}
		for i, c := range src.Palette[:min(colours, len(src.Palette))] {
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

// beyond reports whether a pixel's index is not below the number of colours.
func beyond(p *image.Paletted, colours int) bool {
	for y := range p.Rect.Dy() {
		for _, index := range p.Pix[y*p.Stride:][:p.Rect.Dx()] {
			if int(index) >= colours {
				return true
			}
		}
	}
	return false
}

// transparency notes whether some pixel is not opaque.
func transparency(src image.Image) Notes {
	if m, ok := src.(interface{ Opaque() bool }); ok && !m.Opaque() {
		return Transparent
	}
	return 0
}

// gray16 reduces a big-endian 16-bit sample to 8 bits.
func gray16(p []byte, clip bool) byte {
	if clip {
		return byte(min(binary.BigEndian.Uint16(p), 255))
	}
	return p[0]
}
