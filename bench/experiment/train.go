package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"zoobench/bench/record"
	"zoobench/internal/recipe"
)

// Training is what an experiment's networks learn: every network by every recipe, with every number of images and every seed.
type Training struct {
	Data    string // folder, archive or set
	Split   string
	HeldOut float64 // share of Data's images that is evaluated and never learned from; 0 where accuracy names other images
	Threads int     // 0 for all cores
	Recipes []Recipe
}

// A Recipe is one of the ways in which an experiment's networks learn, the values of its section filled in.
type Recipe struct {
	Name string // "" where the section has no list of recipes
	recipe.Recipe
	ClassRange [2]int // the classes from the first up to but not to the second, which alone are learned; zero for all
	Images     []int  // numbers of images, drawn evenly from the classes, that are learned from; 0 for all
	From       string // the recipe whose result is the start; "" for weights drawn by the seed
	Freeze     []string
	Varied     bool // whether the file says how images are varied; if not, the input size decides
}

// A Train is one training, of a job's network. Its fields decide the result's bits.
type Train struct {
	Recipe     recipe.Recipe // with one seed
	Name       string        `json:",omitzero"` // of the recipe
	Data       string
	Split      string   `json:",omitzero"`
	ClassRange [2]int   `json:",omitzero"`
	Images     int      `json:",omitzero"` // 0 for all
	HeldOut    float64  `json:",omitzero"`
	Freeze     []string `json:",omitzero"`
	Varied     bool     `json:",omitzero"`
	Start      string   `json:",omitzero"` // file of the checkpoint to begin with, as File has it

	Held *Accuracy `json:",omitzero"` // other images, that the learning curve is of; nil where some of Data are held out

	// Tag and File are the result's: what tells it from the network's others, and a file's name that two trainings share
	// if they are one.
	Tag  string
	File string
}

// Seed is that of everything random.
func (t *Train) Seed() uint64 { return t.Recipe.Seeds[0] }

// defaultHeldOut is the share of the images that is held out where nobody names others.
const defaultHeldOut = 0.2

// baseRecipe is what the section leaves out: the same for all networks, so that they learn under one recipe.
func baseRecipe() recipe.Recipe { return recipe.Standard(128, false) }

// training reads the section train.
func (p *parser) training(n *yaml.Node) *Training {
	t := &Training{}
	base := Recipe{Recipe: baseRecipe(), Images: []int{0}}
	var list *yaml.Node
	before := len(p.errs)
	p.mapping(n, "train", slices.Concat([]key{
		{"data", true, func(n *yaml.Node) { p.images(n, &t.Data) }},
		{"split", false, func(n *yaml.Node) { p.text(n, "split", &t.Split) }},
		{"held_out", false, func(n *yaml.Node) { p.positive(n, "held_out", 0.9, &t.HeldOut) }},
		{"threads", false, func(n *yaml.Node) { p.whole(n, "threads", 1, maxThreads, &t.Threads) }},
		{"recipes", false, func(n *yaml.Node) { list = n }},
	}, p.variantKeys(&base), p.recipeKeys(n, &base.Recipe)))
	if len(p.errs) == before {
		p.checkRecipe(n, base.Recipe)
	}
	if list == nil {
		if base.From != "" {
			p.fail(n, "train: from: have %s, want the name of one of its recipes, and there are none", quote(base.From))
		}
		t.Recipes = []Recipe{base}
		return t
	}
	p.list(list, "recipes", func(n *yaml.Node) {
		if r, ok := p.variant(n, base, t.Recipes); ok {
			t.Recipes = append(t.Recipes, r)
		}
	})
	return t
}

// variant reads one of the recipes over what all of them share, and reports whether it can be used.
func (p *parser) variant(n *yaml.Node, base Recipe, earlier []Recipe) (Recipe, bool) {
	r := base
	var at *yaml.Node
	before := len(p.errs)
	if !p.mapping(n, "recipe", slices.Concat([]key{
		{"name", true, func(n *yaml.Node) { at = n; p.name(n, &r.Name) }},
	}, p.variantKeys(&r), p.recipeKeys(n, &r.Recipe))) || len(p.errs) > before {
		return r, false
	}
	p.checkRecipe(n, r.Recipe)
	if len(earlier) == maxAxis {
		p.fail(n, "recipes: more than %d", maxAxis)
		return r, false
	}
	names := make([]string, len(earlier))
	for i, e := range earlier {
		names[i] = e.Name
	}
	if slices.Contains(names, r.Name) {
		p.fail(at, "recipe %q is given twice", r.Name)
		return r, false
	}
	if r.From == "" {
		return r, true
	}
	i := slices.Index(names, r.From)
	switch {
	case i < 0 && len(names) == 0:
		p.fail(n, "from: unknown recipe %s, want one that stands before it, and there is none", quote(r.From))
	case i < 0:
		p.fail(n, "from: unknown recipe %s, %s", quote(r.From), suggest(r.From, names))
	case len(earlier[i].Images) != 1:
		p.fail(n, "from: %s learns from %d numbers of images, want one, so that it has one result for a seed", quote(r.From),
			len(earlier[i].Images))
	case !contains(earlier[i].Seeds, r.Seeds):
		p.fail(n, "from: %s has the seeds %v, want those of this recipe among them, %v", quote(r.From), earlier[i].Seeds, r.Seeds)
	}
	return r, true
}

func contains(all, some []uint64) bool {
	return !slices.ContainsFunc(some, func(v uint64) bool { return !slices.Contains(all, v) })
}

// variantKeys are the keys beside a recipe's own in which trainings of one experiment may differ.
func (p *parser) variantKeys(r *Recipe) []key {
	return []key{
		{"classes", false, func(n *yaml.Node) { p.classRange(n, &r.ClassRange) }},
		{"images", false, func(n *yaml.Node) { r.Images = p.wholes(n, "images", 1, maxSamples) }},
		{"from", false, func(n *yaml.Node) { p.text(n, "from", &r.From) }},
		{"freeze", false, func(n *yaml.Node) {
			r.Freeze = nil
			p.list(n, "freeze", func(n *yaml.Node) {
				var pattern string
				if p.text(n, "freeze", &pattern) {
					r.Freeze = axis(p, n, "freeze", r.Freeze, pattern)
				}
			})
		}},
		{"augment", false, func(n *yaml.Node) {
			r.Varied = true
			p.augment(n, &r.Augment)
		}},
	}
}

// classRange reads classes as 0-49.
func (p *parser) classRange(n *yaml.Node, to *[2]int) {
	var text string
	if !p.text(n, "classes", &text) {
		return
	}
	first, last, ok := strings.Cut(text, "-")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(last)
	if !ok || errA != nil || errB != nil || a < 0 || b <= a || b >= maxSamples {
		p.fail(n, "classes: have %s, want the first and the last class of a range, as 0-49", quote(text))
		return
	}
	*to = [2]int{a, b + 1}
}

// complete decides what is evaluated where the section accuracy leaves that out: the set's own part for it, or images that
// are held out.
func (e *Experiment) complete(set func(string) bool) {
	t := e.Training
	if e.Accuracy == nil {
		e.Accuracy = &Accuracy{}
	}
	a := e.Accuracy
	isSet := set != nil && set(t.Data)
	if isSet && t.Split == "" && t.HeldOut == 0 {
		t.Split = "train"
	}
	if a.Data == "" {
		a.Data = t.Data
		if a.Split == "" && (!isSet || t.HeldOut > 0) {
			a.Split = t.Split
		}
	}
	if a.Data == t.Data && a.Split == t.Split && t.HeldOut == 0 {
		t.HeldOut = defaultHeldOut
	}
}

// trainings makes two jobs of each training: to train, and to evaluate the result.
func (e *Experiment) trainings() (jobs []Job) {
	for _, model := range e.Models {
		for _, size := range e.ImgSize {
			done := map[string]string{} // recipe and seed: the file of the result
			for i := range e.Training.Recipes {
				r := &e.Training.Recipes[i]
				for _, seed := range r.Seeds {
					for _, images := range r.Images {
						j := e.training(model, size, r, seed, images, done)
						done[fmt.Sprint(r.Name, " ", seed)] = j.Train.File
						jobs = append(jobs, j)
						jobs = append(jobs, e.evaluations(j)...)
					}
				}
			}
		}
	}
	return jobs
}

// training is the job to train one network.
func (e *Experiment) training(model string, size int, r *Recipe, seed uint64, images int, done map[string]string) Job {
	s := e.Training
	t := &Train{
		Recipe: r.Recipe, Name: r.Name, Data: s.Data, Split: s.Split, ClassRange: r.ClassRange, Images: images, HeldOut: s.HeldOut,
		Freeze: r.Freeze, Varied: r.Varied,
	}
	t.Recipe.Seeds = []uint64{seed}
	if s.HeldOut == 0 {
		a := e.evaluated(t)
		t.Held = &Accuracy{Data: a.Data, Labels: a.Labels, ClassMap: a.ClassMap, Split: a.Split, Ranks: a.Ranks, ClassRange: a.ClassRange}
	}
	if r.From != "" {
		t.Start = done[fmt.Sprint(r.From, " ", seed)]
	}
	var parts []string
	if r.Name != "" {
		parts = append(parts, r.Name)
	}
	if len(r.Images) > 1 {
		parts = append(parts, fmt.Sprintf("n%d", images))
	}
	if len(e.ImgSize) > 1 {
		parts = append(parts, fmt.Sprintf("%dpx", size))
	}
	t.Tag = strings.Join(append(parts, fmt.Sprintf("s%d", seed)), "-")
	t.File = fmt.Sprintf("%s.%s-%s.safetensors", model, t.Tag, t.identity(model, size))
	j := e.job(model)
	j.ImgSize, j.Threads, j.Processes, j.Train = size, s.Threads, 0, t
	return j
}

// evaluations are the jobs that evaluate what a job trains.
func (e *Experiment) evaluations(trained Job) (jobs []Job) {
	a := *e.evaluated(trained.Train)
	a.Checkpoints = []Checkpoint{{Network: trained.Model, Tag: trained.Train.Tag}}
	for _, precision := range e.Precision {
		for _, corruption := range e.corruptions() {
			j, of := trained, a
			j.Threads, j.Batch, j.Accuracy, j.Corruption, j.ImgSize = a.Threads, a.Batch, &of, corruption, 0
			j.Precision, j.Calibration = precision, e.calibrated(precision)
			if t := trained.Train; precision == record.Int8 && j.Calibration == nil {
				j.Calibration = &Calibration{
					Data: t.Data, Split: t.Split, Images: CalibrationImages, Ranks: true, ClassRange: t.ClassRange,
					HeldOut: t.HeldOut, HeldOutSeed: t.Seed(),
				}
			}
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// evaluated are the images that show how well a training did.
func (e *Experiment) evaluated(t *Train) *Accuracy {
	a := *e.Accuracy
	a.Corruption, a.Ranks, a.ClassRange = nil, true, t.ClassRange
	if t.HeldOut > 0 && a.Data == t.Data && a.Split == t.Split {
		a.HeldOut, a.HeldOutSeed = t.HeldOut, t.Seed()
	}
	return &a
}

// identity is a hash of all that a training's result depends on.
func (t *Train) identity(model string, size int) string {
	of := *t
	of.Name, of.Tag, of.File, of.Recipe = "", "", "", t.Recipe.Identity()
	text, err := json.Marshal(struct {
		Train
		Model string
		Size  int `json:",omitzero"`
	}{of, model, size})
	if err != nil {
		panic("experiment: a training is not JSON: " + err.Error()) // it has no float that the parser lets be NaN
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// CheckpointPath is where a training's result lies in a run's folder.
func CheckpointPath(file string) string { return filepath.Join("checkpoints", file) }
