// Package golden reads, for the tests of datasets and the packages below it,
// the images of datasets/testdata/preprocess and what Pillow and torchvision
// make of them.
//
// The contract: the files are read with the standard library alone, so that no
// code under test stands on both sides of a comparison, and a set that is
// absent is said to be absent, or fails the test where REQUIRE_DATA=1.
//
// It leaves the comparing to the tests.
package golden

import (
	"bytes"
	"encoding/json"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"zoobench/internal/testenv"
)

// An Index is a folder's list of images.
type Index struct {
	Recipes map[string]struct {
		Resize, Crop int    // in pixels
		Filter       string // as torchvision names it
	}
	Images []Image
}

// An Image is one file and where its goldens are, relative to the folder.
type Image struct {
	File          string
	Width, Height int
	Decoded       string            // lossless RGB of the whole image; "" where none is kept
	Want          map[string]string // recipe to lossless RGB of the crop
}

// Made is the folder of made images that lies in the repository.
func Made() string { return filepath.Join(root(), "datasets", "testdata", "preprocess") }

// Folders is Made and the larger set that holds photographs too: the folder
// ZOO_PREPROCESS, by default ../shared/preprocess from the module's root.
func Folders(t testing.TB) []string {
	t.Helper()
	if full := Outside(t, "ZOO_PREPROCESS", "preprocess"); full != "" {
		return []string{Made(), full}
	}
	return []string{Made()}
}

// Outside is a folder beside the repository, named by the environment variable
// or else ../shared/name from the module's root; "" with a note in the test's
// log where it is absent, which fails the test where REQUIRE_DATA=1.
func Outside(t testing.TB, variable, name string) string {
	t.Helper()
	folder := os.Getenv(variable)
	if folder == "" {
		folder = filepath.Join(root(), "..", "shared", name)
	}
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	if testenv.Required() {
		t.Fatalf("%s is absent: set %s", folder, variable)
	}
	t.Logf("%s is absent: set %s to test against it", folder, variable)
	return ""
}

// root is the module's root: the nearest folder with a go.mod, from the folder
// of the package under test upwards, where go test runs it.
func root() string {
	up := "."
	for range 8 {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			break
		}
		up = filepath.Join("..", up)
	}
	return up
}

// Read reads a folder's index. Where the goldens named are of another size than
// the image they are left out, with a note: two images of the larger set
// share their names, and the goldens are of the later one.
func Read(t testing.TB, folder string) Index {
	t.Helper()
	var index Index
	if err := json.Unmarshal(File(t, folder, "index.json"), &index); err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	for i := range index.Images {
		p := &index.Images[i]
		if p.Decoded == "" {
			continue
		}
		c, err := png.DecodeConfig(bytes.NewReader(File(t, folder, p.Decoded)))
		if err != nil {
			t.Fatalf("%s: %v", p.Decoded, err)
		}
		if c.Width != p.Width || c.Height != p.Height {
			t.Logf("%s: %s is of another image", p.File, p.Decoded)
			p.Decoded, p.Want = "", nil
		}
	}
	return index
}

// File reads a file.
func File(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// RGB reads a lossless image: pixels of shape (height, width, 3).
func RGB(t testing.TB, path ...string) (pix []byte, width, height int) {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(File(t, path...)))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return pix, b.Dx(), b.Dy()
}

// Photograph is the file of a 500×375 photograph where the larger set is
// present, else of a made image.
func Photograph(t testing.TB) []byte {
	t.Helper()
	folders := Folders(t)
	if len(folders) > 1 {
		return File(t, folders[1], "in", "photo_n02363005_beaver.jpg")
	}
	return File(t, folders[0], "in", "s420_progressive.jpg")
}

// Counts are the samples of a comparison by their distance, in levels.
type Counts struct {
	Equal, OffByOne, More int
	Worst                 int
}

// Compare counts the samples of got by their distance from want's.
func (c *Counts) Compare(got, want []byte) {
	for i, g := range got {
		d := max(int(g)-int(want[i]), int(want[i])-int(g))
		switch d {
		case 0:
			c.Equal++
		case 1:
			c.OffByOne++
		default:
			c.More++
		}
		c.Worst = max(c.Worst, d)
	}
}

// Add adds another comparison's counts.
func (c *Counts) Add(other Counts) {
	c.Equal += other.Equal
	c.OffByOne += other.OffByOne
	c.More += other.More
	c.Worst = max(c.Worst, other.Worst)
}
