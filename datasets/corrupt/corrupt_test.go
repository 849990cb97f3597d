package corrupt

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"zoobench/internal/testenv"
)

// made is an image of clouds, as photographs have detail of every size, with a disk and a flat part.
func made(size int) []byte {
	side := max(powerOfTwo(size), 2)
	r := newRandom(5)
	clouds := [3][]float64{plasma(side, 1.9, r), plasma(side, 1.9, r), plasma(side, 1.9, r)}
	p := make([]byte, 3*size*size)
	for y := range size {
		for x := range size {
			i := 3 * (size*y + x)
			for k := range 3 {
				p[i+k] = byte(mul(clouds[k][side*y+x], 255))
			}
			switch {
			case (x-size/3)*(x-size/3)+(y-size/3)*(y-size/3) < size*size/25:
				p[i], p[i+1], p[i+2] = 220, 40, 30
			case y < size/10:
				p[i], p[i+1], p[i+2] = 128, 128, 128
			}
		}
	}
	return p
}

func applied(c Corruption, size int, seed uint64) []byte {
	p := made(size)
	c.Apply(p, size, seed, sha256.Sum256([]byte("an image")))
	return p
}

// all are the fifteen corruptions at every severity.
func all() (list []Corruption) {
	for _, name := range Names() {
		for s := range Severities {
			list = append(list, Corruption{name, s + 1})
		}
	}
	return list
}

// TestGolden compares every corruption at every severity with the hash of its pixels. A change here changes accuracies that
// people have on record.
func TestGolden(t *testing.T) {
	var b bytes.Buffer
	for _, c := range all() {
		fmt.Fprintf(&b, "%s %x\n", c, sha256.Sum256(applied(c, 224, 1)))
	}
	testenv.Golden(t, filepath.Join("testdata", "pixels.golden"), b.Bytes())
}

// distance is the root of the mean square between two images, in levels.
func distance(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}

// TestSeverity holds each corruption to going farther from the image with each severity, where the paper's constants do so on
// any image. glass_blur moves fewer pixels at its second severity, snow's flakes are larger and fewer at some, frost darkens the
// image as it whitens it, and elastic_transform is another kind of move from its third on: these differ from the image, and no
// more is asked.
func TestSeverity(t *testing.T) {
	free := []string{"glass_blur", "snow", "frost", "elastic_transform"}
	clean := made(224)
	for _, name := range Names() {
		last := 0.0
		for s := range Severities {
			c := Corruption{name, s + 1}
			d := distance(clean, applied(c, 224, 1))
			t.Logf("%s: %.2f levels", c, d)
			if d < 1 || d <= last && !slices.Contains(free, name) {
				t.Errorf("%s: %.2f levels from the image, after %.2f", c, d, last)
			}
			last = d
		}
	}
}

// TestRepeats applies each corruption on several goroutines at once; all have the same bytes, and another seed and another
// image's key have others where there are draws.
func TestRepeats(t *testing.T) {
	drawn := []string{
		"gaussian_noise", "shot_noise", "impulse_noise", "glass_blur", "motion_blur", "snow", "frost", "fog", "elastic_transform",
	}
	for _, name := range Names() {
		c := Corruption{name, 3}
		want := applied(c, 64, 7)
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				if !bytes.Equal(applied(c, 64, 7), want) {
					t.Errorf("%s: other bytes on another goroutine", c)
				}
			})
		}
		workers.Wait()
		other := made(64)
		c.Apply(other, 64, 7, sha256.Sum256([]byte("another image")))
		if draws := slices.Contains(drawn, name); bytes.Equal(applied(c, 64, 8), want) == draws || bytes.Equal(other, want) == draws {
			t.Errorf("%s: depends on the seed or the key: want %t", c, draws)
		}
	}
}

// TestSizes applies each corruption to squares of few pixels and of other sizes than the paper's.
func TestSizes(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 16, 33, 299} {
		for _, c := range all() {
			if size > 40 && c.Severity != 5 {
				continue
			}
			p := made(size)
			c.Apply(p, size, 1, [32]byte{})
			if size == 299 && bytes.Equal(p, made(size)) {
				t.Errorf("%s leaves %d pixels as they are", c, size)
			}
		}
	}
	for _, flat := range []byte{0, 255} { // no channel has a mean to lose or a largest value to divide by
		for _, c := range all() {
			p := bytes.Repeat([]byte{flat}, 3*32*32)
			c.Apply(p, 32, 1, [32]byte{})
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range all() {
		if got, err := Parse(c.String()); got != c || err != nil {
			t.Errorf("%s: have %v and %v", c, got, err)
		}
	}
	for _, tt := range []struct{ text, want string }{
		{"", "want none, or NAME:SEVERITY with the name all or one of gaussian_noise, shot_noise, impulse_noise"},
		{"rain:3", `unknown corruption "rain:3", want none, or NAME:SEVERITY with the name all or one of gaussian_noise`},
		{"none:3", `unknown corruption "none:3"`},
		{"fog", "fog is 5 corruptions, want one, as in fog:3"},
		{"all:2", "all:2 is 15 corruptions, want one, as in gaussian_noise:3"},
		{"fog:", `severity "" of fog, want 1 to 5, as in fog:3`},
		{"all:6", `severity "6" of all, want 1 to 5, as in all:3`},
		{"fog:0", `severity "0"`}, {"fog:6", `severity "6"`}, {"fog:3.5", `severity "3.5"`},
		{"fog:+3", `severity "+3"`}, {"fog:3:1", `severity "3:1"`},
		{"Fog:3", `"Fog:3"`}, {"fog :3", `"fog :3"`}, {strings.Repeat("f", 1000), `corruption "` + strings.Repeat("f", 40) + `"`},
	} {
		if _, err := Parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.want)
		}
	}
	none, err := Parse(None)
	if err != nil {
		t.Fatal(err)
	}
	p := made(8)
	none.Apply(p, 8, 1, [32]byte{})
	if none.String() != "" || !bytes.Equal(p, made(8)) {
		t.Error("the zero value does something")
	}
}

func TestSelect(t *testing.T) {
	for _, tt := range []struct {
		word        string
		first, last Corruption
		n           int
	}{
		{"fog:3", Corruption{"fog", 3}, Corruption{"fog", 3}, 1},
		{"fog", Corruption{"fog", 1}, Corruption{"fog", 5}, 5},
		{"all", Corruption{"gaussian_noise", 1}, Corruption{"jpeg_compression", 5}, 75},
		{"all:2", Corruption{"gaussian_noise", 2}, Corruption{"jpeg_compression", 2}, 15},
		{"none", Corruption{}, Corruption{}, 1},
	} {
		got, err := Select(tt.word)
		if err != nil || len(got) != tt.n || got[0] != tt.first || got[tt.n-1] != tt.last {
			t.Errorf("%s: have %v and %v, want %d from %s to %s", tt.word, got, err, tt.n, tt.first, tt.last)
		}
	}
	for _, word := range []string{"", "rain", "fog:9", "all:0", "fog:03", "none:1"} {
		if got, err := Select(word); err == nil || got != nil {
			t.Errorf("%q: have %v and %v, want an error", word, got, err)
		}
	}
}

func TestSelectAll(t *testing.T) {
	got, err := SelectAll([]string{"none", "fog:3", "snow"})
	if err != nil || len(got) != 7 || got[0] != (Corruption{}) || got[1] != (Corruption{"fog", 3}) || got[6] != (Corruption{"snow", 5}) {
		t.Errorf("have %v and %v", got, err)
	}
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"fog:3", "fog"}, "fog:3 is given twice"},
		{[]string{"none", "none"}, "none is given twice"},
		{[]string{"fog:3", "rain"}, `corruption "rain"`},
	} {
		if got, err := SelectAll(tt.words); err == nil || got != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: have %v and %v, want %q", tt.words, got, err, tt.want)
		}
	}
}

// TestFunctions compares what is computed here with the library.
func TestFunctions(t *testing.T) {
	near := func(name string, x, got, want float64) {
		if math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
			t.Errorf("%s(%v): got %v, want %v", name, x, got, want)
		}
	}
	for i := -200; i <= 200; i++ {
		x := float64(i) / 64
		sin, cos := sincos(x)
		near("sin", x, sin, math.Sin(x))
		near("cos", x, cos, math.Cos(x))
		near("exp", x, exp(x), math.Exp(x))
		if x > 0 {
			near("ln", x, ln(x), math.Log(x))
			near("ln", x*1e-9, ln(x*1e-9), math.Log(x*1e-9))
		}
	}
	if got := exp(-700); got < 0.9e-304 || got > 1.1e-304 {
		t.Errorf("exp(-700): got %v", got)
	}
}

// TestDraws holds moments of the distributions to their five sigma.
func TestDraws(t *testing.T) {
	const n = 200_000
	r := newRandom(3)
	var sum, squares, beyond float64
	for range n {
		v := r.normal()
		sum, squares = sum+v, squares+v*v
		if v > 1.96 {
			beyond++
		}
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 5/math.Sqrt(n) || math.Abs(variance-1) > 5*math.Sqrt2/math.Sqrt(n) {
		t.Errorf("normal: mean %v, variance %v", mean, variance)
	}
	if share := beyond / n; math.Abs(share-.025) > 5*math.Sqrt(.025/n) {
		t.Errorf("normal: %v beyond 1.96", share)
	}
	for _, mean := range []float64{0, .02, 3, 60} {
		table := poisson(mean)
		if last := table[len(table)-1]; math.Abs(last-1) > 1e-12 {
			t.Errorf("poisson of %v: probabilities sum to %v", mean, last)
		}
		expected, before := 0.0, 0.0
		for k, p := range table {
			expected, before = expected+float64(k)*(p-before), p
		}
		if math.Abs(expected-mean) > 1e-9 {
			t.Errorf("poisson of %v: mean %v", mean, expected)
		}
	}
}

// TestKnown holds what has one answer to it.
func TestKnown(t *testing.T) {
	flat := func(c Corruption, level byte) []byte {
		p := bytes.Repeat([]byte{level}, 3*64*64)
		c.Apply(p, 64, 1, [32]byte{})
		return p
	}
	for _, tt := range []struct {
		c        Corruption
		in, want byte
	}{
		{Corruption{"brightness", 2}, 100, 151},
		{Corruption{"brightness", 5}, 0, 127},
		{Corruption{"pixelate", 5}, 77, 77},
		{Corruption{"motion_blur", 5}, 77, 77},
	} {
		if got := flat(tt.c, tt.in); got[0] != tt.want || got[len(got)-1] != tt.want {
			t.Errorf("%s of %d: have %d, want %d", tt.c, tt.in, got[0], tt.want)
		}
	}
	p := []byte{0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255}
	Corruption{"contrast", 1}.Apply(p, 2, 1, [32]byte{}) // the mean is 127.5, of the difference 0.4 stays
	if want := []byte{76, 76, 76, 178, 178, 178}; !bytes.Equal(p[:6], want) {
		t.Errorf("contrast: have %v, want %v", p[:6], want)
	}
	for _, size := range []int{5, 6} {
		for i := -12; i < 12; i++ {
			if m, r := mirrored(i, size), reflected(i, size); m < 0 || m >= size || r < 0 || r >= size {
				t.Fatalf("size %d: pixel %d is %d and %d", size, i, m, r)
			}
		}
	}
	if mirrored(-1, 5) != 1 || mirrored(5, 5) != 3 || reflected(-1, 5) != 0 || reflected(5, 5) != 4 {
		t.Error("edges: want …1 0 1… and …0 0 1…")
	}
}

// TestPictures writes what each corruption makes of an image into $ZOO_PICTURES, to be looked at.
func TestPictures(t *testing.T) {
	dir := os.Getenv("ZOO_PICTURES")
	if dir == "" {
		t.Skip("no folder in $ZOO_PICTURES")
	}
	const size = 224
	m := image.NewRGBA(image.Rect(0, 0, size*Severities, size*len(kinds)))
	for row, name := range Names() {
		for s := range Severities {
			p := applied(Corruption{name, s + 1}, size, 1)
			for i := range size * size {
				at := m.PixOffset(size*s+i%size, size*row+i/size)
				copy(m.Pix[at:], p[3*i:3*i+3])
				m.Pix[at+3] = 255
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, "corruptions.png"))
	if err == nil {
		err = png.Encode(f, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}
