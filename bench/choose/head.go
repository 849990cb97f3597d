package choose

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
	"zoobench/datasets/preprocess"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// What a head may be given.
const (
	fromFeatures = "features"
	fromLogits   = "logits"
)

// headForm marks a head's file.
const headForm = "zoobench head 1"

// A Head turns a network's features, or its logits, into scores of a task's classes: scores = Weight·x + Bias.
type Head struct {
	Network string            `json:"network"`
	SHA256  string            `json:"weights_sha256"` // of the checkpoint that it belongs to
	Section string            `json:"weights_section,omitempty"`
	File    string            `json:"weights_file"` // the checkpoint's base name
	Input   string            `json:"input"`        // "features" or "logits"
	Classes []string          `json:"classes"`
	Recipe  preprocess.Recipe `json:"recipe"`
	Score   heads.Score       `json:"score"` // by cross-validation

	// Of a network in int8: the hash of its numbers, and the base name of their file, which lies beside the head's.
	Numbers     string `json:"numbers,omitempty"`
	NumbersFile string `json:"numbers_file,omitempty"` // with its folder once the head is loaded

	Weight []float32 `json:"-"` // (classes, inputs)
	Bias   []float32 `json:"-"` // (classes)
}

// Save writes the head as safetensors: weight and bias, and the rest as metadata. The numbers of a network in int8 go into a file
// beside it.
func (h *Head) Save(path string) error {
	of := *h
	if h.NumbersFile != "" {
		of.NumbersFile = strings.TrimSuffix(filepath.Base(path), headSuffix) + numbersSuffix
		if err := copyFile(h.NumbersFile, filepath.Join(filepath.Dir(path), of.NumbersFile)); err != nil {
			return fmt.Errorf("choose: numbers in int8: %w", err)
		}
	}
	about, err := json.Marshal(of)
	if err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	k := len(h.Classes)
	return weights.WriteFile(path, []weights.Named{
		{Name: "weight", Shape: []int{k, len(h.Weight) / k}, Data: h.Weight},
		{Name: "bias", Shape: []int{k}, Data: h.Bias},
	}, map[string]string{"format": headForm, "head": string(about)})
}

// copyFile copies a file.
func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return record.Replace(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// numbersSuffix ends the names of the files of numbers in int8 beside heads.
const numbersSuffix = ".int8.safetensors"

// headSuffix ends the names of heads' files.
const headSuffix = ".head.safetensors"

// LoadHead reads a head that Save wrote, a file or the only one in a folder. The error names the file and what is wrong with it.
func LoadHead(path string) (*Head, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		found, err := filepath.Glob(filepath.Join(path, "*"+headSuffix))
		if err != nil || len(found) != 1 {
			return nil, fmt.Errorf("choose: %s: have %d heads, want one: name its file", path, len(found))
		}
		path = found[0]
	}
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fail := func(format string, args ...any) (*Head, error) {
		return nil, fmt.Errorf("choose: %s: %w", filepath.Base(path), fmt.Errorf(format, args...))
	}
	meta := f.Metadata()
	if meta["format"] != headForm {
		return fail("not a head: format %q, want %q", meta["format"], headForm)
	}
	var h Head
	if err := json.Unmarshal([]byte(meta["head"]), &h); err != nil {
		return fail("head: %w", err)
	}
	if len(h.Classes) < 2 || h.Input != fromFeatures && h.Input != fromLogits {
		return fail("%d classes from %q, want at least 2 from features or logits", len(h.Classes), h.Input)
	}
	err = weights.Guard(f, func() error {
		for _, t := range []struct {
			name string
			into *[]float32
			dims int
		}{{"weight", &h.Weight, 2}, {"bias", &h.Bias, 1}} {
			tensor, ok := f.Lookup(t.name)
			if !ok {
				return fmt.Errorf("no tensor %s", t.name)
			}
			if len(tensor.Shape) != t.dims || tensor.Shape[0] != len(h.Classes) {
				return fmt.Errorf("%s: shape %v, want %d dimensions and %d classes", t.name, tensor.Shape, t.dims, len(h.Classes))
			}
			v, err := f.Float32(t.name)
			if err != nil {
				return err
			}
			*t.into = slices.Clone(v)
		}
		return nil
	})
	if err != nil {
		return fail("%w", err)
	}
	if h.NumbersFile != "" {
		h.NumbersFile = filepath.Join(filepath.Dir(path), filepath.Base(h.NumbersFile))
	}
	return &h, nil
}

// Fits says why a head is not this network's, nil if it is.
func (h *Head) Fits(n features.Backbone) error {
	if h.Network != n.Network {
		return fmt.Errorf("choose: the head is for %s, have %s", h.Network, n.Network)
	}
	if h.SHA256 != n.SHA256 {
		return fmt.Errorf("choose: the head is for %s with SHA-256 %s, have %s with %s", h.File, digits(h.SHA256), n.File, digits(n.SHA256))
	}
	if h.Numbers != n.Numbers {
		return fmt.Errorf("choose: the head was made with %s, have %s", numbersText(h.Numbers), numbersText(n.Numbers))
	}
	if h.Section != n.Section {
		return fmt.Errorf("choose: the head is for section %q of %s, have %q", h.Section, h.File, n.Section)
	}
	want := n.Features
	if h.Input == fromLogits {
		want = n.Logits
	}
	if have := len(h.Weight) / len(h.Classes); have != want {
		return fmt.Errorf("choose: the head takes %d %s, %s has %d", have, h.Input, n.Name, want)
	}
	if h.Recipe != n.Recipe {
		return errors.New("choose: the head was made with another preprocessing; use the checkpoint's own, without preprocessing flags")
	}
	return nil
}

// numbersText says by which numbers a network runs.
func numbersText(sum string) string {
	if sum == "" {
		return "the network not in int8"
	}
	return "the numbers in int8 " + digits(sum)
}

// Graph is a network's graph with the head in place of its classifier, or behind it.
func (h *Head) Graph(g *nn.Graph) (*nn.Graph, error) {
	return features.Classify(g, h.Input == fromLogits, len(h.Classes))
}

// Over is the parameters of Graph: the head's own beside a source's, whose list of tensors stays as it is.
func (h *Head) Over(src weights.Source) weights.Source {
	return headed{src, map[string][]float32{features.HeadWeight: h.Weight, features.HeadBias: h.Bias}}
}

// headed is a source and parameters of a head's own.
type headed struct {
	weights.Source
	own map[string][]float32
}

func (s headed) Float32(name string) ([]float32, error) {
	if v, ok := s.own[name]; ok {
		return v, nil
	}
	return s.Source.Float32(name)
}

func (s headed) Read(name string, first int, dst []float32) error {
	v, ok := s.own[name]
	if !ok {
		return s.Source.Read(name, first, dst)
	}
	if first < 0 || first > len(v) || len(dst) > len(v)-first {
		return fmt.Errorf("choose: %s: elements %d to %d of %d", name, first, first+len(dst), len(v))
	}
	copy(dst, v[first:])
	return nil
}

func (s headed) Release(name string) {
	if s.own[name] == nil {
		s.Source.Release(name)
	}
}

// digits are the first of a hash.
func digits(sha256 string) string { return sha256[:min(8, len(sha256))] }

// Scores are the classes' scores for one image, from what features.Extractor.Run wrote for it.
func (h *Head) Scores(n *features.Extractor, outputs []float32) []float32 {
	x := outputs[:n.Features]
	if h.Input == fromLogits {
		x = outputs[n.Features:n.Outputs()]
	}
	scores := make([]float32, len(h.Classes))
	for c := range scores {
		sum := float64(h.Bias[c])
		for j, w := range h.Weight[c*len(x) : (c+1)*len(x)] {
			sum += float64(w) * float64(x[j])
		}
		scores[c] = float32(sum)
	}
	return scores
}

// selection is a head that takes some of the logits as they are.
func selection(classes []int, logits int) (weight, bias []float32) {
	weight, bias = make([]float32, len(classes)*logits), make([]float32, len(classes))
	for i, class := range classes {
		weight[i*logits+class] = 1
	}
	return weight, bias
}
