package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/reports/text"
)

// validation is what records call ILSVRC-2012's validation set, of which published accuracies are unless they say
// otherwise.
const validation = "imagenet-1k validation"

// onSet names the images of a published figure, " on ImageNetV2"; "" where they are the validation set.
func onSet(dataset string) string {
	switch {
	case dataset == "" || dataset == validation:
		return ""
	case strings.HasPrefix(dataset, "imagenetv2"):
		return " on ImageNetV2"
	}
	return " on " + text.Shorten(clean(dataset), 24)
}

// top1Digits is how many decimals an accuracy on so many images has.
func top1Digits(images int) int {
	if images >= 10_000 {
		return 2
	}
	return 1
}

// measuredOver identifies the images of a row's measured accuracy, with the classes among which answers were chosen, and names
// both; "" where there is no accuracy.
func measuredOver(r *row) (id, name string) {
	a, why := r.top1()
	if why != "" {
		return "", ""
	}
	name = plural(a.Images, "image")
	if d := clean(r.eval.Dataset); d != "" {
		name += " of " + text.Shorten(d, 40)
	}
	id = cmp.Or(clean(r.eval.DatasetSHA256), name)
	if among := clean(r.eval.Answers); among != "" {
		id, name = id+" among "+among, name+" among "+among
	}
	if worsened := clean(r.eval.RanWith().Corruption); worsened != "" {
		id, name = id+" with "+worsened, name+" with "+worsened
	}
	return id, name
}

// publishedOver is measuredOver for a row's published accuracy.
func publishedOver(r *row) (id, name string) {
	p := r.published()
	if p == nil {
		return "", ""
	}
	name = cmp.Or(clean(p.Dataset), "a set without a name")
	return name, name
}

// oneSet returns the rows whose accuracies may share a plot, and the rows without one. They share the set of images
// on which the most networks have an accuracy, of equal sets the first. It names these images, and says in a note
// which networks it left out.
func oneSet(rows []row, over func(*row) (id, name string)) (some []row, images, note string) {
	type set struct {
		id, name string
		models   map[string]bool
		rows     []string // names, each once
	}
	var sets []*set
	for i := range rows {
		id, name := over(&rows[i])
		if id == "" {
			continue
		}
		at := slices.IndexFunc(sets, func(s *set) bool { return s.id == id })
		if at < 0 {
			at = len(sets)
			sets = append(sets, &set{id: id, name: name, models: map[string]bool{}})
		}
		s := sets[at]
		s.models[rows[i].model()] = true
		if n := rows[i].name(); !slices.Contains(s.rows, n) {
			s.rows = append(s.rows, n)
		}
	}
	if len(sets) == 0 {
		return rows, "", ""
	}
	best := slices.MaxFunc(sets, func(a, b *set) int { return cmp.Compare(len(a.models), len(b.models)) })
	for i := range rows {
		if id, _ := over(&rows[i]); id == "" || id == best.id {
			some = append(some, rows[i])
		}
	}
	var out []string
	for _, s := range sets {
		if s == best {
			continue
		}
		if s.name == best.name {
			s.name += fmt.Sprintf(", SHA-256 %.8s", s.id)
		}
		out = append(out, fmt.Sprintf("%s (%s)", list(s.rows, 8), s.name))
	}
	if len(out) > 0 {
		note = "Left out, because their accuracy comes from other images: " + list(out, 4) + "."
	}
	return some, best.name, note
}
