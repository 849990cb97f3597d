// Package features computes what networks make of images and keeps it: it looks at a folder's images once, finds copies
// among them, and gives each network's features, what its classifier is given, beside its logits.
//
// The contract: features come from the engine and the preprocessing that are used everywhere, and from a graph with the
// same parameters and another output. What an image is, is its content: the store keeps records by SHA-256 under a name
// that has a hash of everything that they depend on, weights, preprocessing, instruction set and program, so that nothing
// stale is ever read. Several programs may use one store at a time. An image that cannot be read is an Image with the
// reason; a file that changes while it is being worked on is an error.
//
// It leaves what is learned from features to bench/choose/heads, and which networks and images to take to bench/choose.
package features

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"zoobench/bench/runner"
	"zoobench/datasets/corrupt"
	"zoobench/datasets/preprocess"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
)

// A Backbone is what a checkpoint gives to a head, and what it is known by.
type Backbone struct {
	Name     string // with the tag, "resnet50.tv_in1k"
	Network  string
	File     string // base name
	SHA256   string // of the file
	Section  string // of the file, "" where it has one alone
	Recipe   preprocess.Recipe
	Features int // what the classifier is given
	Logits   int
	Numbers  string // hash of the numbers in int8, "" in another precision
}

// Describe is the backbone that a network makes without its classifier, and the graph that gives its features, tapped.
func Describe(r *runner.Ready) (Backbone, *nn.Graph, error) {
	if err := r.Photographs(); err != nil {
		return Backbone{}, nil, err
	}
	tapped, features, err := Tap(r.Graph)
	return Backbone{Network: r.Spec.Name, Name: r.Name(), File: filepath.Base(r.File), SHA256: r.SHA256, Section: r.Taken.Part(),
		Recipe: r.Preprocessing(), Features: features, Logits: r.Graph.Classes}, tapped, err
}

// An Extractor is a checkpoint whose features can be had beside its logits.
type Extractor struct {
	Backbone
	network *runner.Network // of the tapped graph

	NumbersFile string // that keeps the numbers in int8, "" for none

	corruption corrupt.Corruption // of the images, zero for none
	seed       uint64             // of the corruption
	precision  string
}

// Open makes a task's network ready as the runner does, with its own preprocessing, and taps it. Algorithms are those of
// the kernels' table, so that features do not depend on what trials find.
func Open(list *zoo.List, t runner.Task) (*Extractor, error) {
	if t.Weights == "" {
		return nil, fmt.Errorf("features: %s: no checkpoint", t.Model)
	}
	r, err := runner.Describe(list, t)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	e := &Extractor{precision: t.Precision}
	if e.Backbone, r.Graph, err = Describe(r); err != nil {
		return nil, err
	}
	if e.network, err = r.Load(engine.Options{Threads: t.Threads, Batch: t.Batch, Exact: t.Exact, Precision: t.Precision}); err != nil {
		return nil, err
	}
	e.Backbone.Numbers, e.NumbersFile = r.Numbers()
	return e, nil
}

// Corrupted is the same network on images that a corruption drawn by a seed has worsened. It ends with the extractor that it is of.
func (e *Extractor) Corrupted(c corrupt.Corruption, seed uint64) *Extractor {
	other := *e
	other.corruption, other.seed = c, seed
	return &other
}

// Close ends the engine's workers.
func (e *Extractor) Close() { e.network.Close() }

// Outputs is the number of values that Run writes for one image: features, then logits.
func (e *Extractor) Outputs() int { return e.Features + e.Logits }

// Run computes features and logits of count images: src is (count, size, size, 3), dst (count, Outputs).
func (e *Extractor) Run(dst, src []float32, count int) { e.network.Engine.Run(dst, src, count) }

// Key is a hash of all that the network's outputs for an image depend on: weights, recipe, corruption, instruction set,
// precision and program.
func (e *Extractor) Key(build string) (string, error) {
	text, err := json.Marshal(struct {
		Form                        int
		Network, SHA256, ISA, Build string
		Recipe                      preprocess.Recipe
		Features, Logits            int
		Section                     string `json:",omitempty"`
		Corruption                  string `json:",omitempty"`
		Seed                        uint64 `json:",omitempty"`
		Precision                   string `json:",omitempty"`
		Numbers                     string `json:",omitempty"`
	}{form, e.Network, e.SHA256, kernels.ISA(), build, e.Recipe, e.Features, e.Logits, e.Section, e.corruption.String(), e.seed, e.precision,
		e.Numbers})
	if err != nil {
		return "", fmt.Errorf("features: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
