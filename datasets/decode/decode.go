// Package decode turns an image file into RGB pixels, byte for byte as Pillow's Image.open(file).convert("RGB") does: published
// accuracies rest on those pixels, and another decoder's rounding of chroma alone moves a top-1.
//
// The contract: JPEG follows libjpeg-turbo's default path (the accurate integer inverse DCT, triangle chroma
// upsampling, fixed-point colour conversion), for baseline and progressive files of one, three or four components. PNG,
// BMP, GIF (the first frame), TIFF and WebP are read by Go's libraries and reduced to 8-bit RGB by Pillow's rules
// (alpha dropped, 16-bit colour cut to its high byte, 16-bit grey clipped at 255); lossy WebP has libwebp's chroma. The
// format is recognised by content, never by name. Exif orientation is ignored unless a Decoder is asked to apply it, as
// torchvision's loader ignores it; that of TIFF is applied, since Pillow does so itself. Damaged files that Pillow
// decodes give Pillow's pixels, and Image.Notes says so, as it says what is not applied. Bad input is an error of one
// of this package's four types, never a panic, and memory is taken only in proportion to the file's own length.
//
// What differs from Pillow 9.4: a progressive JPEG without its last scans is not smoothed (a note says so); a JPEG of
// one scan that ends with its last byte of data, without any marker, is refused, while libjpeg's buffer decides whether
// Pillow refuses it; arithmetic coding, TIFF in JPEG, CMYK, YCbCr, Lab and floating point, and animated WebP are
// refused by name; and so is a file too short for the pixels that it claims.
//
// It leaves resizing and normalising to datasets/preprocess, and what to do
// about an unreadable file to its caller.
package decode

import (
	"bytes"
	"image"
)

// DefaultMaxPixels is the limit on width × height of a Decoder whose MaxPixels
// is 0: twice 89,478,485, where Pillow raises DecompressionBombError.
const DefaultMaxPixels = 2 * 89_478_485

// An Image is the pixels of an image file, or of a window in it, as 8-bit RGB.
type Image struct {
	Width, Height int // of the whole image, in pixels

	// Window is the part that Pix holds, in the image's coordinates. It is
	// the whole image unless a window was asked for.
	Window image.Rectangle

	// Notes say what is out of the ordinary about the file.
	Notes Notes

	// Pix has shape (Window.Dy(), Window.Dx(), 3), rows from the top, with no
	// gaps.
	Pix []byte
}

// Stride is the distance in bytes between the rows of Pix.
func (m *Image) Stride() int { return 3 * m.Window.Dx() }

// Info is what a file's header says.
type Info struct {
	Format        string // "jpeg", "png", "bmp", "gif", "tiff" or "webp"
	Width, Height int    // in pixels
}

// A Decoder decodes files one after the other and keeps its buffers between
// them. Its zero value is ready; it serves one goroutine at a time.
type Decoder struct {
	// MaxPixels limits width × height, before anything is allocated;
	// 0 means DefaultMaxPixels.
	MaxPixels int
	// Exif makes the decoder turn images by their Exif orientation, as viewers do and torchvision does not. It gives all of
	// a turned image, whatever the window.
	Exif bool

	img    Image
	turned Image
	jpeg   jpegDecoder
}

// Decode decodes a file of any known format with a new Decoder.
func Decode(data []byte) (*Image, error) {
	return new(Decoder).Decode(data)
}

// Inspect reads a file's header: no pixels, and no limit on their number.
func Inspect(data []byte) (Info, error) {
	format, err := sniff(data)
	if err != nil {
		return Info{}, err
	}
	var w, h int
	if format == "jpeg" {
		w, h, err = new(jpegDecoder).size(data)
	} else {
		w, h, err = librarySize(format, data)
	}
	if err != nil {
		return Info{}, err
	}
	return Info{Format: format, Width: w, Height: h}, nil
}

// Decode decodes a file. The image is the decoder's own and is overwritten by
// its next call.
func (d *Decoder) Decode(data []byte) (*Image, error) {
	return d.DecodeWindow(data, nil)
}

// DecodeWindow decodes as Decode does, but keeps only the pixels of the
// rectangle that window returns for the image's size, clipped to the image;
// a nil window means the whole. The pixels kept are the same as Decode's, the
// file is still read and checked to its end, and for JPEG the transform and the
// colour conversion of everything outside the window are saved.
func (d *Decoder) DecodeWindow(data []byte, window func(width, height int) image.Rectangle) (*Image, error) {
	format, err := sniff(data)
	if err != nil {
		return nil, err
	}
	meta := readMeta(format, data)
	turn := (d.Exif || format == "tiff") && meta.orientation > 1 // Pillow turns TIFF itself
	if turn {
		window = nil
	}
	d.img.Notes = meta.notes(turn)
	t := &target{format: format, maxPixels: d.MaxPixels, window: window, img: &d.img}
	if format == "jpeg" {
		err = d.jpeg.decode(data, t)
	} else {
		err = libraryDecode(data, t)
	}
	if err != nil {
		return nil, err
	}
	if turn {
		upright(&d.turned, &d.img, meta.orientation)
		return &d.turned, nil
	}
	return &d.img, nil
}

// A target is where a format's decoder puts its pixels, once it knows the size.
type target struct {
	format    string
	maxPixels int
	window    func(width, height int) image.Rectangle
	img       *Image
}

// check holds a size against the limit.
func (t *target) check(w, h int) error {
	limit := t.maxPixels
	if limit == 0 {
		limit = DefaultMaxPixels
	}
	if int64(w)*int64(h) > int64(limit) {
		return &SizeError{Format: t.format, Width: w, Height: h, MaxPixels: limit}
	}
	return nil
}

// open makes room for the window of a w×h image and returns it.
func (t *target) open(w, h int) image.Rectangle {
	m := t.img
	m.Width, m.Height, m.Window = w, h, image.Rect(0, 0, w, h)
	if t.window != nil {
		m.Window = t.window(w, h).Intersect(m.Window)
	}
	m.Pix = grow(m.Pix, m.Stride()*m.Window.Dy())
	return m.Window
}

// magics are the openings of the formats that ImageNet-like folders hold. The
// ones whose format is not read here are named, so that the error can say more
// than that the file is no image.
var magics = [...]struct {
	format, magic string
	read          bool
}{
	{"jpeg", "\xff\xd8\xff", true},
	{"png", "\x89PNG\r\n\x1a\n", true},
	{"bmp", "BM", true},
	{"gif", "GIF8", true},
	{"tiff", "II*\x00", true},
	{"tiff", "MM\x00*", true},
	{"webp", "RIFF????WEBP", true},
	{"heic", "????ftyphei", false},
	{"heic", "????ftyphev", false},
	{"heic", "????ftypmif1", false},
	{"heic", "????ftypmsf1", false},
	{"avif", "????ftypavif", false},
	{"avif", "????ftypavis", false},
	{"camera raw", "????ftypcrx ", false},
	{"jpeg 2000", "\x00\x00\x00\x0cjP  ", false},
	{"jpeg xl", "\x00\x00\x00\x0cJXL ", false},
	{"mp4 video", "????ftyp", false},
	{"photoshop", "8BPS", false},
	{"svg", "<svg", false},
	{"svg", "<?xml", false},
	{"html", "<!DOCTYPE html", false},
	{"html", "<html", false},
	{"pdf", "%PDF-", false},
	{"jpeg xl", "\xff\x0a", false},
	{"pnm", "P?\n", false},
	{"pnm", "P? ", false},
}

// sniff recognises a file's format by its first bytes; '?' in a magic is any byte.
func sniff(data []byte) (string, error) {
	for _, m := range magics {
		if len(data) < len(m.magic) {
			continue
		}
		match := true
		for i := range len(m.magic) {
			if m.magic[i] != '?' && m.magic[i] != data[i] {
				match = false
				break
			}
		}
		if match && !m.read {
			return "", &UnsupportedError{Format: m.format,
				Feature: "the format (want jpeg, png, bmp, gif, tiff or webp; convert the file to jpeg or png)"}
		}
		if match {
			return m.format, nil
		}
	}
	switch {
	case len(data) == 0:
		return "", &FormatError{What: "empty file"}
	case len(data) < 16 && bytes.HasPrefix([]byte("\x89PNG\r\n\x1a\n"), data):
		return "", &TruncatedError{Format: "png", Offset: len(data), What: "in the signature"}
	case len(data) < 3 && bytes.HasPrefix([]byte("\xff\xd8\xff"), data):
		return "", &TruncatedError{Format: "jpeg", Offset: len(data), What: "in the first marker"}
	}
	return "", &FormatError{What: "not an image: starts with " + quoteHead(data)}
}
