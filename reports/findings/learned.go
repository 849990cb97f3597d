package findings

import (
	"maps"
	"math"
	"slices"
	"strings"

	"zoobench/bench/lessons"
	"zoobench/bench/stat"
)

// minSeeds is how many lessons of one network by one recipe it takes: fewer say next to nothing of what another seed would give.
const minSeeds = 3

// lacksLessons begins what is missing where a network has too few lessons.
const lacksLessons = "lessons"

// learned are the lessons of a network by a recipe, as network.recipe, by their seeds; nil where there are too few.
func (e *evidence) learned(name string, l *lacks) map[uint64]*lessons.Lesson {
	all := e.lessons[name]
	if len(all) < minSeeds {
		l.add(lacksLessons+" of %s", name)
		return nil
	}
	return all
}

// A figure is what a lesson comes to: a number for each of some images, or one number; nil where the lesson does not say.
type figure struct {
	what  string // lessons are compared in one figure or several
	lacks string // what a lesson without it lacks
	of    func(*lessons.Lesson) (values []float64, images string)
}

// right is 100 for each image of the test part whose best class is right, else 0: points of top-1.
var right = figure{"test", "answers", func(l *lessons.Lesson) (values []float64, images string) {
	values = make([]float64, len(l.Test.Ranks))
	for i := range values {
		if l.Test.Ranks[i] == '1' {
			values[i] = 100
		}
	}
	return values, l.Test.Images
}}

// seen is the top-1 on images that the network learned from. Each seed draws its own, so it is one figure a seed.
var seen = figure{"training", "top-1 in training", func(l *lessons.Lesson) ([]float64, string) { return []float64{l.Seen}, "" }}

// guessing is the loss of a network that takes each class for as likely as any other.
func guessing(classes int) float64 { return math.Log(float64(classes)) }

// epochsTo is in how many epochs the mean loss fell to a share of that of guessing, by a line between the epochs on both sides.
// A lesson that ends before counts as all of its epochs, which is less than the truth.
func epochsTo(share float64) figure {
	return figure{"epochs", "the learning curve", func(l *lessons.Lesson) ([]float64, string) {
		if len(l.Curve) == 0 {
			return nil, ""
		}
		want, before := share*guessing(l.Classes), guessing(l.Classes)
		for i, p := range l.Curve {
			if p.Loss <= want {
				return []float64{float64(i) + (before-want)/(before-p.Loss)}, ""
			}
			before = p.Loss
		}
		return []float64{float64(len(l.Curve))}, ""
	}}
}

// firstGradient is the logarithm of the norm of the first layer's gradient in the first epoch.
var firstGradient = figure{"gradient", "the first layer's gradient", func(l *lessons.Lesson) ([]float64, string) {
	if len(l.Curve) == 0 || l.Curve[0].Gradient <= 0 {
		return nil, ""
	}
	return []float64{math.Log(l.Curve[0].Gradient)}, ""
}}

// A term is a network's lessons by a recipe, as network.recipe, with their weight in a sum.
type term struct {
	weight float64
	name   string
	of     figure
}

// weigh is the mean over seeds, and over images where the figures have them, of a weighted sum of figures: of lessons from the
// same seeds, in one figure asked about the same images. Where recipes have one name, the set and the numbers of images and of
// epochs must be the same. It notes what is missing.
func (e *evidence) weigh(l *lacks, terms ...term) (estimate, bool) {
	all := make([]map[uint64]*lessons.Lesson, len(terms))
	for i, t := range terms {
		all[i] = e.learned(t.name, l)
	}
	if slices.ContainsFunc(all, func(m map[uint64]*lessons.Lesson) bool { return m == nil }) {
		return estimate{}, false
	}
	seeds := common(all)
	if len(seeds) < minSeeds {
		l.add("lessons of %s from the same %d seeds", names(terms), minSeeds)
		return estimate{}, false
	}
	tables := map[string][][]float64{} // by figure
	alike := map[string]any{}          // what must be the same, by figure or recipe
	same := func(key string, what any) bool {
		if alike[key] == nil {
			alike[key] = what
		}
		return alike[key] == what
	}
	for i, t := range terms {
		table := tables[t.of.what]
		if table == nil {
			table = make([][]float64, len(seeds))
			tables[t.of.what] = table
		}
		for k, seed := range seeds {
			lesson := all[i][seed]
			values, images := t.of.of(lesson)
			switch {
			case values == nil:
				l.add("%s of %s", t.of.lacks, t.name)
				return estimate{}, false
			case table[k] == nil:
				table[k] = make([]float64, len(values))
			}
			if !same(t.of.what, [2]any{images, len(values)}) {
				l.add("%s on the same images", names(terms))
				return estimate{}, false
			}
			if !same("by "+lesson.Recipe, [3]any{lesson.Data, lesson.Images, lesson.Epochs}) {
				l.add("%s from the same images, in as many epochs", names(terms))
				return estimate{}, false
			}
			for j, v := range values {
				table[k][j] += t.weight * v
			}
		}
	}
	var list [][][]float64
	for _, what := range slices.Sorted(maps.Keys(tables)) {
		list = append(list, tables[what])
	}
	c := stat.CrossMean(list...)
	lo, hi := c.Interval()
	return estimate{span{c.Mean, lo, hi}, c.P}, true
}

// common are the seeds that all lessons have, in order.
func common(all []map[uint64]*lessons.Lesson) (seeds []uint64) {
	for seed := range all[0] {
		if !slices.ContainsFunc(all, func(m map[uint64]*lessons.Lesson) bool { return m[seed] == nil }) {
			seeds = append(seeds, seed)
		}
	}
	slices.Sort(seeds)
	return seeds
}

// names names what a sum is of.
func names(terms []term) string {
	var all []string
	for _, t := range terms {
		if !slices.Contains(all, t.name) {
			all = append(all, t.name)
		}
	}
	return strings.Join(all, " and ")
}
