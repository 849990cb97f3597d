package findings

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// An extra is a further condition on the graphs of a pair: it returns what is wrong, as a clause, or nothing.
type extra func(a, b *Network) string

func cheaper(a, b *Network) string {
	if a.Params < b.Params && a.MACs < b.MACs {
		return ""
	}
	return fmt.Sprintf("%s does not have fewer parameters and MACs than %s", a.Name, b.Name)
}

func fewerMACs(a, b *Network) string {
	if a.MACs < b.MACs {
		return ""
	}
	return fmt.Sprintf("%s takes no fewer MACs than %s", a.Name, b.Name)
}

// ahead says how much more accurate a was than b, as a clause.
func ahead(a, b string, points float64) string {
	if points < 0 {
		return fmt.Sprintf("%s was %.2f points less accurate than %s", a, -points, b)
	}
	return fmt.Sprintf("%s was %.2f points more accurate than %s", a, points, b)
}

// gained says what a network gained, as a clause.
func gained(name string, points float64) string {
	if points < 0 {
		return fmt.Sprintf("%s lost %.2f points", name, -points)
	}
	return fmt.Sprintf("%s gained %.2f points", name, points)
}

func pointsPlot(marks ...float64) Plot {
	return Plot{What: "points of top-1 that the first has more than the second", Marks: marks}
}

func gainHeads() []string {
	return []string{"checkpoint", "px", "top-1", "compared with", "px", "top-1", "points gained", "images", "test"}
}

func gainCells(ra, rb *record.Record, g gap) []string {
	return []string{ra.Name(), px(ra), top1(ra), rb.Name(), px(rb), top1(rb), g.String(), fmt.Sprint(ra.Images), g.test}
}

// gains compares the top-1 of pairs of checkpoints, each as network.tag: the first is claimed to be more accurate.
func gains(names [][2]string, conditions ...extra) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: gainHeads(), plot: pointsPlot(0)}
		for _, p := range names {
			ra, rb := e.pair(p[0], p[1], &t.lacks)
			if ra == nil || rb == nil {
				continue
			}
			g, ok := e.gain(ra, rb, &t.lacks)
			if !ok {
				continue
			}
			claims, value := g.above(0)
			c := comparison{
				cells: gainCells(ra, rb, g), says: ahead(p[0], p[1], g.mid),
				name: p[0] + " over " + p[1], shown: g.span, claims: claims, p: value,
			}
			for _, wrong := range conditions {
				na, nb := e.network(ra.Model, &t.lacks), e.network(rb.Model, &t.lacks)
				if na == nil || nb == nil {
					continue
				}
				if text := wrong(na, nb); text != "" {
					c.claims, c.fact, c.says = no, true, text
				}
			}
			t.add(c)
		}
		return t.result(true, "")
	}
}

func inceptionResiduals(e *evidence) Result {
	t := tally{heads: gainHeads(), plot: pointsPlot(-1, 1)}
	a, b := e.pair("inception_resnet_v2.tf_in1k", "inception_v4.tf_in1k", &t.lacks)
	if a == nil || b == nil {
		return t.result(true, "")
	}
	if g, ok := e.gain(a, b, &t.lacks); ok {
		claims, value := g.within(-1, 1)
		t.add(comparison{
			cells: gainCells(a, b, g), says: ahead(a.Name(), b.Name(), g.mid),
			name: a.Name() + " over " + b.Name(), shown: g.span, claims: claims, p: value,
		})
	}
	return t.result(true, "")
}

// A training is a network with the tags of its weights without pre-training and with it.
type training struct{ model, before, after string }

func (e *evidence) change(t training, l *lacks) (c change, ok bool) {
	c.after, c.before = e.pair(t.model+"."+t.after, t.model+"."+t.before, l)
	return c, c.after != nil
}

// contrasts compares what two networks gain by pre-training, pair by pair: the first is claimed to gain more.
func contrasts(pairs [][2]training) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{
			heads: []string{"network", "points gained", "compared with", "points gained", "difference", "images", "test"},
			plot:  Plot{What: "points of top-1 that the first gains more than the second", Marks: []float64{0}},
		}
		for _, p := range pairs {
			a, okA := e.change(p[0], &t.lacks)
			b, okB := e.change(p[1], &t.lacks)
			if !okA || !okB {
				continue
			}
			g, ok := e.contrast(a, b, &t.lacks)
			if !ok {
				continue
			}
			own, others := a.after.Top1-a.before.Top1, b.after.Top1-b.before.Top1
			claims, value := g.above(0)
			t.add(comparison{
				cells: []string{p[0].model, fmt.Sprintf("%+.2f", own), p[1].model, fmt.Sprintf("%+.2f", others), g.String(),
					fmt.Sprint(a.after.Images), g.test},
				says: gained(p[0].model, own) + " by pre-training, and " + gained(p[1].model, others),
				name: p[0].model + " over " + p[1].model, shown: g.span, claims: claims, p: value,
			})
		}
		return t.result(true, "")
	}
}

func sortedKeys(m map[string][]*record.Record) []string { return slices.Sorted(maps.Keys(m)) }

// moreImages reports whether a checkpoint's tag names training on more than ImageNet-1k's images, in timm's words or
// torchvision's, or by a network that saw more.
func moreImages(tag string) bool {
	return slices.ContainsFunc(strings.Split(strings.ToLower(tag), "_"), func(word string) bool {
		switch word {
		case "ft", "ssl", "swsl", "wsl", "swag", "seer", "jft", "openai", "distilled", "teacher":
			return true
		}
		sets := []string{"in12k", "in21k", "in22k", "ig", "yfcc", "laion"}
		return slices.ContainsFunc(sets, func(set string) bool { return strings.HasPrefix(word, set) })
	})
}

// recipeOf names a checkpoint's training: timm's copies of torchvision's weights are of the same.
func recipeOf(tag string) string {
	switch tag {
	case "IMAGENET1K_V1":
		return "tv_in1k"
	case "IMAGENET1K_V2":
		return "tv2_in1k"
	}
	return tag
}

func recipeSpread(e *evidence) Result {
	t := tally{heads: gainHeads(), plot: pointsPlot(0)}
	big, first := e.pair("resnet152.tv_in1k", "resnet50.tv_in1k", &t.lacks)
	if big == nil || first == nil {
		t.lacks.add("top-1 of resnet50 under two more recipes, at the same size")
		return t.result(true, "")
	}
	var all []*record.Record
	recipes := map[string]bool{}
	for _, name := range sortedKeys(e.judged) {
		r := e.accuracyAt(name, big.ImgSize)
		if r == nil || r.Model != "resnet50" || r.Checkpoint == "" || moreImages(r.Checkpoint) || !sameImages(r, big) {
			continue
		}
		all = append(all, r)
		recipes[recipeOf(r.Checkpoint)] = true
	}
	if !recipes["tv_in1k"] || len(recipes) < 3 {
		t.lacks.add("top-1 of resnet50 under three recipes, tv_in1k among them, on the images of %s at %d px, have %d",
			big.Name(), big.ImgSize, len(recipes))
		return t.result(true, "")
	}
	best, worst := all[0], all[0]
	for _, r := range all {
		if r.Top1 > best.Top1 {
			best = r
		}
		if r.Top1 < worst.Top1 {
			worst = r
		}
		g, _ := e.gain(r, big, &t.lacks)
		claims, value := g.above(0)
		t.add(comparison{
			cells: gainCells(r, big, g), name: r.Name() + " over " + big.Name(), shown: g.span, claims: claims, p: value, of: "recipes",
		})
	}
	return t.result(true, fmt.Sprintf("resnet50 reached %.2f %% (%s) to %.2f %% (%s): recipes differ by %.1f points; %s reached %.2f %%.",
		worst.Top1, worst.Checkpoint, best.Top1, best.Checkpoint, best.Top1-worst.Top1, big.Name(), big.Top1))
}

func senet154(e *evidence) Result {
	var l lacks
	r := e.accuracy("legacy_senet154.in1k", &l)
	if r == nil {
		l.add("the ensemble and the challenge's test set, which are not public")
		return Result{Verdict: Untestable, Missing: l}
	}
	return Result{
		Verdict: Described, Summary: fmt.Sprintf("One network of the ensemble alone: %.2f %% top-5 error on %d images.", 100-r.Top5, r.Images),
		Heads: []string{"checkpoint", "px", "top-1", "top-5 error"},
		Plot: Plot{What: "top-5 error (%)", Marks: []float64{2.251},
			Estimates: []Estimate{{r.Name(), 100 - r.Top5, 100 - r.Top5Hi, 100 - r.Top5Lo, "one network alone"}}},
		Rows: [][]string{{r.Name(), px(r), top1(r), fmt.Sprintf("%.2f %% [%.2f, %.2f]", 100-r.Top5, 100-r.Top5Hi, 100-r.Top5Lo)}},
	}
}
