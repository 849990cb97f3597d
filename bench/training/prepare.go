package training

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/datasets/augment"
	"zoobench/datasets/preprocess"
	"zoobench/internal/recipe"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/weights"
)

// run is a job under way.
type run struct {
	Job
	ready   *runner.Ready // the network as its checkpoint has it
	recipe  recipe.Recipe
	seed    uint64
	classes []string
	about   runner.Trained // of the result

	graph      *nn.Graph // for training, of the images' classes
	bare       *nn.Graph // for inference: the result's parameters
	frozen     []bool    // by parameter
	classifier int       // the node that tells classes apart

	learn, held datasets.Source
	single      []int // classes of one image
	batches     *batches

	net   *train.Network
	state *state
}

func (r *run) close() {
	if r.net != nil {
		r.net.Close()
	}
	r.ready.Close()
}

// prepare reads, builds and checks everything that comes before the first step.
func prepare(job Job) (*run, error) {
	if err := job.check(); err != nil {
		return nil, err
	}
	r := &run{Job: job, classes: job.Images.Classes}
	if len(r.classes) < 2 {
		return nil, fmt.Errorf("training: %s: %d classes, want at least 2: a folder of images for each", job.Images.Root(), len(r.classes))
	}
	var err error
	if r.ready, err = runner.Describe(job.List, job.Task); err != nil {
		return nil, err
	}
	if err := r.build(); err != nil {
		r.ready.Close()
		return nil, err
	}
	return r, nil
}

func (r *run) build() error {
	spec := r.ready.Spec
	bound, err := r.ready.Parameters()
	if err != nil {
		return err
	}
	scratch := bound == nil
	r.about = runner.Trained{
		Network: spec.Name, Library: r.ready.Naming, FromScratch: scratch || r.ready.Trained != nil && r.ready.Trained.FromScratch,
		Classes: r.classes, Recipe: r.ready.Recipe,
	}
	c := nn.Config{Size: r.about.Recipe.Size, Classes: len(r.classes), Library: r.about.Library, FromScratch: r.about.FromScratch}
	if r.bare, err = spec.GraphWith(c); err != nil {
		return err
	}
	c.Training = true
	if r.graph, err = spec.GraphWith(c); err != nil {
		return err
	}
	if r.classifier = train.Classifier(r.graph); r.classifier < 0 {
		return fmt.Errorf("training: %s: no classifier", spec.Name)
	}
	if r.frozen, err = frozen(r.graph, r.Freeze); err != nil {
		return err
	}
	if err := r.choose(scratch); err != nil {
		return err
	}
	if err := r.divide(); err != nil {
		return err
	}
	if r.recipe.NoDropout {
		for i := range r.graph.Nodes {
			r.graph.Nodes[i].Drop = 0
		}
	}
	p := r.recipe.Augment
	p.Size, p.Interpolation = r.about.Recipe.Size, preprocess.Filter(r.about.Recipe.Interpolation)
	p.Mean, p.Std, p.BGR = r.about.Recipe.Mean, r.about.Recipe.Std, r.about.Recipe.BGR
	if r.batches, err = newBatches(r.learn, r.recipe.Batch, p, r.seed, r.Threads); err != nil {
		return err
	}
	return r.enough()
}

// divide says which images are learned from, and which show how well the network does.
func (r *run) divide() (err error) {
	if r.Test != nil {
		r.learn, r.held = datasets.Subset(r.Images, r.Items), datasets.Subset(r.Images, r.Test)
		return nil
	}
	counts := make([]int, len(r.classes))
	for i := range r.Images.Len() {
		if labels := r.Images.Item(i).Labels; len(labels) == 1 && labels[0] >= 0 && labels[0] < len(counts) {
			counts[labels[0]]++
		}
	}
	if i := slices.Index(counts, 0); i >= 0 {
		return fmt.Errorf("training: %s: class %s has no image: add some, or remove its folder", r.Images.Root(), r.classes[i])
	}
	if r.learn, r.held, r.single, err = datasets.Divide(r.Images, len(r.classes), r.HeldOut, r.seed); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	if r.Held != nil {
		r.held = datasets.Sample(r.Held, heldImages, 0)
		if !slices.Equal(r.Held.Classes, r.classes) {
			return fmt.Errorf("training: %s has the classes %.80q, and the images to learn from, %s, have %.80q: want the same", r.Held.Root(),
				r.Held.Classes, r.Images.Root(), r.classes)
		}
	}
	if r.Learn > 0 && r.Learn < len(r.classes) {
		return fmt.Errorf("training: %d images of %d classes, want at least one of each", r.Learn, len(r.classes))
	}
	r.learn = datasets.Sample(r.learn, r.Learn, r.seed)
	return nil
}

// heldImages is how many other images at most are evaluated after each epoch.
const heldImages = 1000

// choose is the recipe that fits the network and the images, with the job's changes.
func (r *run) choose(scratch bool) error {
	attention := slices.ContainsFunc(r.graph.Nodes, func(n nn.Node) bool { return n.Op == nn.Attention || n.Op == nn.LayerNorm })
	n := int(float64(r.Images.Len()) * (1 - r.HeldOut))
	if r.Learn > 0 {
		n = min(n, r.Learn)
	}
	if r.Test != nil {
		n = len(r.Items)
	}
	size := min(max(n/10, 8), 128) // ten steps an epoch at least
	if scratch {
		r.recipe = recipe.Standard(size, attention)
	} else {
		r.recipe = recipe.FineTuning(min(size, 32), n)
	}
	r.recipe.Augment = recipe.Augmented(r.about.Recipe.Size)
	if r.Adapt != nil {
		var err error
		if r.recipe, err = r.Adapt(r.recipe); err != nil {
			return err
		}
	}
	if err := r.recipe.Check(); err != nil {
		return err
	}
	if len(r.recipe.Seeds) != 1 {
		return fmt.Errorf("training: %d seeds, want one: a run each", len(r.recipe.Seeds))
	}
	if r.recipe.Augment != (augment.Policy{}) && r.recipe.Augment.Pad > r.about.Recipe.Size {
		return fmt.Errorf("training: pad %d, want 0 to the input size, %d", r.recipe.Augment.Pad, r.about.Recipe.Size)
	}
	r.seed = r.recipe.Seeds[0]
	return nil
}

// frozen finds the parameters that patterns name. A pattern that names none is an error.
func frozen(g *nn.Graph, patterns []string) ([]bool, error) {
	names, all := make([]bool, len(g.Params)), true
	for _, pattern := range patterns {
		found := false
		for i, p := range g.Params {
			match, err := matches(pattern, p.Name)
			if err != nil {
				return nil, fmt.Errorf("training: freeze: pattern %q: %w", pattern, err)
			}
			if match {
				names[i], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("training: freeze: no parameter of %s matches %q; its first is %s", g.Name, pattern, g.Params[0].Name)
		}
	}
	for i, p := range g.Params {
		all = all && (names[i] || p.Kind != nn.Learned)
	}
	if all {
		return nil, errors.New("training: freeze: every parameter stays as it is, want at least one that learns")
	}
	return names, nil
}

// matches reports whether a pattern is a parameter's name, or that of a scope above it.
func matches(pattern, name string) (bool, error) {
	for at := 0; ; {
		dot := strings.IndexByte(name[at:], '.')
		if dot < 0 {
			return path.Match(pattern, name)
		}
		at += dot
		if match, err := path.Match(pattern, name[:at]); match || err != nil {
			return match, err
		}
		at++
	}
}

// start is the weights that the run begins with: the checkpoint's as far as they fit, as a classifier of other classes' does
// not, and drawn by the seed beyond.
func (r *run) start() (train.Weights, error) {
	bound, err := r.ready.Parameters()
	s := &start{bound: bound, drawn: train.Initial(r.graph, r.seed), graph: r.graph}
	if own := r.ready.Trained; own != nil && !slices.Equal(own.Classes, r.classes) {
		c := &r.graph.Nodes[r.classifier]
		s.others = []int{c.Weight, c.Bias}
	}
	return s, err
}

type start struct {
	bound  *weights.Bound // nil for none
	drawn  train.Weights
	graph  *nn.Graph
	others []int // parameters that are of other classes in the checkpoint
}

func (s *start) Float32(name string) ([]float32, error) {
	drawn, err := s.drawn.Float32(name)
	if s.bound == nil || err != nil {
		return drawn, err
	}
	if t, known := s.bound.Lookup(name); known {
		i := slices.IndexFunc(s.graph.Params, func(p nn.Param) bool { return p.Name == name })
		if slices.Equal(t.Shape, s.graph.Params[i].Shape) && !slices.Contains(s.others, i) {
			return s.bound.Float32(name)
		}
	}
	return drawn, nil
}

func (s *start) Release(name string) {
	if s.bound != nil {
		s.bound.Release(name)
	}
}

// identity is a hash of all that the bits of the run depend on.
func (r *run) identity() (string, error) {
	h := sha256.New()
	err := json.NewEncoder(h).Encode(struct {
		Network, Library, Start string
		Preprocessing           zoo.Recipe
		Recipe                  recipe.Recipe
		Classes, Freeze         []string
		HeldOut                 float64
		Learn                   int
	}{r.about.Network, r.about.Library, r.ready.SHA256, r.about.Recipe, r.recipe.Identity(), r.classes, r.Freeze, r.HeldOut, r.Learn})
	if err != nil {
		return "", fmt.Errorf("training: %w", err)
	}
	sources := []datasets.Source{r.Images, r.held}
	if r.Test != nil {
		sources = append(sources, r.learn)
	}
	for _, src := range sources {
		for i := range src.Len() {
			item := src.Item(i)
			fmt.Fprintf(h, "%s\x00%d\x00", item.Name, item.Labels)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
