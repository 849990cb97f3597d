package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// JPEG markers, ITU-T T.81 table B.1.
const (
	mSOF0 = 0xc0
	mSOF1 = 0xc1
	mSOF2 = 0xc2
	mDHT  = 0xc4
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mDQT  = 0xdb
	mDNL  = 0xdc
	mDRI  = 0xdd
	mAPP0 = 0xe0
	mAPPE = 0xee
)

// A component is one plane of the frame. Of its samples, only the blocks that
// the window needs are kept.
type component struct {
	id         byte
	h, v       int // sampling factors, 1 to 4
	quant      *[64]int32
	quantIndex byte
	latched    [64]int32 // the table as it stood at the component's first scan, natural order
	dc         int32     // predictor
	dcTable    *huffTable
	acTable    *huffTable
	scanned    bool
	missing    [64]int8 // bits that scans have not brought, by zigzag position; -1 where there was no scan

	width, height    int             // samples that the image covers: ⌈image·h/hmax⌉, ⌈image·v/vmax⌉
	hexp, vexp       int             // pixels to a sample
	blocksX, blocksY int             // blocks in whole coded units
	keep             image.Rectangle // in blocks: those transformed and kept in plane
	plane            []byte          // (8·keep.Dy(), 8·keep.Dx()) samples
	stride           int             // of plane
	coefs            []int16         // progressive: (blocksY, blocksX, 64), natural order, not dequantised
	row              []byte          // one row at the image's resolution
	sums             []int32         // one row of column sums
}

// A jpegDecoder holds the state of one file and the buffers kept between files.
type jpegDecoder struct {
	bits  bitReader
	data  []byte
	pos   int // of the next byte of the marker parser
	quant [4][64]int32
	have  [4]bool // quant tables defined
	huff  [2][4]huffTable

	width, height   int
	progressive     bool
	ncomp           int
	comp            [4]component
	hmax, vmax      int
	mcusX, mcusY    int
	restartInterval int
	sawJFIF         bool
	sawAdobe        bool
	adobeTransform  byte
	window          image.Rectangle
	eobRun          int
	lenient         bool      // damaged data is read on from, as libjpeg does
	starved         bool      // lenient: a marker cut the data short; blocks are empty up to the next restart
	block           [64]int32 // all zero between blocks
	ycc             *ycc      // made at the first use
}

func (d *jpegDecoder) bad(format string, args ...any) error {
	return &FormatError{Format: "jpeg", Offset: d.pos, What: fmt.Sprintf(format, args...)}
}

func (d *jpegDecoder) cut(what string) error {
	return &TruncatedError{Format: "jpeg", Offset: len(d.data), What: what}
}

// size reads up to the frame header.
func (d *jpegDecoder) size(data []byte) (w, h int, err error) {
	d.start(data)
	for d.ncomp == 0 {
		marker, payload, err := d.nextSegment()
		if err != nil {
			return 0, 0, err
		}
		if marker == mSOS || marker == mEOI {
			return 0, 0, d.bad("no frame header before the first scan")
		}
		if err := d.segment(marker, payload); err != nil {
			return 0, 0, err
		}
	}
	return d.width, d.height, nil
}

func (d *jpegDecoder) start(data []byte) {
	d.data, d.pos = data, 2
	d.have = [4]bool{}
	for i := range d.huff {
		for j := range d.huff[i] {
			d.huff[i][j].defined = false
		}
	}
	clear(d.block[:])
	d.ncomp, d.restartInterval = 0, 0
	d.sawJFIF, d.sawAdobe, d.adobeTransform = false, false, 0
}

// decode decodes the file into t. A damaged one is decoded again as libjpeg does it, which passes over much; what it does
// not pass over is the first error.
func (d *jpegDecoder) decode(data []byte, t *target) error {
	d.lenient = false
	err := d.attempt(data, t)
	if err == nil || !isDamage(err) {
		return err
	}
	d.lenient = true
	if d.attempt(data, t) != nil {
		return err
	}
	t.img.Notes |= Damaged
	return nil
}

// isDamage reports whether an error is of a file that libjpeg may read all the same.
func isDamage(err error) bool {
	var format *FormatError
	var cut *TruncatedError
	return errors.As(err, &format) || errors.As(err, &cut)
}

// isCut reports whether an error is of a file that ends too early.
func isCut(err error) bool {
	var cut *TruncatedError
	return errors.As(err, &cut)
}

// attempt decodes the file once.
func (d *jpegDecoder) attempt(data []byte, t *target) error {
	d.start(data)
	scans, whole := 0, false
	for {
		marker, payload, err := d.nextSegment()
		if whole && err != nil && isCut(err) {
			return d.finish(t.img) // what follows a whole image need not be there
		}
		if err != nil {
			return err
		}
		switch marker {
		case mSOS:
			if whole {
				return d.bad("second scan behind a whole image")
			}
			if d.ncomp == 0 {
				return d.bad("scan before the frame header")
			}
			if scans++; scans > maxScans {
				return d.bad("more than %d scans", maxScans)
			}
			if err := d.scan(payload); err != nil {
				return err
			}
			if d.lenient && !d.progressive && int(payload[0]) == d.ncomp {
				if !d.endsWhole() {
					return d.cut("in the entropy-coded data")
				}
				whole = true
			}
		case mEOI:
			if scans == 0 {
				return d.bad("end of the image before a scan")
			}
			return d.finish(t.img)
		default:
			had := d.ncomp
			if err := d.segment(marker, payload); err != nil {
				return err
			}
			if had == 0 && d.ncomp > 0 {
				if err := t.check(d.width, d.height); err != nil {
					return err
				}
				if err := d.plausible(); err != nil {
					return err
				}
				d.window = t.open(d.width, d.height)
				d.sizePlanes()
			}
		}
	}
}

// maxScans bounds the work a small progressive file can ask for. Encoders
// write about ten; the standard's most for 8-bit data of four components is
// some hundreds.
const maxScans = 500

// nextSegment finds the next marker and returns the bytes of its segment. Bytes
// before the marker are skipped, as libjpeg does with a warning.
func (d *jpegDecoder) nextSegment() (marker byte, payload []byte, err error) {
	for {
		for d.pos < len(d.data) && d.data[d.pos] != 0xff {
			d.pos++
		}
		for d.pos < len(d.data) && d.data[d.pos] == 0xff {
			d.pos++
		}
		if d.pos >= len(d.data) {
			return 0, nil, d.cut("before the end-of-image marker")
		}
		marker = d.data[d.pos]
		d.pos++
		if marker != 0 && (marker < mRST0 || marker > mRST7) && marker != 1 {
			break
		}
	}
	if marker == mEOI || marker == mSOI {
		return marker, nil, nil
	}
	if marker < mSOF0 || marker == 0xc8 || marker == 0xde || marker == 0xdf || marker >= 0xf0 && marker <= 0xfd {
		return 0, nil, d.bad("marker %#02x, which no image has", marker)
	}
	switch marker { // whatever follows
	case 0xc3, 0xc7, 0xcb, 0xcf:
		return 0, nil, &UnsupportedError{"jpeg", "lossless coding"}
	case 0xc5, 0xc6, 0xcd, 0xce:
		return 0, nil, &UnsupportedError{"jpeg", "hierarchical coding"}
	}
	if d.pos+2 > len(d.data) {
		return 0, nil, d.cut(fmt.Sprintf("in the length of segment %#02x", marker))
	}
	n := int(binary.BigEndian.Uint16(d.data[d.pos:]))
	if n < 2 {
		return 0, nil, d.bad("segment %#02x: length %d, want at least 2", marker, n)
	}
	if d.pos+n > len(d.data) {
		return 0, nil, d.cut(fmt.Sprintf("in segment %#02x", marker))
	}
	payload = d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return marker, payload, nil
}

// finish upsamples, converts and hands over the pixels.
func (d *jpegDecoder) finish(m *Image) error {
	if d.ncomp == 0 {
		return d.bad("end of the image before a frame header")
	}
	for i := range d.ncomp {
		if c := &d.comp[i]; !c.scanned && d.lenient {
			fill(c.plane, 128)
		} else if !c.scanned {
			return d.bad("component %d has no scan", c.id)
		}
	}
	if d.progressive {
		d.transform()
	}
	d.note(m)
	d.convert(m)
	return nil
}

// note notes what is out of the ordinary about the frame.
func (d *jpegDecoder) note(m *Image) {
	if d.ncomp == 4 {
		m.Notes |= CMYK
	}
	if !d.progressive {
		return
	}
	for i := range d.ncomp {
		// What libjpeg 2.1 smooths by: the first ten coefficients.
		for k, missing := range d.comp[i].missing[:10] {
			if missing != 0 && (k > 0 || missing > 0) {
				m.Notes |= Unrefined
			}
		}
	}
}

// fill sets every sample of a plane.
func fill(plane []byte, v byte) {
	for i := range plane {
		plane[i] = v
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// grow returns a slice of n elements that reuses s where it is large enough;
// its contents are arbitrary.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// zigzag maps a coefficient's place in the file to its natural one, row × 8 +
// column (T.81 figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}
