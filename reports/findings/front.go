package findings

import (
	"fmt"

	"zoobench/bench/record"
)

// minRivals is the fewest other networks that a front is drawn of.
const minRivals = 5

// front is the claim that EfficientNet is on the Pareto front of accuracy against a cost. The cost is counted at the
// size of the evaluation, or it is the latency where count is nil.
func front(id, what string, count func(*record.Cost) int64, text func(int64) string) Claim {
	needs := fmt.Sprintf("measured top-1 of an EfficientNet and of %d other networks on the same images, and the graphs", minRivals)
	if count == nil {
		needs = "measured top-1, and latency at the same size, " +
			fmt.Sprintf("of an EfficientNet and of %d other networks on the same images, and the graphs", minRivals)
	}
	return Claim{
		ID: id, Tier: Judged,
		Text:     "EfficientNet is on the Pareto front of accuracy against " + what + ", each network at its own input size.",
		Source:   "EfficientNet, arXiv:1905.11946, figures 1 and 5",
		Needs:    needs,
		Confirms: "no other network is as cheap as a measured EfficientNet and more accurate, and no interval leaves that open",
		Refutes:  "another is as cheap as one of them and more accurate, and the intervals leave no doubt",
		Note:     "EfficientNet v2 is from another paper and is one of the others. Checkpoints of any training data take part, on both sides.",
		test:     func(e *evidence) Result { return onFront(e, what, count, text) },
	}
}

// A point is an evaluation with its cost, whose interval is the figure itself where it is counted.
type point struct {
	*record.Record
	cost span
	text string
}

// asCheap is whether a costs no more than b.
func asCheap(a, b point) answer {
	switch {
	case a.cost.hi <= b.cost.lo:
		return yes
	case a.cost.lo > b.cost.hi:
		return no
	}
	return unclear
}

// points are the evaluations at their checkpoints' own sizes whose cost at that size is known.
func (e *evidence) points(count func(*record.Cost) int64, text func(int64) string) (efficient, others []point) {
	for _, name := range sortedKeys(e.judged) {
		r := e.judged[name][0]
		n, timed := e.networks[r.Model], e.single[r.Model]
		if n == nil || !e.ownSize(r) {
			continue
		}
		p := point{Record: r}
		switch {
		case count != nil && r.Cost != nil:
			v := count(r.Cost)
			p.cost, p.text = span{float64(v), float64(v), float64(v)}, text(v)
		case count == nil && timed != nil && timed.ImgSize == r.ImgSize:
			p.cost, p.text = span{float64(timed.P50), float64(timed.P50Lo), float64(timed.P50Hi)}, milliseconds(timed)
		default:
			continue
		}
		if n.Family == "efficientnet" {
			efficient = append(efficient, p)
		} else {
			others = append(others, p)
		}
	}
	return efficient, others
}

func onFront(e *evidence, what string, count func(*record.Cost) int64, text func(int64) string) Result {
	t := tally{heads: []string{"checkpoint", "px", what, "top-1", "nearest rival", "px", what, "points ahead", "test"}}
	efficient, others := e.points(count, text)
	if len(efficient) == 0 {
		need := "top-1 of an EfficientNet at its own input size"
		if count == nil {
			need += ", and its latency at that size"
		}
		t.lacks.add("%s", need)
		t.lacks.add("the same of %d other networks", minRivals)
	}
	for _, p := range efficient {
		a, cells := yes, []string{"–", "–", "–", "–", "–"}
		ahead := 0.0
		rivals := map[string]bool{}
		for _, o := range others {
			if !sameImages(o.Record, p.Record) {
				continue
			}
			rivals[o.Model] = true
			g, _ := e.gain(o.Record, p.Record, &t.lacks)
			beats := both(asCheap(o, p), g.above0())
			// The most accurate one is shown of those that beat it, or, if there is none, of those that may.
			if beats == no || a == no && beats == unclear {
				continue
			}
			if worse := opposite(beats); worse != a || g.mid > ahead {
				a, ahead = worse, g.mid
				cells = []string{o.Name(), px(o.Record), o.text, g.String(), g.test()}
			}
		}
		if len(rivals) < minRivals {
			t.lacks.add("%d other networks to compare %s with, have %d", minRivals, p.Name(), len(rivals))
			continue
		}
		t.add(a, append([]string{p.Name(), px(p.Record), p.text, top1(p.Record)}, cells...)...)
	}
	return t.result(true, "")
}
