// Package pocket is the trained weights that the program contains: of some small networks of the study, so that a machine without
// a network connection measures accuracies too.
//
// The contract: the folder study has a checkpoint in float16 for each network, and an index. Of each file the index says by which
// recipe, from which seed and by which program the network learned, from which images, its hash and that of the float32
// checkpoint that it was rounded from, and what both make of the test images. A build without weights has an index without
// rows. zoobench ship writes the folder; nobody edits it.
//
// It leaves reading checkpoints to zoo/weights, which network a file is of to zoo, and where it is put for others to read to
// bench/runner. The weights say nothing about ImageNet.
package pocket

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// Tag is that of the weights, as published checkpoints have one: pocket_resnet20.study.
const Tag = "study"

// Index is the name of the list in the folder.
const Index = "index.json"

// File is the name of a network's file in the folder.
func File(network string) string { return network + ".safetensors" }

// Weights are one network's.
type Weights struct {
	Network string `json:"network"`
	SHA256  string `json:"sha256"` // of the file here

	Recipe       string `json:"recipe"` // its name in the study
	RecipeSHA256 string `json:"recipe_sha256"`
	Seed         uint64 `json:"seed"`
	Epochs       int    `json:"epochs"`
	Images       int    `json:"n_images"` // that it learned from
	Data         string `json:"data"`     // set of these, and of the test images
	Program      string `json:"program"`  // that trained it
	From         string `json:"float32_sha256"`

	Test  Score `json:"test"` // of these weights on all test images
	Whole Score `json:"float32_test"`
	Part  Score `json:"part"` // of these weights on a part of the test images, for a test

	data func() ([]byte, error)
}

// A Score is how many of some test images a network finds right. The first images of a number are drawn as zoobench eval --limit
// draws them.
type Score struct {
	SHA256 string `json:"dataset_sha256"` // of the images and their labels
	Images int    `json:"n_images"`
	Top1   int    `json:"top1_images"`
	Top5   int    `json:"top5_images"`
}

// Top1Percent is the share of images whose best class is right.
func (s Score) Top1Percent() float64 { return 100 * float64(s.Top1) / float64(s.Images) }

// Bytes are those of the file.
func (w *Weights) Bytes() ([]byte, error) { return w.data() }

//go:embed study
var files embed.FS

// All are the weights of this build, in the order of the networks' costs; none where it has none.
func All() []Weights { return slices.Clone(built()) }

var built = sync.OnceValue(func() []Weights {
	folder, err := fs.Sub(files, "study")
	if err != nil {
		panic(err) // the name is a constant
	}
	all, err := Read(folder)
	if err != nil {
		panic(err) // the index is a part of the program; a test reads it
	}
	return all
})

// Read reads the index of a folder. A key that is not known, a network without a file or twice, and a score that can be none are
// errors.
func Read(folder fs.FS) (all []Weights, err error) {
	text, err := fs.ReadFile(folder, Index)
	if err != nil {
		return nil, fmt.Errorf("pocket: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("pocket: %s: %w", Index, err)
	}
	seen := map[string]bool{}
	for i := range all {
		w := &all[i]
		if err := w.check(); err != nil {
			return nil, fmt.Errorf("pocket: %s: %s: %w", Index, w.Network, err)
		}
		if seen[w.Network] {
			return nil, fmt.Errorf("pocket: %s: %s is there twice", Index, w.Network)
		}
		seen[w.Network] = true
		name := File(w.Network)
		if _, err := fs.Stat(folder, name); err != nil {
			return nil, fmt.Errorf("pocket: %s: %w", Index, err)
		}
		w.data = func() ([]byte, error) {
			data, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("pocket: %w", err)
			}
			return data, nil
		}
	}
	return all, nil
}

// check names the first thing that is wrong.
func (w *Weights) check() error {
	if w.Network == "" || w.Recipe == "" || w.Data == "" || len(w.SHA256) != 64 || len(w.From) != 64 {
		return fmt.Errorf("recipe %q, data %q, hashes %q and %q: want a network, all four, and 64 digits of a hash",
			w.Recipe, w.Data, w.SHA256, w.From)
	}
	for _, s := range []Score{w.Test, w.Whole, w.Part} {
		if s.Top1 < 0 || s.Top5 < s.Top1 || s.Images < max(1, s.Top5) {
			return fmt.Errorf("%d images, %d and %d of them right: want at least 1, and no more right by one answer than by five",
				s.Images, s.Top1, s.Top5)
		}
	}
	return nil
}
