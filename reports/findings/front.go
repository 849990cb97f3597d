package findings

import (
	"fmt"

	"zoobench/bench/record"
)

const (
	// minRivals is the fewest other networks that a front is drawn of.
	minRivals = 5
	// beforeEfficientNet is the last year of the networks that its paper could compare with.
	beforeEfficientNet = 2018
)

// front is the claim that EfficientNet is on the Pareto front of accuracy against a cost, which is counted at the size of the
// evaluation, among the networks of its time.
func front(id, what, figure string, count func(*record.Cost) int64, text func(int64) string) Claim {
	const counts = "; p, corrected for all comparisons of the claim, is below 0.05"
	return Claim{
		ID: id, Theme: Scaling,
		Text: "Among the networks published before it, EfficientNet is on the Pareto front of accuracy against " + what +
			", each network at its own input size.",
		Source: "EfficientNet, arXiv:1905.11946, " + figure,
		Needs: fmt.Sprintf("measured top-1 of an EfficientNet and of %d networks published by %d, on the same images, and the graphs",
			minRivals, beforeEfficientNet),
		Confirms:  "each measured EfficientNet is more accurate than every other network that is as cheap" + counts,
		Refutes:   "one that is as cheap is more accurate than an EfficientNet" + counts,
		Published: "B0 to B7: 77.1, 79.1, 80.1, 81.6, 82.9, 83.6, 84.0 and 84.3 % (table 2)",
		Note: "As in the paper, all weights were trained on ImageNet-1k alone, and recipes differ (EfficientNet's is in " +
			"section 5.2). Some weights are of later recipes: the verdict is about these weights, not about the networks alone.",
		test: func(e *evidence) Result { return onFront(e, what, count, text) },
	}
}

// sayNearest gives one clause to the comparisons of a network that is ahead of several as cheap ones: it is about the nearest.
func sayNearest(all []comparison, p point, cheap []point) {
	near := 0
	for i := range all {
		if all[i].claims == no {
			return
		}
		if all[i].shown.mid < all[near].shown.mid {
			near = i
		}
	}
	if len(all) > 1 {
		all[near].says = fmt.Sprintf("%s was at least %.2f points more accurate than each of %d that cost no more, of which %s came nearest",
			p.Name(), all[near].shown.mid, len(all), cheap[near].Name())
	}
}

// A point is an evaluation with its cost.
type point struct {
	*record.Record
	cost int64
}

// points are the evaluations, at their checkpoints' own sizes, of weights from ImageNet-1k alone.
func (e *evidence) points(count func(*record.Cost) int64) (efficient, others []point) {
	for _, name := range sortedKeys(e.judged) {
		r := e.judged[name][0]
		n := e.networks[r.Model]
		if n == nil || r.Cost == nil || !e.ownSize(r) || moreImages(r.Checkpoint) {
			continue
		}
		switch p := (point{r, count(r.Cost)}); {
		case n.Family == "efficientnet":
			efficient = append(efficient, p)
		case n.Year <= beforeEfficientNet:
			others = append(others, p)
		}
	}
	return efficient, others
}

func onFront(e *evidence, what string, count func(*record.Cost) int64, text func(int64) string) Result {
	t := tally{
		heads: []string{"checkpoint", "px", what, "top-1", "as cheap", "px", what, "points ahead", "test"},
		plot:  Plot{What: "points of top-1 that EfficientNet has more than a network that is as cheap", Marks: []float64{0}},
	}
	efficient, others := e.points(count)
	if len(efficient) == 0 {
		t.lacks.add("top-1 of an EfficientNet at its own input size")
		t.lacks.add("the same of %d networks published by %d", minRivals, beforeEfficientNet)
	}
	for _, p := range efficient {
		rivals := map[string]bool{}
		var cheap []point
		for _, o := range others {
			if !sameImages(o.Record, p.Record) {
				continue
			}
			rivals[o.Model] = true
			if o.cost <= p.cost {
				cheap = append(cheap, o)
			}
		}
		if len(rivals) < minRivals {
			t.lacks.add("%d networks published by %d to compare %s with, have %d", minRivals, beforeEfficientNet, p.Name(), len(rivals))
			continue
		}
		own := []string{p.Name(), px(p.Record), text(p.cost), top1(p.Record)}
		if len(cheap) == 0 {
			t.fact(true, "no other network is as cheap as "+p.Name(), append(own, "–", "–", "–", "–", "–")...)
		}
		first := len(t.all)
		for _, o := range cheap {
			g, _ := e.gain(p.Record, o.Record, &t.lacks)
			claims, value := g.above(0)
			c := comparison{
				cells: append(own[:4:4], o.Name(), px(o.Record), text(o.cost), g.String(), g.test),
				name:  p.Name() + " over " + o.Name(), shown: g.span, claims: claims, p: value,
			}
			if claims == no || len(cheap) == 1 {
				c.says = ahead(p.Name(), o.Name(), g.mid) + ", which is as cheap"
			}
			t.add(c)
		}
		sayNearest(t.all[first:], p, cheap)
	}
	return t.result(true, "")
}
