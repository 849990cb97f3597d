package findings

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"zoobench/bench/lessons"
)

// studyClaims are tested on networks that learned under one recipe, from the same images and the same seeds. What each claim
// compares, and what confirms and refutes it, was written before the study ran. study.yaml trains the networks that they name,
// and no others.
func studyClaims() []Claim {
	var all []Claim
	for _, part := range [][]Claim{partClaims(), depthClaims(), blockClaims(), dataClaims()} {
		all = append(all, part...)
	}
	for i := range all {
		all[i].Tier, all[i].Remedy = Studied, ByStudy
	}
	return all
}

// What sources, needs and conditions of these claims have in common.
const (
	lessonsOf = "lessons of the study, three seeds or more: "
	surely    = "; p, corrected for all comparisons of the claim, is below 0.05"
	onAlexNet = "the review, on AlexNet"
)

// share is of the loss of guessing: a network that got there has begun to learn.
const share = 0.75

// An inquiry is the test of a claim of the study.
type inquiry struct {
	*evidence
	tally
	sets []string // that lessons were about
}

// named splits network.recipe.
func named(name string) (network, recipe string) {
	network, recipe, _ = strings.Cut(name, ".")
	return network, recipe
}

// short is a network's lessons as a sentence names them: by the recipe only where that is not the usual one.
func short(name string) string {
	network, recipe := named(name)
	if recipe == "base" {
		return network
	}
	return network + " (" + recipe + ")"
}

// sum is a weighted sum of figures, as [evidence.weigh] has it.
func (q *inquiry) sum(terms ...term) (estimate, bool) {
	m, ok := q.weigh(&q.lacks, terms...)
	if ok {
		for _, l := range q.lessons[terms[0].name] {
			if !slices.Contains(q.sets, l.Data) {
				q.sets = append(q.sets, l.Data)
			}
		}
	}
	return m, ok
}

// gain is the points of a figure that a has more than b.
func (q *inquiry) gain(of figure, a, b string) (estimate, bool) {
	return q.sum(term{1, a, of}, term{-1, b, of})
}

// mean is a figure's mean as text.
func (q *inquiry) mean(of figure, name string) string {
	var l lacks
	m, ok := q.weigh(&l, term{1, name, of})
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", m.mid, m.lo, m.hi)
}

// seeds is how many seeds all of these have, as text.
func (q *inquiry) seeds(names ...string) string {
	var all []map[uint64]*lessons.Lesson
	for _, n := range names {
		all = append(all, q.lessons[n])
	}
	return fmt.Sprint(len(common(all)))
}

// duelHeads are the columns of comparisons of two lessons.
func duelHeads(what string) []string {
	return []string{"network", "recipe", what, "compared with", "recipe", what, "difference", "seeds"}
}

// compare adds a comparison of a figure of a with that of b: a is claimed to have more than b by at least a bound.
func (q *inquiry) compare(of figure, a, b string, bound float64, says func(mid float64) string) {
	m, ok := q.gain(of, a, b)
	if !ok {
		return
	}
	claims, p := m.above(bound)
	na, ra := named(a)
	nb, rb := named(b)
	q.add(comparison{
		cells: []string{na, ra, q.mean(of, a), nb, rb, q.mean(of, b), m.span.String(), q.seeds(a, b)},
		says:  says(m.mid), name: short(a) + " over " + short(b), shown: m.span, claims: claims, p: p,
	})
}

// better compares the top-1 of a with that of b: a is claimed to have more. Conditions are on their graphs.
func (q *inquiry) better(a, b string, conditions ...extra) {
	before := len(q.all)
	q.compare(right, a, b, 0, func(mid float64) string { return ahead(short(a), short(b), mid) })
	na, _ := named(a)
	nb, _ := named(b)
	for _, wrong := range conditions {
		ga, gb := q.network(na, &q.lacks), q.network(nb, &q.lacks)
		if ga == nil || gb == nil || len(q.all) == before {
			continue
		}
		if text := wrong(ga, gb); text != "" {
			c := &q.all[len(q.all)-1]
			c.claims, c.fact, c.says = no, true, text
		}
	}
}

// more adds what is claimed to be above 0: a sum of gains, whose table names both sides of it.
func (q *inquiry) more(name, says string, left, right [2]string, of figure) {
	a, okA := q.gain(of, left[0], left[1])
	b, okB := q.gain(of, right[0], right[1])
	m, ok := q.sum(term{1, left[0], of}, term{-1, left[1], of}, term{-1, right[0], of}, term{1, right[1], of})
	if !okA || !okB || !ok {
		return
	}
	claims, p := m.above(0)
	q.add(comparison{
		cells: []string{short(left[0]), "over " + short(left[1]), a.span.String(), short(right[0]), "over " + short(right[1]),
			b.span.String(), m.span.String(), q.seeds(left[0], left[1], right[0], right[1])},
		says: fmt.Sprintf(says, a.mid, b.mid), name: name, shown: m.span, claims: claims, p: p,
	})
}

// scopes are what sets of images are, in a sentence.
var scopes = map[string]string{
	"shapes": "32×32 generated images", "shapes-64": "64×64 generated images, resized to each network's input",
	"cifar10": "32×32 photographs, CIFAR-10", "cifar100": "32×32 photographs, CIFAR-100",
}

// studied makes a test of what asks the questions: the verdict with its scope.
func studied(what string, ask func(*inquiry)) func(*evidence) Result {
	return func(e *evidence) Result {
		q := &inquiry{evidence: e}
		q.heads, q.plot = duelHeads("top-1"), Plot{What: what, Marks: []float64{0}}
		ask(q)
		r := q.result(true, "")
		if r.Summary != "" {
			var images []string
			for _, set := range q.sets {
				text, known := scopes[set]
				if !known {
					text = "images of " + set
				}
				images = append(images, text)
			}
			r.Summary = "In this study (" + strings.Join(images, "; ") + "): " + r.Summary
		}
		return r
	}
}

// gainPoints is what most plots of the study show.
const gainPoints = "points of top-1 that the first has more than the second"

// pairsOf tests that the first of each pair is more accurate.
func pairsOf(pairs [][2]string, conditions ...extra) func(*evidence) Result {
	return studied(gainPoints, func(q *inquiry) {
		for _, p := range pairs {
			q.better(p[0], p[1], conditions...)
		}
	})
}

// noMore is a condition that a has at most as many parameters as b.
func noMore(a, b *Network) string {
	if a.Params <= b.Params {
		return ""
	}
	return fmt.Sprintf("%s has more parameters than %s", a.Name, b.Name)
}

// equalMACs is a condition that both take about as many multiply-accumulates.
func equalMACs(a, b *Network) string {
	if math.Abs(float64(a.MACs)/float64(b.MACs)-1) <= 0.04 {
		return ""
	}
	return fmt.Sprintf("%s takes %.2f times the MACs of %s", a.Name, float64(a.MACs)/float64(b.MACs), b.Name)
}

// noMoreMACs is a condition that a takes at most about as many multiply-accumulates as b.
func noMoreMACs(a, b *Network) string {
	if float64(a.MACs) <= 1.04*float64(b.MACs) {
		return ""
	}
	return equalMACs(a, b)
}
