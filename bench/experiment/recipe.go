package experiment

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"zoobench/datasets/augment"
	"zoobench/internal/recipe"
)

// maxNumber is the largest number that a recipe takes where it sets no limit of its own.
const maxNumber = 1e6

// LoadRecipe reads a recipe of training from the file at path: a mapping "train". What it leaves out is base's.
func LoadRecipe(path string, base recipe.Recipe) (recipe.Recipe, error) {
	f, err := os.Open(path)
	if err != nil {
		return base, fmt.Errorf("experiment: %w", err)
	}
	defer f.Close()
	return ParseRecipe(path, f, base)
}

// ParseRecipe reads a recipe of training from r. Path names the file in errors; one that concerns the text is [Errors].
func ParseRecipe(path string, r io.Reader, base recipe.Recipe) (recipe.Recipe, error) {
	doc, err := document(path, r, `"train"`)
	if err != nil {
		return base, err
	}
	p := parser{decoder: decoder{file: path}, dir: filepath.Dir(path)}
	if p.cycles(doc, map[*yaml.Node]bool{}); len(p.errs) == 0 {
		p.mapping(doc.Content[0], "file", []key{{"train", true, func(n *yaml.Node) { base = p.recipe(n, base) }}})
	}
	return base, p.err()
}

// recipe reads a recipe over what base says.
func (p *parser) recipe(n *yaml.Node, base recipe.Recipe) recipe.Recipe {
	r := base
	before := len(p.errs)
	p.mapping(n, "train", append(p.recipeKeys(n, &r), key{"augment", false, func(n *yaml.Node) { p.augment(n, &r.Augment) }}))
	if len(p.errs) == before {
		p.checkRecipe(n, r)
	}
	return r
}

// recipeKeys are the keys of a recipe but for augment, over what it says already. An optimizer or a schedule of another kind than
// the recipe's starts from that kind's own usual values.
func (p *parser) recipeKeys(n *yaml.Node, r *recipe.Recipe) []key {
	o, s, l := &r.Optimizer, &r.Schedule, &r.Labels
	if kind := recipe.OptimizerKind(value(n, "optimizer")); kind != "" && kind != o.Kind {
		*o = recipe.Usual(kind)
	}
	if kind := recipe.ScheduleKind(value(n, "schedule")); kind != "" && kind != s.Kind {
		*s = recipe.Schedule{Kind: kind, Rate: s.Rate, Warmup: s.Warmup}
		if kind == recipe.Step {
			s.Factor = 0.1
		}
	}
	share := func(name string, to *float64) key {
		return key{name, false, func(n *yaml.Node) { p.number(n, name, 0, 1, to) }}
	}
	amount := func(name string, to *float64) key {
		return key{name, false, func(n *yaml.Node) { p.number(n, name, 0, maxNumber, to) }}
	}
	var word string
	return []key{
		{"epochs", false, func(n *yaml.Node) { p.whole(n, "epochs", 1, recipe.MaxEpochs, &r.Epochs) }},
		{"batch", false, func(n *yaml.Node) { p.whole(n, "batch", 1, recipe.MaxBatch, &r.Batch) }},
		{"seeds", false, func(n *yaml.Node) { r.Seeds = p.seeds(n) }},
		{"head_epochs", false, func(n *yaml.Node) { p.whole(n, "head_epochs", 0, recipe.MaxEpochs, &r.HeadEpochs) }},
		amount("head_learning_rate", &r.HeadRate), share("lower_rate", &r.LowerRate),
		{"optimizer", false, func(n *yaml.Node) {
			p.word(n, "optimizer", []string{string(recipe.SGD), string(recipe.AdamW)}, &word)
		}},
		share("momentum", &o.Momentum),
		{"nesterov", false, func(n *yaml.Node) { p.boolean(n, "nesterov", &o.Nesterov) }},
		share("beta1", &o.Beta1), share("beta2", &o.Beta2), share("epsilon", &o.Eps), share("weight_decay", &o.Decay),
		{"schedule", false, func(n *yaml.Node) {
			p.word(n, "schedule", []string{string(recipe.Constant), string(recipe.Cosine), string(recipe.Step)}, &word)
		}},
		amount("learning_rate", &s.Rate), share("warmup", &s.Warmup), amount("least_learning_rate", &s.Least),
		{"drops", false, func(n *yaml.Node) { s.Drops = p.numbers(n, "drops", 0, 1) }},
		share("drop_factor", &s.Factor),
		share("label_smoothing", &l.Smoothing), amount("mixup", &l.Mixup), amount("cutmix", &l.CutMix),
		share("average", &r.Average), amount("clip", &r.Clip),
		{"dropout", false, func(n *yaml.Node) {
			drops := !r.NoDropout
			p.boolean(n, "dropout", &drops)
			r.NoDropout = !drops
		}},
		{"checkpointing", false, func(n *yaml.Node) { p.boolean(n, "checkpointing", &r.Checkpointing) }},
	}
}

// augment reads how images are varied over what to says.
func (p *parser) augment(n *yaml.Node, to *augment.Policy) {
	share := func(name string, to *float64) key {
		return key{name, false, func(n *yaml.Node) { p.number(n, name, 0, 1, to) }}
	}
	p.mapping(n, "augment", []key{
		{"pad", false, func(n *yaml.Node) { p.whole(n, "pad", 0, maxImgSize, &to.Pad) }},
		{"scale", false, func(n *yaml.Node) { p.pair(n, "scale", 1, &to.Scale) }},
		{"ratio", false, func(n *yaml.Node) { p.pair(n, "ratio", 100, &to.Ratio) }},
		share("flip", &to.Flip), share("erase", &to.Erase),
		share("brightness", &to.Jitter.Brightness), share("contrast", &to.Jitter.Contrast),
		share("saturation", &to.Jitter.Saturation), share("hue", &to.Jitter.Hue),
	})
}

// checkRecipe keeps an error where a recipe's keys contradict one another.
func (p *parser) checkRecipe(n *yaml.Node, r recipe.Recipe) {
	if err := r.Check(); err != nil {
		p.fail(n, "%s", strings.TrimPrefix(err.Error(), "train: "))
	}
}

// value is the text of a mapping's key, "" where it has none.
func value(n *yaml.Node, name string) string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// number reads a number from lo to hi.
func (d *decoder) number(n *yaml.Node, what string, lo, hi float64, to *float64) {
	s, ok := d.scalar(n, what, "a number", "!!int", "!!float")
	if !ok {
		return
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= lo && v <= hi) { // NaN is neither
		d.fail(n, "%s: have %s, want %g to %g", what, quote(s), lo, hi)
		return
	}
	*to = v
}

func (d *decoder) numbers(n *yaml.Node, what string, lo, hi float64) (values []float64) {
	d.list(n, what, func(n *yaml.Node) {
		var v float64
		d.number(n, what, lo, hi, &v)
		values = append(values, v)
	})
	return values
}

// pair reads two numbers up to hi.
func (d *decoder) pair(n *yaml.Node, what string, hi float64, to *[2]float64) {
	before := len(d.errs)
	values := d.numbers(n, what, 0, hi)
	if len(d.errs) > before {
		return
	}
	if len(values) != 2 {
		d.fail(n, "%s: have %d numbers, want 2, as [0.5, 1]", what, len(values))
		return
	}
	*to = [2]float64(values)
}

func (p *parser) seeds(n *yaml.Node) (seeds []uint64) {
	p.list(n, "seeds", func(n *yaml.Node) {
		var seed uint64
		p.seed(n, "seeds", &seed)
		seeds = axis(p, n, "seeds", seeds, seed)
	})
	return seeds
}
