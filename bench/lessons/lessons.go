// Package lessons holds what networks learned in a controlled study, compactly: which network, by which recipe, from which
// seed, what became of each image of the test part, and how the loss fell.
//
// The contract: a Lesson is complete in itself, so that claims about training are tested on lessons alone, whether they come
// from a run on this machine or with the program. Two lessons can be compared image by image where their Answers name the same
// Images; the order of images is that of their names. A file is JSON, a lesson a line, compressed; what is malformed is an
// error with its line, before any lesson is returned.
//
// Study is the lessons that the program contains, which zoobench ship writes.
//
// It leaves training to bench/training, running to bench/runner, and what lessons show to reports/findings. Which networks learn
// by which recipes is study.yaml's.
package lessons

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
)

// StudyFile is the name of the file of Study's lessons, in this package's folder.
const StudyFile = "study.jsonl.gz"

//go:embed study.jsonl.gz
var study []byte

// Study is the lessons of the study that the program contains; none where a build has none.
func Study() []Lesson { return readStudy() }

var readStudy = sync.OnceValue(func() []Lesson {
	all, err := Read(bytes.NewReader(study))
	if err != nil {
		panic(err) // the file is a part of the program; a test reads it
	}
	return all
})

// A Lesson is what one network learned by one recipe from one seed.
type Lesson struct {
	Network string  `json:"network"`
	Recipe  string  `json:"recipe"` // its name in the study
	Seed    uint64  `json:"seed"`
	Data    string  `json:"data"`            // the set, as shapes
	Images  int     `json:"images"`          // number of images learned from
	Epochs  int     `json:"epochs"`          // in all
	Classes int     `json:"classes"`         // number of them
	Test    Answers `json:"test"`            // to images that it did not learn from
	Seen    float64 `json:"seen"`            // top-1 in percent on the images that it learned from, as they are, at the end
	Curve   []Point `json:"curve,omitempty"` // an epoch a point

	RecipeSHA256 string `json:"recipe_sha256,omitempty"`
	SHA256       string `json:"sha256,omitempty"`  // of the checkpoint
	Program      string `json:"program,omitempty"` // that trained it
}

// Answers are what a trained network made of images.
type Answers struct {
	Images string `json:"images"` // hash of the images and their labels
	Ranks  string `json:"ranks"`  // a digit an image: the place of the right class among the best five, 0 for none
}

// A Point is an epoch of a learning curve.
type Point struct {
	Loss     float64 `json:"loss"`               // mean over the epoch's steps
	Gradient float64 `json:"gradient,omitempty"` // norm of the gradient of the first layer's weights, mean over the epoch's steps
}

// Top is how many answers have the right class among the best n, of 1 to 5.
func (a *Answers) Top(n int) (right int) {
	for _, rank := range a.Ranks {
		if rank != '0' && int(rank-'0') <= n {
			right++
		}
	}
	return right
}

// check names the first thing that is wrong.
func (l *Lesson) check() error {
	switch {
	case l.Network == "" || l.Recipe == "" || l.Data == "":
		return fmt.Errorf("network %q, recipe %q, data %q: want all three", l.Network, l.Recipe, l.Data)
	case l.Images < 1 || l.Epochs < 1 || l.Classes < 2:
		return fmt.Errorf("%d images, %d epochs, %d classes: want at least 1, 1 and 2", l.Images, l.Epochs, l.Classes)
	}
	if a := &l.Test; a.Images == "" || a.Ranks == "" || strings.Trim(a.Ranks, "012345") != "" {
		return fmt.Errorf("answers: images %q, %d ranks: want a hash, and digits from 0 to 5", a.Images, len(a.Ranks))
	}
	if !(l.Seen >= 0 && l.Seen <= 100) {
		return fmt.Errorf("%v %% right of the images that it learned from: want 0 to 100", l.Seen)
	}
	for i, p := range l.Curve {
		if math.IsNaN(p.Loss) || math.IsInf(p.Loss, 0) || !(p.Gradient >= 0) || math.IsInf(p.Gradient, 0) {
			return fmt.Errorf("epoch %d: loss %v, gradient %v: want finite numbers", i+1, p.Loss, p.Gradient)
		}
	}
	return nil
}

// Write writes lessons as a file.
func Write(w io.Writer, all []Lesson) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("lessons: %w", err)
	}
	lines := json.NewEncoder(z)
	for i := range all {
		if err := all[i].check(); err != nil {
			return fmt.Errorf("lessons: %s by %s: %w", all[i].Network, all[i].Recipe, err)
		}
		if err := lines.Encode(&all[i]); err != nil {
			return fmt.Errorf("lessons: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("lessons: %w", err)
	}
	return nil
}

// maxFile is the most that a file may hold once it is read: a hundred times what a study of 200 lessons takes.
const maxFile = 256 << 20

// Read reads a file.
func Read(r io.Reader) (all []Lesson, err error) {
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("lessons: %w", err)
	}
	lines := json.NewDecoder(io.LimitReader(z, maxFile))
	lines.DisallowUnknownFields()
	for {
		var l Lesson
		switch err := lines.Decode(&l); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("lessons: line %d: %w", len(all)+1, err)
		}
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("lessons: line %d: %w", len(all)+1, err)
		}
		all = append(all, l)
	}
}
