package features

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"zoobench/datasets/preprocess"
	"zoobench/internal/testenv"
)

// grey is the tint of an image without colours.
func grey() []byte { return bytes.Repeat([]byte{128}, 2*tintSide*tintSide) }

// TestGroups joins images by way of others and leaves unreadable ones alone.
func TestGroups(t *testing.T) {
	thumb := func(level byte) []byte { return bytes.Repeat([]byte{level}, thumbSize*thumbSize) }
	of := func(hash uint64, level byte) Image {
		return Image{Fingerprint: Fingerprint{Hash: hash, Thumb: thumb(level), Tint: grey()}}
	}
	p := []Image{of(0, 100), of(0xff00ff00ff00ff00, 100), of(0x3f, 104), of(0xfff, 108), of(0, 200), {Err: "unreadable"}, {Err: "unreadable"}}
	for i := range p {
		p[i].SHA256 = string(rune('a' + i))
	}
	p = append(p, p[1])
	if got, want := Groups(p), []int{0, 1, 0, 0, 4, 5, 6, 1}; !slices.Equal(got, want) {
		t.Errorf("groups %v, want %v", got, want)
	}
}

// TestManyImages groups 100,000 images, some of them copies.
func TestManyImages(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	all := make([]Image, 100_000)
	for i := range all {
		thumb := make([]byte, thumbSize*thumbSize)
		for j := range thumb {
			thumb[j] = byte(rng.Uint32())
		}
		all[i].Fingerprint = Fingerprint{Hash: rng.Uint64(), Thumb: thumb, Tint: grey()}
		if i%1000 == 999 {
			all[i].Fingerprint = all[i-500].Fingerprint
			for range nearBits {
				all[i].Hash ^= 1 << rng.IntN(64)
			}
		}
		all[i].SHA256 = strconv.Itoa(i)
	}
	copies := 0
	for i, g := range Groups(all) {
		if g != i {
			copies++
			if g != i-500 {
				t.Errorf("image %d is in the group of %d", i, g)
			}
		}
	}
	if copies != 100 {
		t.Errorf("%d copies found, want 100", copies)
	}
}

// realFolder is the folder of photographs and checkpoints.
func realFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: not with -short")
	}
	return testenv.Real(t)
}

// TestPhotographs finds copies of photographs, scaled by a half and recompressed, and takes no two photographs for one.
func TestPhotographs(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(realFolder(t), "val", "*.JPEG"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d photographs: %v", len(paths), err)
	}
	if os.Getenv("ZOO_LONG") == "" {
		paths = paths[:min(300, len(paths))]
	}
	p, err := preprocess.New(fingerprintRecipe, preprocess.HWC)
	if err != nil {
		t.Fatal(err)
	}
	tensor := make([]float32, p.Len())
	var originals, all []Image
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.File(data, tensor); err != nil {
			t.Fatal(err)
		}
		originals = append(originals, Image{SHA256: path, Fingerprint: fingerprint(tensor)})
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		half := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx()/2, m.Bounds().Dy()/2))
		draw.CatmullRom.Scale(half, half.Bounds(), m, m.Bounds(), draw.Src, nil)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, half, &jpeg.Options{Quality: 50 + i%3*15}); err != nil {
			t.Fatal(err)
		}
		if err := p.File(b.Bytes(), tensor); err != nil {
			t.Fatal(err)
		}
		all = append(all, Image{SHA256: path + " copy", Fingerprint: fingerprint(tensor)})
	}
	joined := 0
	for i, g := range Groups(originals) {
		if g != i {
			joined++
			t.Logf("%s looks like %s", filepath.Base(paths[i]), filepath.Base(paths[g]))
		}
	}
	if joined > 0 {
		t.Errorf("%d of %d photographs are taken for others", joined, len(paths))
	}
	found := 0
	for i, g := range Groups(append(originals, all...))[len(originals):] {
		if g == i {
			found++
		} else {
			t.Logf("the copy of %s is not found", strings.TrimPrefix(filepath.Base(paths[i]), "ILSVRC2012_val_"))
		}
	}
	t.Logf("%d of %d copies found", found, len(paths))
	if found < len(paths)*99/100 {
		t.Errorf("%d of %d copies found, want 99 %%", found, len(paths))
	}
}
