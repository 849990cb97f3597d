package shapes

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
)

// plainSet is a set that differs from the default in its nuisances alone, which are all none.
func plainSet() Set {
	s := Default()
	s.Nuisances = Nuisances{Width: [2]int{600, 600}, Contrast: 60}
	return s
}

// TestBytes pins the bytes of some images and of the beginning of a part, which are the same on every machine.
func TestBytes(t *testing.T) {
	large := Default()
	large.Size = 128
	other := Default()
	other.Seed = 2
	for _, test := range []struct {
		name string
		set  Set
		part Part
		i, n int
		want string
	}{
		{"first of training", Default(), Train, 0, 1, "3514e374ac191c103aab0ce13a5ef3781070dafc7856a43eeba98f695e5509a5"},
		{"last of the test part", Default(), Test, Test.Images() - 1, 1, "9a7d04deabd20315d77e82851d7331f4b97dcf1c211ae02211fcf769512100c5"},
		{"another seed", other, Train, 0, 1, "7594a3d4c6f09101584264099e09152a8cf6313adde1cf172151bf7b41cf0b9e"},
		{"large", large, Val, 7, 1, "2c4f96bef9527afb1bb95c7f37872b3d27e1d4bc609ff751f2c8cb5da9664dc1"},
		{"without nuisances", plainSet(), Val, 7, 1, "9956cb9450b92aaa8bb87c3b7fe69b441640d13b50c7ad064378b38699b4691a"},
		{"a part's first 300", Default(), Val, 0, 300, "08f6609b384a06d9f9bac28ebdf2a8a915475ea1083a4d682ae99455c8c46d11"},
	} {
		h := sha256.New()
		var pixels []byte
		for i := range test.n {
			pixels = test.set.Image(test.part, test.i+i, pixels)
			h.Write(pixels)
		}
		if have := hex.EncodeToString(h.Sum(nil)); have != test.want {
			t.Errorf("%s: SHA-256 %s, want %s", test.name, have, test.want)
		}
	}
}

// TestClasses holds the classes to the order of their names, which is that of their folders.
func TestClasses(t *testing.T) {
	var names []string
	for c := range Classes {
		names = append(names, Class(c))
	}
	if len(names) != 100 || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != 100 {
		t.Errorf("classes %q, want 100 in order", names)
	}
	if have := Name(137); have != Class(37)+"/00137" {
		t.Errorf("name %q", have)
	}
}

// TestSceneAtEverySize compares an image with the average of a finer one: the scene is the same.
func TestSceneAtEverySize(t *testing.T) {
	fine := plainSet()
	fine.Size = 128
	for i := range 20 {
		a, b := plainSet().Image(Train, i, nil), fine.Image(Train, i, nil)
		off := 0.0
		for p := range a {
			x, y, c := p/3%32, p/3/32, p%3
			mean := 0.0
			for k := range 16 {
				mean += float64(b[3*((4*y+k/4)*128+4*x+k%4)+c]) / 16
			}
			off += math.Abs(mean-float64(a[p])) / float64(len(a))
		}
		if off > 3 {
			t.Errorf("image %d: %.1f of 255 from the average of the finer one", i, off)
		}
	}
}

// TestNuisances changes each nuisance of a clean image, which has to change with it, and at its most.
func TestNuisances(t *testing.T) {
	s := plainSet()
	for _, n := range s.list() {
		changed := plainSet()
		if err := changed.Put(n.name, n.most); err != nil {
			t.Fatal(err)
		}
		if n.name == "least-width" {
			changed.Width[1] = n.most
		}
		if err := changed.Check(); err != nil {
			t.Errorf("%s at its most: %v", n.name, err)
		}
		same := 0
		for i := range 8 {
			if slices.Equal(s.Image(Train, i, nil), changed.Image(Train, i, nil)) {
				same++
			}
		}
		if same == 8 {
			t.Errorf("%s: nothing changes", n.name)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Set)
		want   string
	}{
		{"none", func(*Set) {}, ""},
		{"small", func(s *Set) { s.Size = 7 }, "images of 7 pixels, want 8 to 1024"},
		{"large", func(s *Set) { s.Size = 1 << 30 }, "want 8 to 1024"},
		{"width", func(s *Set) { s.Width = [2]int{0, 500} }, "widths from 0 to 500 thousandths, want at least 100"},
		{"reversed", func(s *Set) { s.Width = [2]int{700, 500} }, "and a range"},
		{"negative", func(s *Set) { s.Noise = -1 }, "noise -1, want 0 to 128"},
		{"turn", func(s *Set) { s.Turn = 181 }, "turn 181, want 0 to 180"},
	} {
		s := Default()
		test.change(&s)
		err := s.Check()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	s := Default()
	if err := s.Put("fog", 1); err == nil || !strings.Contains(err.Error(), `nuisance "fog", want least-width, width, shift`) {
		t.Errorf("error %v", err)
	}
}

// TestSine compares with the library's to the last of twelve bits.
func TestSine(t *testing.T) {
	for angle := -5000; angle < 5000; angle++ {
		if d := float64(sine(angle)) - one*math.Sin(float64(angle)*2*math.Pi/one); math.Abs(d) > 1.01 {
			t.Fatalf("sine of %d is off by %.2f", angle, d)
		}
	}
}

// TestBell holds noise to its mean and its standard deviation.
func TestBell(t *testing.T) {
	const n = 200_000
	r := random(3)
	sum, squares := 0.0, 0.0
	for range n {
		v := float64(r.bell())
		sum += v
		squares += v * v
	}
	if mean, sd := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 3 || math.Abs(sd-256) > 2 {
		t.Errorf("mean %.1f, standard deviation %.1f, want 0 and 256", mean, sd)
	}
}

func BenchmarkImage(b *testing.B) {
	s := Default()
	var pixels []byte
	for i := range b.N {
		pixels = s.Image(Train, i, pixels)
	}
}
