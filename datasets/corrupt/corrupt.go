// Package corrupt worsens images as ImageNet-C does: fifteen corruptions of five severities each (Hendrycks & Dietterich
// 2019, arXiv:1903.12261), computed anew on each image.
//
// The contract: formulas and constants are the paper's and its published code's, applied to a network's square crop of bytes,
// after resizing and before normalisation. The same bytes, size, corruption and seed give the same bytes on every machine:
// random numbers, logarithms and exponentials are computed here, and no product is fused with a sum. What is computed is not
// the published set of files: the random draws are others, frost is drawn by code where ImageNet-C takes photographs, linear
// interpolation is exact where OpenCV's has five bits, and no image is saved as a JPEG of quality 85 at the end. Constants in
// pixels are meant for crops of 224 and are the same at other sizes.
//
// It leaves decoding, resizing and the crop to datasets/preprocess, and what accuracies mean to whoever measures them.
package corrupt

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severities is how many there are of each corruption; they are numbered from 1.
const Severities = 5

// A Corruption is one of the fifteen at one severity. The zero value leaves images as they are.
type Corruption struct {
	Name     string
	Severity int // 1 to Severities
}

// kinds are the corruptions in the paper's order.
var kinds = []struct {
	name  string
	apply func(c *canvas, severity int, r *random)
}{
	{"gaussian_noise", gaussianNoise},
	{"shot_noise", shotNoise},
	{"impulse_noise", impulseNoise},
	{"defocus_blur", defocusBlur},
	{"glass_blur", glassBlur},
	{"motion_blur", motionBlur},
	{"zoom_blur", zoomBlur},
	{"snow", snow},
	{"frost", frost},
	{"fog", fog},
	{"brightness", brightness},
	{"contrast", contrast},
	{"elastic_transform", elasticTransform},
	{"pixelate", pixelate},
	{"jpeg_compression", jpegCompression},
}

// Names are the corruptions' names, in the paper's order.
func Names() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Words that Select knows besides the corruptions' names.
const (
	None = "none" // images as they are
	All  = "all"  // the fifteen
)

// Select returns the corruptions that a word selects: NAME:SEVERITY is one, NAME its five severities, and All stands for every
// name. None is the zero value. An error lists what there is.
func Select(word string) (some []Corruption, err error) {
	name, severity, one := strings.Cut(word, ":")
	names := []string{name}
	switch {
	case word == None:
		return []Corruption{{}}, nil
	case name == All:
		names = Names()
	case !slices.Contains(Names(), name):
		return nil, fmt.Errorf("unknown corruption %.40q, want %s, or NAME:SEVERITY with the name %s or one of %s", word, None, All,
			strings.Join(Names(), ", "))
	}
	for _, name := range names {
		for s := range Severities {
			if !one || severity == strconv.Itoa(s+1) {
				some = append(some, Corruption{name, s + 1})
			}
		}
	}
	if some == nil {
		return nil, fmt.Errorf("severity %.20q of %s, want 1 to %d, as in %s:3", severity, name, Severities, name)
	}
	return some, nil
}

// SelectAll returns the corruptions that some words select, in their order. One that two words select is an error.
func SelectAll(words []string) (all []Corruption, err error) {
	for _, word := range words {
		some, err := Select(word)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			if slices.Contains(all, c) {
				return nil, fmt.Errorf("%s is given twice", c.Word())
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// Parse reads one corruption: NAME:SEVERITY or None.
func Parse(text string) (Corruption, error) {
	some, err := Select(text)
	if err == nil && len(some) > 1 {
		err = fmt.Errorf("%s is %d corruptions, want one, as in %s:3", text, len(some), some[0].Name)
	}
	if err != nil {
		return Corruption{}, err
	}
	return some[0], nil
}

// String is NAME:SEVERITY, "" for the zero value.
func (c Corruption) String() string {
	if c.Name == "" {
		return ""
	}
	return c.Name + ":" + strconv.Itoa(c.Severity)
}

// Word is String, and None for the zero value: what Parse reads.
func (c Corruption) Word() string { return cmp.Or(c.String(), None) }

// Source says whose the corrupted images are that Apply makes of crops of a size by a seed.
func Source(size int, seed uint64) string {
	return fmt.Sprintf("computed by zoobench on the crop of %d pixels with seed %d; these are not ImageNet-C's published files", size, seed)
}

// Apply worsens a square image of RGB bytes, of shape (size, size, 3), in place. The draws depend on the seed, the image's
// own key, such as the hash of its file, and the corruption's name: severities share them. A length that does not fit and a
// corruption that Parse refuses are panics.
func (c Corruption) Apply(pixels []byte, size int, seed uint64, key [32]byte) {
	if c.Name == "" {
		return
	}
	at := slices.Index(Names(), c.Name)
	if len(pixels) != 3*size*size || size < 1 || at < 0 || c.Severity < 1 || c.Severity > Severities {
		panic("corrupt: want 3·size² bytes and a known corruption")
	}
	r := newRandom(seed, binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:16]), uint64(at))
	kinds[at].apply(&canvas{pixels, size}, c.Severity, r)
}

// Change returns what Apply does by a seed, nil where the corruption leaves images as they are.
func (c Corruption) Change(seed uint64) func(pixels []byte, size int, key [32]byte) {
	if c.Name == "" {
		return nil
	}
	return func(pixels []byte, size int, key [32]byte) { c.Apply(pixels, size, seed, key) }
}

// A canvas is a square image of RGB bytes.
type canvas struct {
	pixels []byte // (size, size, 3)
	size   int
}

// floats returns the levels from 0 to 1.
func (c *canvas) floats() []float64 {
	x := make([]float64, len(c.pixels))
	for i, v := range c.pixels {
		x[i] = float64(v) / 255
	}
	return x
}

// set takes levels from 0 to 1, cuts what is beyond and rounds down, as the published code does.
func (c *canvas) set(x []float64) {
	for i, v := range x {
		c.pixels[i] = level(v)
	}
}

// level is a value from 0 to 1 as a byte, rounded down.
func level(v float64) byte { return byte(float64(clip(v) * 255)) }

func clip(v float64) float64 { return min(max(v, 0), 1) }

// mul is a product that no sum is fused with, so that all machines round alike.
func mul(a, b float64) float64 { return float64(a * b) }
