package preprocess

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/datasets/decode"
	"zoobench/datasets/internal/golden"
)

func newProcessor(t testing.TB, r Recipe, l Layout) *Processor {
	t.Helper()
	p, err := New(r, l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPixelsEqualPillow(t *testing.T) {
	for _, folder := range golden.Folders(t) {
		index := golden.Read(t, folder)
		var fromDecoded, fromFiles golden.Counts
		for _, im := range index.Images {
			var decoded *decode.Image
			if im.Decoded != "" {
				decoded = &decode.Image{Width: im.Width, Height: im.Height, Window: image.Rect(0, 0, im.Width, im.Height)}
				decoded.Pix, _, _ = golden.RGB(t, folder, im.Decoded)
			}
			data := golden.File(t, folder, im.File)
			var fromFile golden.Counts
			for name, file := range im.Want {
				r := index.Recipes[name]
				p := newProcessor(t, Recipe{Size: r.Crop, Resize: r.Resize, Interpolation: Filter(r.Filter)}, HWC)
				want, _, _ := golden.RGB(t, folder, file)
				if decoded != nil {
					compare(t, file+" from the decoded pixels", &fromDecoded, p, decoded, want)
				}
				m, err := p.decoder.DecodeWindow(data, p.Window)
				if err != nil {
					t.Errorf("%s: %v", im.File, err)
					continue
				}
				compare(t, file, &fromFile, p, m, want)
			}
			fromFiles.Add(fromFile)
			t.Logf("%-36s %d crops: equal %8d  off by one %d  more %d", im.File, len(im.Want), fromFile.Equal, fromFile.OffByOne, fromFile.More)
		}
		t.Logf("%s, samples from the decoded pixels: equal %d, off by one %d, more %d", filepath.Dir(folder), fromDecoded.Equal,
			fromDecoded.OffByOne, fromDecoded.More)
		t.Logf("%s, samples from the files: equal %d, off by one %d, more %d", filepath.Dir(folder), fromFiles.Equal, fromFiles.OffByOne,
			fromFiles.More)
	}
}

func compare(t *testing.T, name string, counts *golden.Counts, p *Processor, m *decode.Image, want []byte) {
	t.Helper()
	got, err := p.Pixels(m)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	counts.Compare(got, want)
	if !bytes.Equal(got, want) {
		t.Errorf("%s: differs from Pillow, by up to %d", name, counts.Worst)
	}
}

// reference resamples the whole image, both passes to the full size with no
// window, in the plainest loops, and then crops: the slow twin of Pixels.
func reference(r Recipe, m *decode.Image, fill [3]byte) []byte {
	w, h := resized(r, m.Width, m.Height)
	whole := func(in, out int) *axis {
		a := new(axis)
		from, _ := a.make(r.Interpolation, in, out, out)
		for i := range a.first {
			a.first[i] += int32(from)
		}
		return a
	}
	ax, ay := whole(m.Width, w), whole(m.Height, h)
	sum := func(a *axis, i int, at func(j int) byte) byte {
		s := int32(half)
		for j := range int(a.count[i]) {
			s += a.weights[i*a.stride+j] * int32(at(int(a.first[i])+j))
		}
		return byte(min(max(s>>weightBits, 0), 255))
	}
	narrow := make([]byte, 3*w*m.Height)
	for y := range m.Height {
		for x := range w {
			for c := range 3 {
				narrow[3*(y*w+x)+c] = sum(ax, x, func(j int) byte { return m.Pix[3*(y*m.Width+j)+c] })
			}
		}
	}
	out := make([]byte, 0, 3*r.Size*r.Size)
	left, padLeft := centre(w, r.Size)
	top, padTop := centre(h, r.Size)
	for y := range r.Size {
		for x := range r.Size {
			for c := range 3 {
				sx, sy := x+left-padLeft, y+top-padTop
				if sx < 0 || sy < 0 || sx >= w || sy >= h {
					out = append(out, fill[c])
					continue
				}
				out = append(out, sum(ay, sy, func(j int) byte { return narrow[3*(j*w+sx)+c] }))
			}
		}
	}
	return out
}

// centre is torchvision's centre crop: pixels cut off and padded at the start.
func centre(n, size int) (cut, pad int) {
	if n < size {
		return 0, (size - n) / 2
	}
	d := n - size
	if d%4 == 3 { // d/2 is a half that rounds up to even
		return d/2 + 1, 0
	}
	return d / 2, 0
}

func TestPixelsEqualReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, filter := range []Filter{Nearest, Box, Bilinear, Hamming, Bicubic, Lanczos} {
		for _, mode := range []CropMode{Center, Squash, Border} {
			for _, size := range [][2]int{{1, 1}, {2, 3}, {40, 40}, {41, 30}, {30, 41}, {97, 64}, {5, 60}, {200, 17}} {
				m := noise(rng, size[0], size[1])
				for _, r := range []Recipe{
					{Size: 32, Resize: 40}, {Size: 33, Resize: 40}, {Size: 35, Resize: 33}, {Size: 24}, {Size: 64, CropPct: 1},
				} {
					r.Interpolation, r.CropMode = filter, mode
					name := fmt.Sprintf("%s %s %v of %d×%d", filter, mode, r.Size, size[0], size[1])
					p := newProcessor(t, r, HWC)
					if w, h := resized(p.Recipe(), m.Width, m.Height); w == 0 || h == 0 {
						continue
					}
					got, err := p.Pixels(m)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					if want := reference(p.Recipe(), m, p.fill); !bytes.Equal(got, want) {
						var counts golden.Counts
						counts.Compare(got, want)
						t.Errorf("%s: differs: %+v", name, counts)
					}
				}
			}
		}
	}
}

func noise(rng *rand.Rand, w, h int) *decode.Image {
	m := &decode.Image{Width: w, Height: h, Window: image.Rect(0, 0, w, h), Pix: make([]byte, 3*w*h)}
	for i := range m.Pix {
		m.Pix[i] = byte(rng.Uint32())
	}
	return m
}

func TestGeometry(t *testing.T) {
	for _, tt := range []struct {
		name                string
		recipe              Recipe
		width, height       int
		wantW, wantH        int // after resizing
		wantX, wantY        int // where the crop's pixels start in the resized image
		wantPadX, wantPadY  int
		wantFill            [3]byte
		wantResizeParameter int
	}{
		{"landscape", Recipe{Size: 224}, 500, 375, 341, 256, 58, 16, 0, 0, [3]byte{}, 256},
		{"portrait", Recipe{Size: 224}, 375, 500, 256, 341, 16, 58, 0, 0, [3]byte{}, 256},
		{"halves round to even", Recipe{Size: 224, Resize: 227}, 227, 229, 227, 229, 2, 2, 0, 0, [3]byte{}, 227},
		{"0.95", Recipe{Size: 224, CropPct: 0.95}, 300, 300, 235, 235, 6, 6, 0, 0, [3]byte{}, 235},
		{"0.9", Recipe{Size: 224, CropPct: 0.9}, 300, 300, 248, 248, 12, 12, 0, 0, [3]byte{}, 248},
		{"299", Recipe{Size: 299}, 300, 300, 341, 341, 21, 21, 0, 0, [3]byte{}, 341},
		{"smaller than the crop", Recipe{Size: 9, Resize: 4}, 8, 8, 4, 4, 0, 0, 2, 2, [3]byte{}, 4},
		{"oblong", Recipe{Size: 96, Width: 160, CropPct: 0.9}, 500, 375, 177, 133, 8, 18, 0, 0, [3]byte{}, 106},
		{"oblong, of a tall image", Recipe{Size: 96, Width: 160, CropPct: 0.9}, 100, 300, 177, 531, 8, 218, 0, 0, [3]byte{}, 106},
		{"oblong, resize given", Recipe{Size: 96, Width: 160, Resize: 120}, 1000, 100, 1200, 120, 520, 12, 0, 0, [3]byte{}, 120},
		{"oblong, squash", Recipe{Size: 96, Width: 160, CropMode: Squash}, 500, 375, 182, 109, 11, 6, 0, 0, [3]byte{}, 109},
		{"oblong, border", Recipe{Size: 96, Width: 160, CropPct: 1, CropMode: Border}, 300, 300, 96, 96, 0, 0, 32, 0, [3]byte{124, 116, 104}, 96},
		{"squash", Recipe{Size: 224, CropMode: Squash}, 500, 375, 256, 256, 16, 16, 0, 0, [3]byte{}, 256},
		{"border", Recipe{Size: 224, CropPct: 1, CropMode: Border}, 500, 375, 224, 168, 0, 0, 0, 28, [3]byte{124, 116, 104}, 224},
		{"border, mean of a half", Recipe{Size: 224, CropPct: 1, CropMode: Border, Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{1, 1, 1}},
			100, 50, 224, 112, 0, 0, 0, 56, [3]byte{128, 128, 128}, 224},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProcessor(t, tt.recipe, HWC)
			if got := p.Recipe().Resize; got != tt.wantResizeParameter {
				t.Errorf("resize %d, want %d", got, tt.wantResizeParameter)
			}
			w, h := resized(p.Recipe(), tt.width, tt.height)
			if w != tt.wantW || h != tt.wantH {
				t.Errorf("resized to %d×%d, want %d×%d", w, h, tt.wantW, tt.wantH)
			}
			r := p.Recipe()
			for _, axis := range []struct {
				name                      string
				out, size, wantAt, padded int
			}{{"x", w, r.CropWidth(), tt.wantX, tt.wantPadX}, {"y", h, r.Size, tt.wantY, tt.wantPadY}} {
				var a0 axisStart
				a0.of(axis.out, axis.size)
				if a0.skip != axis.wantAt || a0.at != axis.padded {
					t.Errorf("%s: starts at %d behind a border of %d, want %d and %d", axis.name, a0.skip, a0.at, axis.wantAt, axis.padded)
				}
			}
			if p.fill != tt.wantFill {
				t.Errorf("fill %v, want %v", p.fill, tt.wantFill)
			}
		})
	}
}

// axisStart finds out where a crop starts by resampling one to one.
type axisStart struct{ skip, at int }

func (s *axisStart) of(out, size int) {
	var a axis
	s.skip, _ = a.make(Nearest, out, out, size)
	s.at = a.at
}

func TestTensorEqualsTorch(t *testing.T) {
	// (x/255 - mean) / std of levels 0, 1, 127, 255, each step in float32, by
	// the IEEE rules that torch's CPU operators follow.
	p := newProcessor(t, Recipe{Size: 2, Resize: 2}, CHW)
	m := &decode.Image{Width: 2, Height: 2, Window: image.Rect(0, 0, 2, 2),
		Pix: []byte{0, 0, 0, 1, 1, 1, 127, 127, 127, 255, 255, 255}}
	got := make([]float32, 12)
	if err := p.Tensor(m, got); err != nil {
		t.Fatal(err)
	}
	want := []float32{-2.11790395, -2.10077929, 0.0569397435, 2.24890828, -2.03571415, -2.01820731, 0.187675059, 2.42857146, -1.80444443,
		-1.7870152, 0.40906325, 2.6400001}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("value %d: %v, want %v", i, got[i], want[i])
		}
	}
	hwc := make([]float32, 12)
	if err := newProcessor(t, Recipe{Size: 2, Resize: 2}, HWC).Tensor(m, hwc); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		for c := range 3 {
			if hwc[3*i+c] != got[4*c+i] {
				t.Errorf("pixel %d channel %d: %v with channels last, %v in planes", i, c, hwc[3*i+c], got[4*c+i])
			}
		}
	}
}

// TestBGR reverses the channels once they are normalised: mean and deviation stay those of red, green and blue.
func TestBGR(t *testing.T) {
	m := &decode.Image{Width: 1, Height: 1, Window: image.Rect(0, 0, 1, 1), Pix: []byte{255, 127, 1}}
	caffe := Recipe{Size: 1, Resize: 1, BGR: true,
		Mean: [3]float64{123.68 / 255, 116.779 / 255, 103.939 / 255}, Std: [3]float64{1. / 255, 1. / 255, 1. / 255}}
	for _, layout := range []Layout{HWC, CHW} {
		got := make([]float32, 3)
		if err := newProcessor(t, caffe, layout).Tensor(m, got); err != nil {
			t.Fatal(err)
		}
		for c, want := range []float64{1 - 103.939, 127 - 116.779, 255 - 123.68} {
			if math.Abs(float64(got[c])-want) > 1e-4 {
				t.Errorf("layout %d, channel %d: %v, want %v", layout, c, got[c], want)
			}
		}
	}
}

func TestBadRecipes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		recipe Recipe
		want   string
	}{
		{"no size", Recipe{}, "size 0"},
		{"huge size", Recipe{Size: 1 << 20}, "size 1048576"},
		{"crop fraction", Recipe{Size: 224, CropPct: -1}, "crop fraction -1"},
		{"crop fraction not a number", Recipe{Size: 224, CropPct: math.NaN()}, "crop fraction NaN"},
		{"filter", Recipe{Size: 224, Interpolation: "cubic"}, `interpolation "cubic", want one of nearest, box`},
		{"crop mode", Recipe{Size: 224, CropMode: "centre"}, `crop mode "centre", want center`},
		{"resize", Recipe{Size: 224, Resize: -3}, "resize to -3"},
		{"deviation of zero", Recipe{Size: 224, Mean: [3]float64{0.5, 0.5, 0.5}}, "positive deviation"},
		{"mean of values to 255", Recipe{Size: 224, Mean: [3]float64{123.675, 116.28, 103.53}, Std: [3]float64{1, 1, 1}},
			"mean 123.675,116.28,103.53: these are of values from 0 to 255, want values from 0 to 1; divided by 255 they are 0.485,0.456,0.406"},
		{"deviation of values to 255", Recipe{Size: 224, Std: [3]float64{58.395, 57.12, 57.375}}, "divided by 255 they are 0.229,0.224,0.225"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.recipe, HWC)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestBadImages(t *testing.T) {
	p := newProcessor(t, Recipe{Size: 224, CropMode: Border}, HWC)
	dst := make([]float32, p.Len())
	thin := noise(rand.New(rand.NewPCG(3, 4)), 1, 5000)
	if err := p.Tensor(thin, dst); err == nil || !strings.Contains(err.Error(), "becomes 0×256") {
		t.Errorf("an image that resizes to nothing: error %v", err)
	}
	p = newProcessor(t, Recipe{Size: 224}, HWC)
	cut := noise(rand.New(rand.NewPCG(3, 4)), 300, 300)
	cut.Window = image.Rect(100, 100, 200, 200)
	if err := p.Tensor(cut, dst); err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("a window too small: error %v", err)
	}
	if err := p.Tensor(thin, dst[:7]); err == nil || !strings.Contains(err.Error(), "tensor of 7 values") {
		t.Errorf("a short tensor: error %v", err)
	}
	if err := p.File([]byte("no picture"), dst); err == nil || !strings.HasPrefix(err.Error(), "decode: ") {
		t.Errorf("no image: error %v", err)
	}
}

// TestLongImages plans images of extreme sizes, and photographs.
func TestLongImages(t *testing.T) {
	squash := Recipe{Size: 384, CropPct: 1, CropMode: Squash, Interpolation: Bicubic}
	large := func(m CropMode) Recipe { return Recipe{Size: 1024, CropMode: m, Interpolation: Lanczos} }
	for _, tt := range []struct {
		name          string
		recipe        Recipe
		width, height int
		want          string
	}{
		{"rows", squash, 1, 2_000_000, "image of 1×2000000 takes 2304000000 bytes to become 384×384"},
		{"weights along a column", squash, 1, 100_000_000, "image of 1×100000000 takes 400000896 weights to become 384×384"},
		{"weights along a row", squash, 100_000_000, 1, "image of 100000000×1 takes 400000896 weights to become 384×384"},
		{"nearest", Recipe{Size: 384, CropMode: Squash, Interpolation: Nearest}, 1, 100_000_000, "bytes to become"},
		{"photograph, centre", large(Center), 30_000, 20_000, ""},
		{"photograph, squash", large(Squash), 30_000, 20_000, ""},
		{"photograph, border", large(Border), 30_000, 20_000, ""},
		{"upright photograph, centre", large(Center), 20_000, 30_000, ""},
		{"upright photograph, squash", large(Squash), 20_000, 30_000, ""},
		{"upright photograph, very large crop", Recipe{Size: 5900, CropMode: Squash}, 20_000, 30_000, ""},
		{"small image, very large crop", Recipe{Size: 5900, Interpolation: Lanczos}, 2, 3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := newProcessor(t, tt.recipe, HWC).prepare(tt.width, tt.height)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}

	var b bytes.Buffer
	thin := image.NewPaletted(image.Rect(0, 0, 1, 2_000_000), color.Palette{color.Black, color.White})
	if err := png.Encode(&b, thin); err != nil {
		t.Fatal(err)
	}
	p := newProcessor(t, squash, HWC)
	err := p.File(b.Bytes(), make([]float32, p.Len()))
	if err == nil || !strings.Contains(err.Error(), "image of 1×2000000") {
		t.Errorf("a file of %d bytes: error %v, want one that names its size", b.Len(), err)
	}
	if cap(p.narrow) > 0 {
		t.Errorf("a file of %d bytes: %d bytes taken", b.Len(), cap(p.narrow))
	}
}

func TestNoAllocationInSteadyState(t *testing.T) {
	data := golden.File(t, golden.Made(), "in", "s420.jpg")
	p := newProcessor(t, Recipe{Size: 224}, HWC)
	dst := make([]float32, p.Len())
	run := func() {
		if err := p.File(data, dst); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(3, run); n > 4 {
		t.Errorf("%v allocations for a second file of the same size, want at most 4", n)
	}
}

func ExampleProcessor_File() {
	data, err := os.ReadFile("../testdata/preprocess/in/s420.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := New(Recipe{Size: 224, Interpolation: Bicubic}, HWC)
	if err != nil {
		fmt.Println(err)
		return
	}
	tensor := make([]float32, p.Len())
	if err := p.File(data, tensor); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d values, the first %.4f\n", len(tensor), tensor[0])
	// Output: 150528 values, the first 0.1939
}

func BenchmarkFile(b *testing.B) {
	data := golden.Photograph(b)
	for _, filter := range []Filter{Bilinear, Bicubic} {
		b.Run(fmt.Sprintf("filter=%s/size=224", filter), func(b *testing.B) {
			p := newProcessor(b, Recipe{Size: 224, Interpolation: filter}, HWC)
			dst := make([]float32, p.Len())
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := p.File(data, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func BenchmarkTensor(b *testing.B) {
	m, err := decode.Decode(golden.Photograph(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, filter := range []Filter{Bilinear, Bicubic, Lanczos} {
		b.Run(fmt.Sprintf("filter=%s/size=224", filter), func(b *testing.B) {
			p := newProcessor(b, Recipe{Size: 224, Interpolation: filter}, HWC)
			dst := make([]float32, p.Len())
			for b.Loop() {
				if err := p.Tensor(m, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
