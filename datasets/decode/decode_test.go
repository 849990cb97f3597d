package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"zoobench/datasets/internal/golden"
)

func TestDecodeEqualsPillow(t *testing.T) {
	for _, folder := range golden.Folders(t) {
		var total golden.Counts
		for _, im := range golden.Read(t, folder).Images {
			got, err := Decode(golden.File(t, folder, im.File))
			if err != nil {
				t.Errorf("%s: %v", im.File, err)
				continue
			}
			if got.Width != im.Width || got.Height != im.Height {
				t.Errorf("%s: %d×%d, want %d×%d", im.File, got.Width, got.Height, im.Width, im.Height)
				continue
			}
			if im.Decoded == "" {
				continue
			}
			want, _, _ := golden.RGB(t, folder, im.Decoded)
			var counts golden.Counts
			counts.Compare(got.Pix, want)
			total.Add(counts)
			t.Logf("%-36s equal %8d  off by one %d  more %d", im.File, counts.Equal, counts.OffByOne, counts.More)
			if counts.Worst > 0 {
				t.Errorf("%s: differs from Pillow: %+v", im.File, counts)
			}
		}
		t.Logf("%s, samples: equal %d, off by one %d, more %d", filepath.Dir(folder), total.Equal, total.OffByOne, total.More)
	}
}

func TestDecodeEqualsLibjpeg(t *testing.T) {
	files, err := filepath.Glob("testdata/libjpeg/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var d Decoder
	for _, file := range files {
		got, err := d.Decode(golden.File(t, file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want, w, h := golden.RGB(t, strings.TrimSuffix(file, ".jpg")+".png")
		if got.Width != w || got.Height != h {
			t.Errorf("%s: %d×%d, want %d×%d", file, got.Width, got.Height, w, h)
			continue
		}
		var counts golden.Counts
		if counts.Compare(got.Pix, want); counts.Worst > 0 {
			t.Errorf("%s: differs: %+v", file, counts)
		}
	}
	t.Logf("%d files", len(files))
}

// TestWindowsOfSmallFiles tries every window of a few files of each sampling.
func TestWindowsOfSmallFiles(t *testing.T) {
	var whole, part Decoder
	for _, name := range []string{"h2v2_restart", "h1v2_progressive_restart", "h2v1_restart", "h4v1_restart", "luma_halved"} {
		data := golden.File(t, "testdata", "libjpeg", name+".jpg")
		want, err := whole.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		for x := range want.Width {
			for y := range want.Height {
				r := image.Rect(x, y, min(x+1+y%5, want.Width), min(y+1+x%3, want.Height))
				got, err := part.DecodeWindow(data, func(int, int) image.Rectangle { return r })
				if err != nil {
					t.Fatalf("%s: window %v: %v", name, r, err)
				}
				for row := range r.Dy() {
					a := got.Pix[row*got.Stride():][:got.Stride()]
					b := want.Pix[(r.Min.Y+row)*want.Stride()+3*r.Min.X:][:got.Stride()]
					if !bytes.Equal(a, b) {
						t.Fatalf("%s: window %v: row %d: %v, want %v", name, r, row, a, b)
					}
				}
			}
		}
	}
}

func TestDecodeWindowEqualsWhole(t *testing.T) {
	folder := golden.Made()
	var whole, part Decoder
	for _, im := range golden.Read(t, folder).Images {
		data := golden.File(t, folder, im.File)
		want, err := whole.Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", im.File, err)
		}
		w, h := want.Width, want.Height
		for _, r := range []image.Rectangle{
			image.Rect(0, 0, 1, 1), image.Rect(w-1, h-1, w, h), image.Rect(w/3, h/4, w/3+1, h),
			image.Rect(1, 1, w-1, h-1), image.Rect(w/2, 0, w+9, h/2), image.Rect(7, 9, 18, 34), {},
		} {
			got, err := part.DecodeWindow(data, func(int, int) image.Rectangle { return r })
			if err != nil {
				t.Fatalf("%s: window %v: %v", im.File, r, err)
			}
			if clipped := r.Intersect(image.Rect(0, 0, w, h)); got.Window != clipped {
				t.Errorf("%s: window %v, want %v", im.File, got.Window, clipped)
			}
			for y := got.Window.Min.Y; y < got.Window.Max.Y; y++ {
				gotRow := got.Pix[(y-got.Window.Min.Y)*got.Stride():][:got.Stride()]
				wantRow := want.Pix[y*want.Stride()+3*got.Window.Min.X:][:got.Stride()]
				if !bytes.Equal(gotRow, wantRow) {
					t.Errorf("%s: window %v: row %d differs", im.File, r, y)
					break
				}
			}
		}
	}
}

func TestPNGAndBMPFollowPillow(t *testing.T) {
	rect := image.Rect(0, 0, 1, 1)
	gray16 := image.NewGray16(rect)
	gray16.SetGray16(0, 0, color.Gray16{300})
	rgb16 := image.NewNRGBA64(rect)
	rgb16.SetNRGBA64(0, 0, color.NRGBA64{0x1234, 0x5678, 0x9abc, 0})
	clear := image.NewNRGBA(rect)
	clear.SetNRGBA(0, 0, color.NRGBA{10, 20, 30, 0})
	palette := image.NewPaletted(rect, color.Palette{color.NRGBA{40, 50, 60, 0}})
	for _, tt := range []struct {
		name   string
		m      image.Image
		encode func(*bytes.Buffer, image.Image) error
		want   [3]byte
	}{
		{"16-bit grey is clipped", gray16, encodePNG, [3]byte{255, 255, 255}},
		{"16-bit colour keeps its high byte", rgb16, encodePNG, [3]byte{0x12, 0x56, 0x9a}},
		{"alpha is dropped", clear, encodePNG, [3]byte{10, 20, 30}},
		{"palette transparency is dropped", palette, encodePNG, [3]byte{40, 50, 60}},
		{"bitmap", opaque(7, 8, 9), encodeBMP, [3]byte{7, 8, 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := tt.encode(&b, tt.m); err != nil {
				t.Fatal(err)
			}
			got, err := Decode(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Pix, tt.want[:]) {
				t.Errorf("got %v, want %v", got.Pix, tt.want)
			}
		})
	}
}

func encodePNG(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }
func encodeBMP(b *bytes.Buffer, m image.Image) error { return bmp.Encode(b, m) }

func opaque(r, g, b byte) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	m.SetNRGBA(0, 0, color.NRGBA{r, g, b, 255})
	return m
}

// headPNG is the sound header of an image, and nothing after it.
func headPNG(w, h uint32, bits, kind byte) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	header = append(binary.BigEndian.AppendUint32(header, h), bits, kind, 0, 0, 0)
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(header))
}

// patch returns a copy of data with the bytes after the first occurrence of
// marker replaced.
func patch(t testing.TB, data []byte, marker string, skip int, with ...byte) []byte {
	t.Helper()
	i := bytes.Index(data, []byte(marker))
	if i < 0 {
		t.Fatalf("no %q in the file", marker)
	}
	data = bytes.Clone(data)
	copy(data[i+len(marker)+skip:], with)
	return data
}

func TestDecodeBadInput(t *testing.T) {
	folder := filepath.Join(golden.Made(), "in")
	jpg := golden.File(t, folder, "s420.jpg")
	progressive := golden.File(t, folder, "s420_progressive.jpg")
	rgb := golden.File(t, folder, "rgb.png")
	const sof, dht, dqt, sos = "\xff\xc0\x00\x11\x08", "\xff\xc4", "\xff\xdb", "\xff\xda"
	var format *FormatError
	var truncated *TruncatedError
	var unsupported *UnsupportedError
	var size *SizeError
	for _, tt := range []struct {
		name string
		data []byte
		kind any
		want string
	}{
		{"empty", nil, &format, "decode: empty file"},
		{"text", []byte("not an image at all"), &format, "not an image"},
		{"gif", []byte("GIF89a\x01\x00\x01\x00"), &format, "gif"},
		{"webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8 "), &format, "webp"},
		{"first byte only", jpg[:1], &truncated, "first marker"},
		{"header only", jpg[:300], &truncated, "cut off"},
		{"half", jpg[:len(jpg)/2], &truncated, "entropy-coded data"},
		{"end marker missing", jpg[:len(jpg)-2], &truncated, "end-of-image"},
		{"half of a progressive file", progressive[:len(progressive)/2], &truncated, "cut off"},
		{"65535 × 65535", patch(t, jpg, sof, 0, 0xff, 0xff, 0xff, 0xff), &size, "65535×65535"},
		{"more pixels than its bytes can hold", patch(t, jpg, sof, 0, 0x30, 0, 0x30, 0), &truncated, "pixels claimed can fit"},
		{"zero width", patch(t, jpg, sof, 2, 0, 0), &format, "size 0×257"},
		{"zero height", patch(t, jpg, sof, 0, 0, 0), &format, "size 301×0"},
		{"sampling of zero", patch(t, jpg, sof, 6, 0), &format, "sampling"},
		{"sampling of 3 in 4", patch(t, jpg, sof, 6, 0x43, 0, 2, 0x31), &unsupported, "sampling"},
		{"arithmetic coding", patch(t, jpg, "\xff\xc0", -1, 0xc9), &unsupported, "arithmetic"},
		{"12 bits", patch(t, jpg, "\xff\xc0\x00\x11", 0, 12), &unsupported, "12 bits"},
		{"overfull Huffman table", patch(t, jpg, dht, 3, 9, 9, 9), &format, "Huffman table"},
		{"Huffman selector", patch(t, jpg, dht, 2, 0x55), &format, "selector 0x55"},
		{"quantisation selector", patch(t, jpg, dqt, 2, 0x27), &format, "selector 0x27"},
		{"missing Huffman table", patch(t, jpg, sos, 4, 0x33), &format, "missing"},
		{"unknown component", patch(t, jpg, sos, 3, 99), &format, "component 99"},
		{"reserved marker behind the image", append(bytes.Clone(jpg[:len(jpg)-2]), 0xff, 0x9c), &format, "marker 0x9c"},
		{"no scan", append(bytes.Clone(jpg[:bytes.Index(jpg, []byte(sos))]), 0xff, 0xd9), &format, "before a scan"},
		{"png cut off", rgb[:len(rgb)/2], &truncated, "png"},
		{"png signature only", rgb[:8], &truncated, "png"},
		{"png of 2 billion pixels", patch(t, rgb, "IHDR", 0, 0, 0, 0xb0, 0, 0, 0, 0xb0, 0), &format, "checksum"},
		{"png damaged", patch(t, rgb, "IDAT", 200, 1, 2, 3, 4), &format, "png"},
		{"png of more pixels than its bytes can hold", headPNG(12_000, 12_000, 16, 6), &truncated, "before the 12000×12000 pixels"},
		{"png of more rows than its bytes can hold", headPNG(1, 100_000_000, 1, 0), &truncated, "before the 1×100000000 pixels"},
		{"bmp cut off", []byte("BM\x00\x00\x00\x00"), &truncated, "bmp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.data)
			if err == nil || !errors.As(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got error %T %v, want one of type %T with %q", err, err, tt.kind, tt.want)
			}
			if strings.Count(err.Error(), "decode:") != 1 {
				t.Errorf("error %q: want the package's name once", err)
			}
		})
	}
}

func TestMaxPixels(t *testing.T) {
	data := golden.File(t, golden.Made(), "in", "s420.jpg")
	d := Decoder{MaxPixels: 301 * 257}
	if _, err := d.Decode(data); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	d.MaxPixels--
	var size *SizeError
	if _, err := d.Decode(data); !errors.As(err, &size) {
		t.Errorf("one beyond the limit: error %v, want a SizeError", err)
	}
}

func TestDecoderReuse(t *testing.T) {
	folder := golden.Made()
	var d Decoder
	for round := range 2 {
		for _, im := range golden.Read(t, folder).Images {
			data := golden.File(t, folder, im.File)
			got, err := d.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			want, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("round %d: %s: a used decoder differs from a new one", round, im.File)
			}
			if _, err := d.Decode(data[:len(data)*2/3]); err == nil {
				t.Errorf("round %d: %s: two thirds decoded without an error", round, im.File)
			}
		}
	}
	data := golden.File(t, folder, "in", "s420.jpg")
	if n := testing.AllocsPerRun(3, func() { d.Decode(data) }); n > 2 {
		t.Errorf("%v allocations for a file of a known size, want at most 2", n)
	}
}

func FuzzDecode(f *testing.F) {
	folder := filepath.Join(golden.Made(), "in")
	for _, name := range []string{"small.jpg", "one.jpg", "gray.jpg"} {
		f.Add(golden.File(f, folder, name))
	}
	small, err := filepath.Glob("testdata/libjpeg/*.jpg")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range small {
		f.Add(golden.File(f, name))
	}
	var b bytes.Buffer
	png.Encode(&b, opaque(1, 2, 3))
	f.Add(bytes.Clone(b.Bytes()))
	b.Reset()
	bmp.Encode(&b, opaque(1, 2, 3))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Decoder{MaxPixels: 1 << 22}
		info, headless := Inspect(data)
		m, err := d.Decode(data)
		if err != nil {
			return
		}
		if headless != nil || info.Width != m.Width || info.Height != m.Height {
			t.Fatalf("decoded as %d×%d, its header says %d×%d, error %v", m.Width, m.Height, info.Width, info.Height, headless)
		}
		if len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("%d bytes for %d×%d pixels", len(m.Pix), m.Width, m.Height)
		}
	})
}

func ExampleDecoder_DecodeWindow() {
	data, err := os.ReadFile("../testdata/preprocess/in/s420.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	var d Decoder // one for each goroutine
	m, err := d.DecodeWindow(data, func(w, h int) image.Rectangle {
		return image.Rect(0, 0, w/2, h/2)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d×%d, kept %v, %d bytes\n", m.Width, m.Height, m.Window, len(m.Pix))
	// Output: 301×257, kept (0,0)-(150,128), 57600 bytes
}

func BenchmarkDecode(b *testing.B) {
	data := golden.Photograph(b)
	var d Decoder
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := d.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
