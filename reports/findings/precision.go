package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// What a precision may cost, in points of top-1, and what it promises.
const (
	bf16Loss = 0.2
	int8Loss = 2.0 // Krishnamoorthi's
	// reached is the share of what an instruction set promises that counts as reaching it: layers that are not products stay.
	reached = 0.8
)

// promises are how many times as many products of a precision an instruction has as a multiply-add of float32.
var promises = map[string]float64{"bf16": 2, "int8": 4}

// precisionClaims are tested on rows of one network in float32 and in another precision.
func precisionClaims() []Claim {
	const counts = "; p, corrected for all checkpoints, is below 0.05"
	const speedCounts = "; p, corrected for all networks, is below 0.05"
	const rows = "evaluations of checkpoints in float32 and in "
	claims := []Claim{
		{
			ID: "bf16-costs-nothing", Theme: Precision, Tier: Judged,
			Text:     "bf16 costs a network that learned in float32 at most 0.2 points of top-1.",
			Source:   "a claim of the field, after Kalamkar et al., arXiv:1905.12322, who trained in bf16 to the accuracies of float32",
			Needs:    rows + "bf16, on the same images",
			Confirms: "each checkpoint loses at most 0.2 points" + counts,
			Refutes:  "one loses more" + counts,
			Note:     "The bound is ours. Some thousands of images are needed to tell 0.2 points from chance.",
			test:     losses("bf16", bf16Loss),
		},
		{
			ID: "int8-costs-little", Theme: Precision, Tier: Judged,
			Text:      "int8 costs a network at most 2 points of top-1, if every output channel has a scale of its own and nothing is trained anew.",
			Source:    "Krishnamoorthi, arXiv:1806.08342, abstract",
			Needs:     rows + "int8, on the same images",
			Confirms:  "each checkpoint loses at most 2 points" + counts,
			Refutes:   "one loses more" + counts,
			Published: "\"within 2% of floating point networks for a wide variety of CNN architectures\" (abstract)",
			test:      losses("int8", int8Loss),
		},
		{
			ID: "depthwise-lose-more", Theme: Precision, Tier: Judged,
			Text:     "A network with depthwise convolutions loses more top-1 by int8 than one without.",
			Source:   "Sheng et al., arXiv:1803.08607, section 1; Nagel et al., arXiv:1906.04721, section 3",
			Needs:    rows + "int8, of networks with depthwise convolutions and without, on the same images",
			Confirms: "each network with them loses more than each one without" + counts,
			Refutes:  "one with them loses less than one without" + counts,
			Note:     "The networks differ in more than that. Scales by channel and equalised ranges, which help depthwise layers, are newer.",
			test:     depthwiseLoss,
		},
	}
	for _, precision := range []string{"bf16", "int8"} {
		claims = append(claims, Claim{
			ID: precision + "-speed", Theme: Precision, Tier: Timed,
			Text: fmt.Sprintf("A network is %g times as fast in %s as in float32, as many as its instructions have products, within a fifth.",
				promises[precision], precision),
			Source:   "the instruction sets: VDPBF16PS has two products, and VPDPBUSD four, where VFMADD231PS has one",
			Needs:    "latencies of networks in float32 and in " + precision + ", otherwise under the same settings",
			Confirms: fmt.Sprintf("each network is at least %g times as fast", reached*promises[precision]) + speedCounts,
			Refutes:  "one is less fast" + speedCounts,
			Note: "The bound is ours. Algorithms that save multiplications (Winograd's) make float32 faster than its instructions. " +
				"Where pairs of bf16 are widened to float32, nothing is promised, and the row does not count.",
			test: speedups(precision),
		})
	}
	for i := range claims {
		claims[i].Remedy = ByAccuracy
		if claims[i].Tier == Timed {
			claims[i].Remedy = ByTiming
		}
	}
	return claims
}

// A reduction is one thing measured in float32 and in another precision.
type reduction struct{ whole, reduced *record.Record }

// judgedIn returns the evaluations in a precision with those in float32 of the same checkpoint at the same size, by family.
func (e *evidence) judgedIn(precision string) (all []reduction) {
	for _, r := range e.reduced {
		if r.Kind != record.KindEval || r.RanWith().Precision != precision {
			continue
		}
		if whole := e.accuracyAt(r.Name(), r.ImgSize); whole != nil {
			all = append(all, reduction{whole, r})
		}
	}
	slices.SortStableFunc(all, func(a, b reduction) int {
		return cmp.Or(cmp.Compare(a.whole.Family, b.whole.Family), cmp.Compare(a.whole.Name(), b.whole.Name()))
	})
	return all
}

// timedIn returns the latencies in a precision with those in float32 under the same settings otherwise.
func (e *evidence) timedIn(precision string) (all []reduction) {
	for _, r := range e.reduced {
		axes := r.RanWith()
		if r.Kind != record.KindLatency || axes.Precision != precision {
			continue
		}
		axes.Precision = ""
		at := slices.IndexFunc(e.timed, func(whole *record.Record) bool { return whole.Name() == r.Name() && whole.RanWith() == axes })
		if at >= 0 {
			all = append(all, reduction{e.timed[at], r})
		}
	}
	return all
}

// losses compares top-1 in a precision with that in float32: at most so many points are claimed to be lost.
func losses(precision string, bound float64) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: []string{"checkpoint", "family", "top-1 in float32", "top-1 in " + precision, "points gained", "images", "test"},
			plot: Plot{What: "points of top-1 that " + precision + " has more than float32", Marks: []float64{-bound, 0}}}
		for _, x := range e.judgedIn(precision) {
			g, ok := e.gain(x.reduced, x.whole, &t.lacks)
			if !ok {
				continue
			}
			claims, value := g.above(-bound)
			name := x.whole.Name()
			t.add(comparison{
				cells: []string{name, x.whole.Family, top1(x.whole), top1(x.reduced), hundredths(g.span), fmt.Sprint(x.whole.Images), g.test},
				says:  gained(name, g.mid), name: name, shown: g.span, claims: claims, p: value,
			})
		}
		if len(t.all) == 0 {
			t.lacks.add("a checkpoint in float32 and in %s, on the same images", precision)
		}
		return t.result(false, "")
	}
}

// hundredths is a span with two decimals.
func hundredths(s span) string { return fmt.Sprintf("%+.2f [%+.2f, %+.2f]", s.mid, s.lo, s.hi) }

// depthwiseLoss compares what networks with and without depthwise convolutions lose by int8.
func depthwiseLoss(e *evidence) Result {
	t := tally{heads: []string{"with depthwise", "points gained", "without", "points gained", "difference", "images", "test"},
		plot: Plot{What: "points of top-1 that the first loses more than the second by int8", Marks: []float64{0}}}
	var with, without []reduction
	for _, x := range e.judgedIn("int8") {
		switch n := e.network(x.whole.Model, &t.lacks); {
		case n == nil:
		case slices.ContainsFunc(n.Layers, func(l Layer) bool { return l.depthwise() }):
			with = append(with, x)
		default:
			without = append(without, x)
		}
	}
	for _, a := range with {
		for _, b := range without {
			g, ok := e.contrast(change{b.whole, b.reduced}, change{a.whole, a.reduced}, &t.lacks)
			if !ok {
				continue
			}
			claims, value := g.above(0)
			one, other := a.whole.Name(), b.whole.Name()
			points := func(x reduction) string { return fmt.Sprintf("%+.2f", x.reduced.Top1-x.whole.Top1) }
			says := fmt.Sprintf("%s lost %.2f points more than %s", one, g.mid, other)
			if g.mid < 0 {
				says = fmt.Sprintf("%s lost %.2f points less than %s", one, -g.mid, other)
			}
			t.add(comparison{
				cells: []string{one, points(a), other, points(b), hundredths(g.span), fmt.Sprint(a.whole.Images), g.test},
				says:  says, name: one + " against " + other, shown: g.span, claims: claims, p: value,
			})
		}
	}
	if len(t.all) == 0 {
		t.lacks.add("int8 and float32 of a checkpoint with depthwise convolutions and of one without, on the same images")
	}
	return t.result(false, "")
}

// speedups compares latencies in float32 with those in a precision: what the instruction set promises is claimed to be reached.
func speedups(precision string) func(*evidence) Result {
	return func(e *evidence) Result {
		bound := reached * promises[precision]
		t := tally{heads: []string{"network", "settings", "float32", precision, "times as fast"},
			plot: Plot{What: "times as fast in " + precision + " as in float32", Log: true, Marks: []float64{1, bound}}}
		for _, x := range e.timedIn(precision) {
			if precision == "bf16" && !dots(x.reduced) {
				t.lacks.add("%s on a machine that multiplies pairs of bf16 numbers", x.reduced.Name())
				continue
			}
			q := quotient(x.whole, x.reduced, 1)
			claims, value := q.above(bound)
			name, axes := x.whole.Name(), x.whole.RanWith()
			settings := fmt.Sprintf("%d px, batch %d, threads %d, %s, %s", axes.ImgSize, axes.Batch, axes.Threads, axes.Scenario, axes.ISA)
			t.add(comparison{
				cells: []string{name, settings, milliseconds(x.whole), milliseconds(x.reduced), ratio(q.span)},
				says:  fmt.Sprintf("%s was %.2f times as fast (%s)", name, q.mid, settings),
				name:  name + ", " + settings, shown: q.span, claims: claims, p: value,
			})
		}
		if len(t.all) == 0 {
			t.lacks.add("latencies of a network in float32 and in %s, otherwise under the same settings", precision)
		}
		return t.result(false, "")
	}
}

// dots reports whether a row's products multiply bf16 numbers as they are.
func dots(r *record.Record) bool {
	return slices.ContainsFunc(r.Layers, func(l record.Layer) bool { return strings.HasPrefix(l.Algorithm, "bf16_dot_") })
}
