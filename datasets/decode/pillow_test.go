package decode

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/datasets/internal/golden"
)

// A pillowFile is a file of testdata/pillow and what Pillow 9.4 makes of it.
type pillowFile struct {
	File          string
	Width, Height int
	SHA256        string // of the RGB pixels
	Turned        string // after ImageOps.exif_transpose
	Refused       bool
}

func pillowFiles(t testing.TB) (files []pillowFile) {
	t.Helper()
	if err := json.Unmarshal(golden.File(t, "testdata", "pillow", "index.json"), &files); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDecodesAndRefusesAsPillow decodes damaged files, and files of all formats: Pillow's pixels, or an error where Pillow has
// one.
func TestDecodesAndRefusesAsPillow(t *testing.T) {
	same := func(t *testing.T, m *Image, want string) {
		t.Helper()
		sum := sha256.Sum256(m.Pix)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%d×%d pixels of hash %.12s, want %.12s", m.Width, m.Height, got, want)
		}
	}
	var d Decoder
	turning := Decoder{Exif: true}
	for _, f := range pillowFiles(t) {
		t.Run(f.File, func(t *testing.T) {
			data := golden.File(t, "testdata", "pillow", f.File)
			m, err := d.Decode(data)
			if f.Refused {
				if err == nil {
					t.Error("decoded; Pillow refuses it")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Width != f.Width || m.Height != f.Height {
				t.Errorf("%d×%d, want %d×%d", m.Width, m.Height, f.Width, f.Height)
			}
			same(t, m, f.SHA256)
			if f.Turned == "" {
				return
			}
			if m, err = turning.Decode(data); err != nil {
				t.Fatal(err)
			}
			same(t, m, f.Turned)
		})
	}
}

// TestNotes looks at what is said of files out of the ordinary.
func TestNotes(t *testing.T) {
	made := func(name string) string { return filepath.Join(golden.Made(), "in", name) }
	pillow := func(name string) string { return filepath.Join("testdata", "pillow", name) }
	for _, tt := range []struct {
		file string
		want Notes
	}{
		{made("s420.jpg"), 0}, {made("cmyk.jpg"), CMYK}, {made("gray16.png"), Deep}, {made("exif_rotated.jpg"), Turned},
		{made("s420_progressive.jpg"), 0}, {made("palette.png"), 0},
		{pillow("b420_zero100.jpg"), Damaged}, {pillow("rst_ins0.jpg"), Damaged}, {pillow("b420_nodht.jpg"), 0},
		{pillow("rgb_noiend.png"), Damaged},
		{pillow("rgb_tail.png"), 0}, {pillow("pal_plte3.png"), BeyondPalette}, {pillow("pal_trns.png"), Transparent},
		{pillow("exif1.jpg"), 0}, {pillow("exif6.jpg"), Turned}, {pillow("exif9.jpg"), 0}, {pillow("exif6.png"), Turned},
		{pillow("exif8.webp"), Turned},
		{pillow("orient6.tif"), 0 /* Pillow turns TIFF itself */}, {pillow("anim.gif"), Animated}, {pillow("t.gif"), Transparent},
		{pillow("alpha.webp"), Transparent}, {pillow("lossless.webp"), 0},
	} {
		m, err := Decode(golden.File(t, tt.file))
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if m.Notes != tt.want {
			t.Errorf("%s: notes %b, want %b", tt.file, m.Notes, tt.want)
		}
	}
	plain := golden.File(t, made("s420.jpg"))
	icc := append([]byte("\xff\xd8\xff\xe2\x00\x11ICC_PROFILE\x00\x01\x01x"), plain[2:]...)
	if m, err := Decode(icc); err != nil || m.Notes != Profile {
		t.Errorf("an ICC profile: %v, want its note", err)
	}
	progressive := golden.File(t, pillow("prog_flip1.jpg"))
	if i := strings.LastIndex(string(progressive), "\xff\xda"); i < 0 {
		t.Error("no scan")
	} else if m, err := Decode(append(progressive[:i:i], 0xff, 0xd9)); err != nil || m.Notes&Unrefined == 0 {
		t.Errorf("a progressive file without its last scan: %v, want the note that it is not smoothed", err)
	}
	counts := NoteCounts{}
	counts.Add(Turned | Profile)
	counts.Add(Turned)
	got := strings.Join(counts.Words(3, false), "; ")
	if !strings.HasPrefix(got, "2 of 3 images lie on their side") || strings.Contains(got, "ICC") {
		t.Errorf("got %q", got)
	}
	if got := counts.Names(); len(got) != 2 || got["exif_orientation"] != 2 || got["icc_profile"] != 1 {
		t.Errorf("got %v", got)
	}
}

// TestRefusedByName reads what is no image for a network.
func TestRefusedByName(t *testing.T) {
	for _, tt := range []struct{ head, want string }{
		{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"}, {"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00", "heic"},
		{"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", "avif"}, {"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "mp4 video"},
		{"\x00\x00\x00\x0cJXL \r\n\x87\n", "jpeg xl"}, {"8BPS\x00\x01\x00\x00", "photoshop"}, {"<svg xmlns=", "svg"}, {"%PDF-1.4", "pdf"},
		{"<!DOCTYPE html><html>", "html"},
	} {
		_, err := Decode([]byte(tt.head))
		if err == nil || !strings.HasPrefix(err.Error(), "decode: "+tt.want+":") ||
			!strings.Contains(err.Error(), "convert the file to jpeg or png") {
			t.Errorf("%q: error %v, want one that names %s", tt.head, err, tt.want)
		}
	}
}
