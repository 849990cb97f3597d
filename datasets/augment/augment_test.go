package augment

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zoobench/datasets/decode"
)

// picture has pixels that differ everywhere.
func picture(w, h int) *decode.Image {
	m := &decode.Image{Width: w, Height: h, Window: image.Rect(0, 0, w, h)}
	for i := range 3 * w * h {
		m.Pix = append(m.Pix, byte(i*37+i/7))
	}
	return m
}

// plain makes tensors that are the pixels' levels.
func plain(p Policy) Policy {
	p.Mean, p.Std = [3]float64{}, [3]float64{1. / 255, 1. / 255, 1. / 255}
	return p
}

func tensor(t *testing.T, p Policy, m *decode.Image, r *rand.Rand) []float32 {
	t.Helper()
	a, err := New(plain(p))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, a.Len())
	if err := a.Tensor(m, dst, r); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		dst[i] = float32(math.Round(float64(v)))
	}
	return dst
}

// at is the level of a channel of a pixel.
func at(x []float32, size, row, column, c int) float32 { return x[3*(row*size+column)+c] }

func TestNothing(t *testing.T) {
	m := picture(6, 6)
	for i, v := range tensor(t, Policy{Size: 6}, m, Random(1, 0, 0)) {
		if v != float32(m.Pix[i]) {
			t.Fatalf("value %d is %v, want %d as the image has it", i, v, m.Pix[i])
		}
	}
}

// TestBGR has blue first in the tensor.
func TestBGR(t *testing.T) {
	m := picture(6, 6)
	for i, v := range tensor(t, Policy{Size: 6, BGR: true}, m, Random(1, 0, 0)) {
		if want := m.Pix[i/3*3+2-i%3]; v != float32(want) {
			t.Fatalf("value %d is %v, want %d", i, v, want)
		}
	}
}

// TestPad finds the image at every place that two pixels of padding allow, black around it.
func TestPad(t *testing.T) {
	const size, pad = 5, 2
	m := picture(size, size)
	seen := map[[2]int]bool{}
	for i := range 400 {
		x := tensor(t, Policy{Size: size, Pad: pad}, m, Random(3, 0, i))
		found := [2]int{-9, -9}
		for dy := -pad; dy <= pad; dy++ {
			for dx := -pad; dx <= pad; dx++ {
				if shifted(x, m, size, dx, dy) {
					found = [2]int{dx, dy}
				}
			}
		}
		if found[0] < -pad {
			t.Fatalf("image %d is at no place within %d pixels", i, pad)
		}
		seen[found] = true
	}
	if len(seen) != (2*pad+1)*(2*pad+1) {
		t.Errorf("%d places in 400 images, want %d", len(seen), (2*pad+1)*(2*pad+1))
	}
}

// shifted reports whether x is m moved by dx and dy.
func shifted(x []float32, m *decode.Image, size, dx, dy int) bool {
	for i := range size * size {
		row, column := i/size, i%size
		y, c := row-dy, column-dx
		for ch := range 3 {
			want := float32(0)
			if y >= 0 && y < size && c >= 0 && c < size {
				want = float32(m.Pix[3*(y*size+c)+ch])
			}
			if at(x, size, row, column, ch) != want {
				return false
			}
		}
	}
	return true
}

func TestFlip(t *testing.T) {
	for _, size := range []int{4, 5} {
		m := picture(size, size)
		flipped := 0
		for i := range 200 {
			x := tensor(t, Policy{Size: size, Flip: 0.25}, m, Random(1, 2, i))
			if shifted(x, m, size, 0, 0) {
				continue
			}
			flipped++
			for k := range size * size {
				for ch := range 3 {
					if got, want := at(x, size, k/size, k%size, ch), float32(m.Pix[3*(k/size*size+size-1-k%size)+ch]); got != want {
						t.Fatalf("pixel %d: %v, want %v", k, got, want)
					}
				}
			}
		}
		if flipped < 30 || flipped > 70 {
			t.Errorf("%d of 200 are flipped, want about a quarter", flipped)
		}
	}
}

func TestResizedCrop(t *testing.T) {
	p := Policy{Scale: [2]float64{0.1, 0.5}, Ratio: [2]float64{0.5, 2}}
	least, most := 1.0, 0.0
	for i := range 1000 {
		box := p.resizedCrop(200, 100, Random(5, 0, i))
		if !box.In(image.Rect(0, 0, 200, 100)) {
			t.Fatalf("part %v of 200×100", box)
		}
		share, ratio := float64(box.Dx()*box.Dy())/20000, float64(box.Dx())/float64(box.Dy())
		if share < 0.095 || share > 0.505 || ratio < 0.48 || ratio > 2.08 {
			t.Fatalf("part %v: share %v, ratio %v", box, share, ratio)
		}
		least, most = min(least, share), max(most, share)
	}
	if least > 0.12 || most < 0.48 {
		t.Errorf("shares of %v to %v, want 0.1 to 0.5", least, most)
	}
	// What never fits becomes the middle, as wide as the ratio allows.
	all := Policy{Scale: [2]float64{1, 1}, Ratio: [2]float64{0.9, 1.1}}
	if got, want := all.resizedCrop(100, 10, Random(1, 0, 0)), image.Rect(44, 0, 55, 10); got != want {
		t.Errorf("a long image: %v, want %v", got, want)
	}
	if got, want := all.resizedCrop(9, 90, Random(1, 0, 0)), image.Rect(0, 40, 9, 50); got != want {
		t.Errorf("a tall image: %v, want %v", got, want)
	}
	if x := tensor(t, Policy{Size: 8, Scale: [2]float64{0.2, 1}}, picture(31, 17), Random(1, 0, 0)); slices.Max(x) == slices.Min(x) {
		t.Error("a part of an image is of one level")
	}
}

func TestErase(t *testing.T) {
	const size = 20
	m := &decode.Image{Width: size, Height: size, Window: image.Rect(0, 0, size, size), Pix: slices.Repeat([]byte{9}, 3*size*size)}
	whole := 0
	for i := range 300 {
		x := tensor(t, Policy{Size: size, Erase: 0.5}, m, Random(1, 0, i))
		zero := image.Rectangle{}
		pixels := 0
		for k := range size * size {
			if x[3*k] == 0 {
				zero = zero.Union(image.Rect(k%size, k/size, k%size+1, k/size+1))
				pixels++
			}
		}
		if pixels != zero.Dx()*zero.Dy() {
			t.Fatalf("%d erased pixels in %v, want a box", pixels, zero)
		}
		if pixels == 0 {
			whole++
		} else if share := float64(pixels) / size / size; share < 0.01 || share > 0.36 {
			t.Errorf("share %v is erased", share)
		}
	}
	if whole < 110 || whole > 190 {
		t.Errorf("%d of 300 are whole, want about half", whole)
	}
}

func TestJitter(t *testing.T) {
	m := picture(8, 8)
	means := func(x []float32) (level, spread, saturation float64) {
		for i := 0; i < len(x); i += 3 {
			level += float64(x[i] + x[i+1] + x[i+2])
			saturation += float64(max(x[i], x[i+1], x[i+2]) - min(x[i], x[i+1], x[i+2]))
		}
		level /= float64(len(x))
		for _, v := range x {
			spread += math.Abs(float64(v) - level)
		}
		return level, spread / float64(len(x)), saturation / float64(len(x)/3)
	}
	level, spread, saturation := means(tensor(t, Policy{Size: 8}, m, Random(0, 0, 0)))
	for _, test := range []struct {
		name  string
		j     Jitter
		moves func(l, sp, sa float64) float64 // what the part varies, over what the image has
	}{
		{"brightness", Jitter{Brightness: 0.5}, func(l, _, _ float64) float64 { return l / level }},
		{"contrast", Jitter{Contrast: 0.5}, func(_, sp, _ float64) float64 { return sp / spread }},
		{"saturation", Jitter{Saturation: 0.5}, func(_, _, sa float64) float64 { return sa / saturation }},
	} {
		least, most := 9.0, 0.0
		for i := range 100 {
			v := test.moves(means(tensor(t, Policy{Size: 8, Jitter: test.j}, m, Random(1, 0, i))))
			least, most = min(least, v), max(most, v)
		}
		if least < 0.45 || least > 0.6 || most < 1.1 || most > 1.55 {
			t.Errorf("%s varies by factors of %.2f to %.2f, want 0.5 to 1.5, less where levels are cut off", test.name, least, most)
		}
	}
}

// TestTurnHue turns colours by thirds and sixths of the circle.
func TestTurnHue(t *testing.T) {
	for _, test := range []struct {
		from [3]byte
		turn float64
		want [3]byte
	}{
		{[3]byte{200, 0, 0}, 1. / 3, [3]byte{0, 200, 0}},
		{[3]byte{200, 0, 0}, -1. / 3, [3]byte{0, 0, 200}},
		{[3]byte{200, 0, 0}, 1. / 6, [3]byte{200, 200, 0}},
		{[3]byte{200, 0, 0}, 0.5, [3]byte{0, 200, 200}},
		{[3]byte{10, 110, 60}, 1. / 3, [3]byte{60, 10, 110}},
		{[3]byte{77, 77, 77}, 0.3, [3]byte{77, 77, 77}},
		{[3]byte{1, 2, 250}, 0, [3]byte{1, 2, 250}},
	} {
		got := test.from
		turnHue(got[:], test.turn)
		if got != test.want {
			t.Errorf("%v by %v of a turn: %v, want %v", test.from, test.turn, got, test.want)
		}
	}
}

// TestSeeded holds that an image depends on seed, epoch and number, and on nothing else.
func TestSeeded(t *testing.T) {
	p := Policy{
		Size: 8, Scale: [2]float64{0.1, 1}, Flip: 0.5, Erase: 0.5,
		Jitter: Jitter{Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Hue: 0.1},
	}
	m := picture(20, 15)
	first := tensor(t, p, m, Random(1, 2, 3))
	if again := tensor(t, p, m, Random(1, 2, 3)); !slices.Equal(first, again) {
		t.Error("the same seed, epoch and image give other bits")
	}
	for _, other := range [][3]int{{2, 2, 3}, {1, 3, 3}, {1, 2, 4}} {
		if slices.Equal(first, tensor(t, p, m, Random(uint64(other[0]), other[1], other[2]))) {
			t.Errorf("seed, epoch and image %v give the same bits as 1, 2, 3", other)
		}
	}
}

func TestErrors(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		p    Policy
		want string
	}{
		{Policy{}, "augment: preprocess: size 0, want 1 to 16384"},
		{Policy{Size: 4, Interpolation: "cubic"}, `interpolation "cubic", want one of`},
		{Policy{Size: 4, Pad: 5}, "augment: pad 5, want 0 to the size, 4"},
		{Policy{Size: 4, Pad: 1, Scale: [2]float64{0.5, 1}}, "both cut, want one"},
		{Policy{Size: 4, Scale: [2]float64{0, 1}}, "augment: scale [0 1], want two rising shares"},
		{Policy{Size: 4, Scale: [2]float64{0.5, nan}}, "augment: scale [0.5 NaN], want"},
		{Policy{Size: 4, Ratio: [2]float64{2, 1}}, "augment: ratio [2 1], want two rising ratios"},
		{Policy{Size: 4, Flip: 1.5}, "augment: flip 1.5, want 0 to 1"},
		{Policy{Size: 4, Erase: nan}, "augment: erase NaN, want 0 to 1"},
		{Policy{Size: 4, Jitter: Jitter{Hue: 0.6}}, "augment: hue 0.6, want 0 to 0.5"},
	} {
		if _, err := New(test.p); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want %q", test.p, err, test.want)
		}
	}
	a, err := New(Policy{Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Tensor(picture(4, 4), make([]float32, 3), nil); err == nil || err.Error() != "augment: tensor of 3 values, want 48" {
		t.Errorf("a tensor too short: error %v", err)
	}
	m := picture(4, 4)
	m.Window.Max.X = 2
	if err := a.Tensor(m, make([]float32, 48), nil); err == nil || !strings.Contains(err.Error(), "want all of it") {
		t.Errorf("a part of an image: error %v", err)
	}
}
