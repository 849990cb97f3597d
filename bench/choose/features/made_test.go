package features

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"zoobench/datasets/preprocess"
)

// ways are the copies that people have of an image, and the quality of JPEG that each is saved by.
var ways = []struct {
	name    string
	change  func(*image.RGBA) *image.RGBA
	quality int
}{
	{"brighter", func(m *image.RGBA) *image.RGBA { return light(m, 1.15, 0) }, 90},
	{"more contrast", func(m *image.RGBA) *image.RGBA { return light(m, 1.1, -0.1*meanLevel(m)) }, 90},
	{"cropped", func(m *image.RGBA) *image.RGBA {
		x, y := m.Rect.Dx()*4/100, m.Rect.Dy()*4/100
		return redrawn(m, image.Rect(x, y, m.Rect.Dx()-x, m.Rect.Dy()-y))
	}, 90},
	{"shifted", func(m *image.RGBA) *image.RGBA {
		x, y := m.Rect.Dx()*2/100, m.Rect.Dy()*2/100
		return redrawn(m, image.Rect(x, y, m.Rect.Dx()+x, m.Rect.Dy()+y))
	}, 90},
	{"turned", func(m *image.RGBA) *image.RGBA {
		sin, cos := math.Sincos(2 * math.Pi / 180)
		x, y := float64(m.Rect.Dx())/2, float64(m.Rect.Dy())/2
		to := image.NewRGBA(m.Rect)
		draw.BiLinear.Transform(to, f64.Aff3{cos, -sin, x - cos*x + sin*y, sin, cos, y - sin*x - cos*y}, m, m.Rect, draw.Src, nil)
		return to
	}, 90},
	{"framed", func(m *image.RGBA) *image.RGBA { return redrawn(m, m.Rect.Inset(-3)) }, 90},
	{"mirrored", func(m *image.RGBA) *image.RGBA {
		to := image.NewRGBA(m.Rect)
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				to.SetRGBA(m.Rect.Dx()-1-x, y, m.RGBAAt(x, y))
			}
		}
		return to
	}, 90},
	{"scaled", func(m *image.RGBA) *image.RGBA {
		to := image.NewRGBA(image.Rect(0, 0, m.Rect.Dx()/2, m.Rect.Dy()/2))
		draw.CatmullRom.Scale(to, to.Rect, m, m.Rect, draw.Src, nil)
		return to
	}, 60},
	{"saved again", func(m *image.RGBA) *image.RGBA { return m }, 40},
}

// light multiplies all levels and adds to them.
func light(m *image.RGBA, gain, offset float64) *image.RGBA {
	to := image.NewRGBA(m.Rect)
	for i, v := range m.Pix {
		if to.Pix[i] = v; i%4 != 3 {
			to.Pix[i] = uint8(math.Round(min(max(gain*float64(v)+offset, 0), 255)))
		}
	}
	return to
}

func meanLevel(m *image.RGBA) float64 {
	sum := 0.0
	for i := 0; i < len(m.Pix); i += 4 {
		sum += 0.299*float64(m.Pix[i]) + 0.587*float64(m.Pix[i+1]) + 0.114*float64(m.Pix[i+2])
	}
	return 4 * sum / float64(len(m.Pix))
}

// redrawn is a part of an image, black where there is no image.
func redrawn(m *image.RGBA, part image.Rectangle) *image.RGBA {
	to := image.NewRGBA(image.Rectangle{Max: part.Size()})
	draw.Draw(to, to.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(to, to.Rect, m, part.Min, draw.Over)
	return to
}

// leaves draws discs of all sizes and colours over each other, which gives edges and flat parts of all sizes as
// photographs have them.
func leaves(width, height int, seed uint64) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 0))
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Rect, image.NewUniform(anyColor(rng)), image.Point{}, draw.Src)
	for range 200 {
		radius := float64(height) * 0.03 / (0.08 + rng.Float64()) // few are large
		disc(m, float64(width)*rng.Float64(), float64(height)*rng.Float64(), radius, anyColor(rng))
	}
	return m
}

// anyColor is neither black nor white, and as pale as most colours of photographs are.
func anyColor(rng *rand.Rand) color.RGBA {
	level := 40 + rng.IntN(130)
	return color.RGBA{uint8(level + rng.IntN(40)), uint8(level + rng.IntN(40)), uint8(level + rng.IntN(40)), 255}
}

func disc(m *image.RGBA, x, y, radius float64, c color.RGBA) {
	for j := max(0, int(y-radius)); j <= min(m.Rect.Dy()-1, int(y+radius)); j++ {
		for i := max(0, int(x-radius)); i <= min(m.Rect.Dx()-1, int(x+radius)); i++ {
			if math.Hypot(float64(i)-x, float64(j)-y) <= radius {
				m.SetRGBA(i, j, c)
			}
		}
	}
}

// A reader takes fingerprints of images as a scan does.
type reader struct {
	t      *testing.T
	p      *preprocess.Processor
	tensor []float32
	read   int
}

func newReader(t *testing.T) *reader {
	t.Helper()
	p, err := preprocess.New(fingerprintRecipe, preprocess.HWC)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, p: p, tensor: make([]float32, p.Len())}
}

// file is a file's image; each counts as another file.
func (r *reader) file(data []byte) Image {
	r.t.Helper()
	if err := r.p.File(data, r.tensor); err != nil {
		r.t.Fatal(err)
	}
	r.read++
	return Image{SHA256: fmt.Sprint(r.read), Fingerprint: fingerprint(r.tensor)}
}

// saved is an image that was saved as JPEG.
func (r *reader) saved(m image.Image, quality int) Image {
	r.t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		r.t.Fatal(err)
	}
	return r.file(b.Bytes())
}

// same reports whether two images look the same.
func same(a, b Image) bool { return Groups([]Image{a, b})[1] == 0 }

// TestCopies finds the copies of made images of every kind, and of two kinds at once, whichever comes first.
func TestCopies(t *testing.T) {
	r := newReader(t)
	const scenes = 24
	var images []Image
	for seed := range uint64(scenes) {
		m := leaves(300, 225, seed)
		original := r.saved(m, 90)
		images = append(images, original)
		for i, way := range ways {
			other := ways[(i+1)%len(ways)]
			twice := r.saved(other.change(way.change(m)), other.quality)
			if once := r.saved(way.change(m), way.quality); !same(original, once) || !same(once, original) {
				t.Errorf("image %d %s: not found", seed, way.name)
			}
			if !same(original, twice) && !same(twice, original) {
				t.Errorf("image %d %s and %s: not found", seed, way.name, other.name)
			}
		}
	}
	for i, g := range Groups(images) {
		if g != i {
			t.Errorf("images %d and %d look the same", i, g)
		}
	}
}

// TestSeries takes no two of a series for one image: views of one ball that is turned by 15 degrees each, one thing at
// another place before the same background, and drawings of other colours.
func TestSeries(t *testing.T) {
	const side = 240
	texture, background := leaves(8*side, 2*side, 1), leaves(side, side, 2)
	var balls, places, drawings []image.Image
	for turn := range 24 {
		m := image.NewRGBA(image.Rect(0, 0, side, side))
		draw.Draw(m, m.Rect, image.NewUniform(color.Gray{200}), image.Point{}, draw.Src)
		for y := range side {
			for x := range side {
				u, v := 2.4*float64(x)/side-1.2, 2.4*float64(y)/side-1.2
				if w := 1 - u*u - v*v; w > 0 {
					east := math.Mod(math.Atan2(u, math.Sqrt(w))+2*math.Pi*float64(turn)/24+2*math.Pi, 2*math.Pi)
					m.Set(x, y, texture.At(int(8*side*east/(2*math.Pi)), int(2*side*(0.5+math.Asin(v)/math.Pi))))
				}
			}
		}
		balls = append(balls, m)
	}
	for i := range 9 {
		m := redrawn(background, background.Rect)
		x, y := 0.25*side*float64(1+i%3), 0.25*side*float64(1+i/3)
		disc(m, x, y, 0.12*side, color.RGBA{250, 250, 240, 255})
		disc(m, x, y, 0.06*side, color.RGBA{20, 20, 90, 255})
		places = append(places, m)
	}
	for _, c := range []color.RGBA{{200, 40, 40, 255}, {30, 110, 60, 255}, {60, 70, 220, 255}} {
		m := image.NewRGBA(image.Rect(0, 0, side, side))
		draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
		disc(m, 0.4*side, 0.5*side, 0.3*side, c)
		disc(m, 0.7*side, 0.4*side, 0.1*side, c)
		drawings = append(drawings, m)
	}
	r := newReader(t)
	for name, series := range map[string][]image.Image{"ball": balls, "place": places, "drawing": drawings} {
		var images []Image
		for _, m := range series {
			images = append(images, r.saved(m, 90))
		}
		for i, g := range Groups(images) {
			if g != i {
				t.Errorf("%s: %d and %d look the same", name, i, g)
			}
		}
	}
}

// TestPhotographsOfAllKinds finds at least 57 of 60 photographs' copies of every kind, and takes no two of 1,200 different
// photographs for one.
func TestPhotographsOfAllKinds(t *testing.T) {
	root := realFolder(t)
	train, err := filepath.Glob(filepath.Join(root, "train", "*", "*"))
	if err != nil || len(train) < 60 {
		t.Fatalf("%d photographs: %v", len(train), err)
	}
	val, err := filepath.Glob(filepath.Join(root, "val", "*"))
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	var all []Image
	for _, path := range append(train, val...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.file(data))
	}
	for i, g := range Groups(all) {
		if g != i {
			t.Errorf("photographs %d and %d look the same", i, g)
		}
	}
	found := make([]int, len(ways))
	for i, path := range train[:60] {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoded, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		m := image.NewRGBA(image.Rectangle{Max: decoded.Bounds().Size()})
		draw.Draw(m, m.Rect, decoded, decoded.Bounds().Min, draw.Src)
		for w, way := range ways {
			if same(all[i], r.saved(way.change(m), way.quality)) {
				found[w]++
			}
		}
	}
	for w, way := range ways {
		t.Logf("%s: %d of 60 found", way.name, found[w])
		if found[w] < 57 {
			t.Errorf("%s: %d of 60 found, want 57", way.name, found[w])
		}
	}
}
