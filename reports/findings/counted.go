package findings

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// never is the condition of a verdict that a claim cannot have.
const never = "never"

// countedClaims are tested on graphs alone: they are true of them or not, and there is no interval.
func countedClaims() []Claim {
	claims := []Claim{
		{
			ID: "se-cost-counted", Theme: Attention,
			Text:      "Squeeze-and-excitation adds about 10 % of parameters and less than 1 % of multiply-accumulates.",
			Source:    "SENet, arXiv:1709.01507, section 4; the review's conclusion on attention",
			Needs:     "the graphs of resnet and seresnet at 50, 101 and 152",
			Confirms:  "it adds 5 to 15 % of parameters and less than 1 % of MACs at every depth",
			Refutes:   "it adds more or less at any depth",
			Published: "SE-ResNet-50: 2.5 M parameters more, about 10 %, and 0.26 % more operations (section 4)",
			test: pairs(atDepths("seresnet", "resnet", "50", "101", "152"), parameters(1.05, 1.15), func(a, b *Network) bool {
				more := float64(a.Params)/float64(b.Params) - 1
				return 0.05 <= more && more <= 0.15 && float64(a.MACs) < 1.01*float64(b.MACs)
			}),
		},
		{
			ID: "resnet-v2-equal-cost", Theme: Depth,
			Text:     "A pre-activation ResNet costs as much as a ResNet of the same depth.",
			Source:   "ResNet v2, arXiv:1603.05027, figure 1; the review's conclusion on ResNet v2",
			Needs:    "the graphs of resnet and resnetv2 at 50, 101 and 152",
			Confirms: "parameters and MACs differ by at most 1 % at every depth",
			Refutes:  "they differ by more at any depth",
			test: pairs(atDepths("resnetv2_", "resnet", "50", "101", "152"), macs(0.99, 1.01), func(a, b *Network) bool {
				return near(a.Params, b.Params, 0.01) && near(a.MACs, b.MACs, 0.01)
			}),
		},
		{
			ID: "resnet152-under-vgg16", Theme: Depth,
			Text:      "ResNet-152 takes fewer multiply-accumulates than VGG-16 and VGG-19.",
			Source:    "ResNet, arXiv:1512.03385, section 4.1",
			Needs:     "the graphs of resnet152, vgg16 and vgg19",
			Confirms:  "it takes fewer MACs than either",
			Refutes:   "it takes as many as one of them, or more",
			Published: "11.3 G against 15.3 and 19.6 G (section 4.1)",
			Note:      "The paper's \"8× deeper than VGG nets\" (abstract) is 152 layers to the 19 of VGG-19.",
			test: pairs([][2]string{{"resnet152", "vgg16"}, {"resnet152", "vgg19"}}, macs(1),
				func(a, b *Network) bool { return a.MACs < b.MACs }),
		},
		{
			ID: "bottleneck-block", Theme: Depth,
			Text:      "ResNet-50 has blocks of three layers where ResNet-34 has blocks of two, at a similar cost.",
			Source:    "ResNet, arXiv:1512.03385, figure 5 and table 1; the review's conclusion on ResNet",
			Needs:     "the graphs of resnet50 and resnet34",
			Confirms:  never + ": the paper says how similar in no figure",
			Refutes:   never,
			Published: "3.8 G against 3.6 G, 5.6 % more (table 1)",
			Note:      "The released network takes more than the paper's: its stride is on the 3×3 layer instead of the 1×1 layer before it.",
			test:      bottleneck,
		},
		{
			ID: "inception-v1-parameters", Theme: Inceptions,
			Text:      "Inception v1 has twelve times fewer parameters than AlexNet.",
			Source:    "GoogLeNet, arXiv:1409.4842, section 1",
			Needs:     "the graph of googlenet",
			Confirms:  "60 M, the number in AlexNet's paper, is 11.5 to 12.5 times googlenet's number",
			Refutes:   "it is more or fewer times that number",
			Published: "60 M (AlexNet's paper, abstract) divided by 12 is 5 M; GoogLeNet's own table 1 sums to 6.8 M",
			Note:      "The graph is the released one: it has 3×3 windows where the paper has 5×5, and its auxiliary heads are not counted.",
			test:      inceptionParameters,
		},
		{
			ID: "compound-scaling", Theme: Scaling,
			Text:      "Every step from EfficientNet-B0 to B7 makes the network deeper, wider and its input larger.",
			Source:    "EfficientNet, arXiv:1905.11946, equation 3 in section 3.3; the review's conclusion on hyper-parameters",
			Needs:     "the graphs of tf_efficientnet_b0 to b7",
			Confirms:  "every step has more convolutions, more channels in the last of them, and more pixels",
			Refutes:   "a step leaves one of the three as it is, or makes it smaller",
			Published: "depth, width and resolution are powers of 1.2, 1.1 and 1.15; 0.39, 0.70, 1.0, 1.8, 4.2, 9.9, 19 and 37 G (table 2)",
			Note: "Layers are whole and channels come in eights, so that a small coefficient can leave them as they are. " +
				"The steps are not units of the coefficient: that multiply-accumulates double with each unit is not tested.",
			test: compoundScaling,
		},
		{
			ID: "vgg-first-linear", Theme: Depth,
			Text:     "Most of VGG's parameters are in its first linear layer.",
			Source:   "a claim of the field",
			Needs:    "the graphs of vgg16 and vgg19",
			Confirms: "that layer has over half of the parameters of both networks",
			Refutes:  "it has half or less in either",
			test:     firstLinear,
		},
		{
			ID: "gates-in-the-zoo", Theme: Attention,
			Text:     "Squeeze-and-excitation has become a part of many networks.",
			Source:   "the review's conclusion on attention",
			Needs:    "the graphs of the zoo",
			Confirms: never + ": the table lists the networks with gates, family by family",
			Refutes:  never,
			test:     gates,
		},
		{
			ID: "years", Theme: History,
			Text:     "The basic architectures came one after the other: AlexNet, VGG and Inception, ResNet, attention in CNNs.",
			Source:   "the review's conclusion on history",
			Needs:    "the graphs of the zoo",
			Confirms: never + ": history is shown and not tested",
			Refutes:  never,
			Note:     "AlexNet is of 2012. The zoo has its author's one-tower version of 2014 (arXiv:1404.5997).",
			test:     years,
		},
	}
	for i := range claims {
		claims[i].Tier, claims[i].Remedy = Counted, ByGraphs
	}
	return claims
}

// atDepths pairs two families' networks of the same depth.
func atDepths(a, b string, depths ...string) (names [][2]string) {
	for _, depth := range depths {
		names = append(names, [2]string{a + depth, b + depth})
	}
	return names
}

// near reports whether a is within a share of b.
func near(a, b int64, share float64) bool {
	return math.Abs(float64(a)/float64(b)-1) <= share
}

func convolutions(n *Network) (count int) {
	for i := range n.Layers {
		if l := &n.Layers[i]; l.Op == "conv" && !l.linear() {
			count++
		}
	}
	return count
}

// linears are the linear layers' parameters.
func linears(n *Network) (params []int64) {
	for i := range n.Layers {
		if l := &n.Layers[i]; l.linear() {
			params = append(params, l.Params)
		}
	}
	return params
}

func pairHeads() []string {
	return []string{"network", "compared with", "parameters", "more", "MACs", "more", "convolutions"}
}

func pairCells(a, b *Network) []string {
	return []string{a.Name, b.Name, mega(a.Params) + " / " + mega(b.Params), percentOf(a.Params, b.Params),
		giga(a.MACs) + " / " + giga(b.MACs), percentOf(a.MACs, b.MACs), fmt.Sprintf("%d / %d", convolutions(a), convolutions(b))}
}

// moreOf is how much more a is than b, up to the other's name.
func moreOf(a, b int64, what string) string {
	more := 100 * (float64(a)/float64(b) - 1)
	text := fmt.Sprintf("%.1f", math.Abs(more))
	if math.Abs(more) < 1 {
		text = fmt.Sprintf("%.2g", math.Abs(more))
	}
	switch {
	case a < b:
		return fmt.Sprintf("%s %% fewer %s than", text, what)
	case a > b:
		return fmt.Sprintf("%s %% more %s than", text, what)
	}
	return fmt.Sprintf("as many %s as", what)
}

// moreMACs is how many more multiply-accumulates a takes than b.
func moreMACs(a, b *Network) string {
	text := moreOf(a.MACs, b.MACs, "MACs")
	return strings.TrimSuffix(strings.TrimSuffix(text, " than"), " as")
}

// pairSays is what a pair's costs are, as a clause.
func pairSays(a, b *Network) string {
	return fmt.Sprintf("%s has %s %s, and %s", a.Name, moreOf(a.Params, b.Params, "parameters"), b.Name, moreMACs(a, b))
}

// A quota is a plot of how many times a cost of the second network the first one has.
type quota struct {
	Plot
	of func(*Network) int64
}

func macs(marks ...float64) quota {
	return quota{Plot{What: "MACs of the first divided by those of the second", Log: true, Marks: marks},
		func(n *Network) int64 { return n.MACs }}
}

func parameters(marks ...float64) quota {
	return quota{Plot{What: "parameters of the first divided by those of the second", Log: true, Marks: marks},
		func(n *Network) int64 { return n.Params }}
}

// pairs compares the costs of each pair of networks, and shows one of them.
func pairs(names [][2]string, q quota, ok func(a, b *Network) bool) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: pairHeads(), plot: q.Plot}
		for _, p := range names {
			a, b := e.network(p[0], &t.lacks), e.network(p[1], &t.lacks)
			if a == nil || b == nil {
				continue
			}
			t.fact(ok(a, b), pairSays(a, b), pairCells(a, b)...)
			t.show(a.Name+" over "+b.Name, float64(q.of(a))/float64(q.of(b)))
		}
		return t.result(true, "")
	}
}

func bottleneck(e *evidence) Result {
	var l lacks
	a, b := e.network("resnet50", &l), e.network("resnet34", &l)
	if a == nil || b == nil {
		return Result{Verdict: Untestable, Missing: l}
	}
	ratio := float64(a.MACs) / float64(b.MACs)
	plot := macs(1).Plot
	plot.Estimates = []Estimate{{a.Name + " over " + b.Name, ratio, ratio, ratio, "counted"}}
	return Result{
		Verdict: Described, Summary: pairSays(a, b) + ".", Heads: pairHeads(), Rows: [][]string{pairCells(a, b)}, Plot: plot,
	}
}

// alexNetPaper is AlexNet's parameters as its paper gives them, in the abstract (Krizhevsky et al., 2012).
const alexNetPaper = 60_000_000

func inceptionParameters(e *evidence) Result {
	t := tally{
		heads: []string{"AlexNet's paper", "googlenet", "quotient"},
		plot:  Plot{What: "AlexNet's parameters divided by googlenet's", Log: true, Marks: []float64{12}},
	}
	n := e.network("googlenet", &t.lacks)
	if n == nil {
		return t.result(true, "")
	}
	q := alexNetPaper / float64(n.Params)
	t.fact(11.5 <= q && q <= 12.5, fmt.Sprintf("googlenet has %s parameters, %.1f times fewer than AlexNet's 60 M", mega(n.Params), q),
		mega(alexNetPaper), mega(n.Params), fmt.Sprintf("%.1f", q))
	t.show("AlexNet's paper over googlenet", q)
	return t.result(true, "")
}

// width is the channels of a network's last convolution.
func width(n *Network) (channels int) {
	for i := range n.Layers {
		if l := &n.Layers[i]; l.Op == "conv" && !l.linear() {
			channels = l.Out[0]
		}
	}
	return channels
}

func compoundScaling(e *evidence) Result {
	t := tally{
		heads: []string{"network", "px", "convolutions", "channels", "parameters", "MACs", "times the MACs before"},
		plot:  Plot{What: "MACs divided by those of the network before", Log: true, Marks: []float64{1}},
	}
	var before *Network
	var rows [][]string
	for i := range 8 {
		n := e.network(fmt.Sprintf("tf_efficientnet_b%d", i), &t.lacks)
		if n == nil {
			return t.result(true, "")
		}
		cells := []string{n.Name, fmt.Sprint(n.Size), fmt.Sprint(convolutions(n)), fmt.Sprint(width(n)), mega(n.Params), giga(n.MACs)}
		if before == nil {
			rows = append(rows, append(cells, "", ""))
		} else {
			says := ""
			if convolutions(n) <= convolutions(before) {
				says = fmt.Sprintf("%s has as many convolutions as %s, %d", n.Name, before.Name, convolutions(n))
			}
			if width(n) <= width(before) {
				says = fmt.Sprintf("%s is no wider than %s, with %d channels", n.Name, before.Name, width(n))
			}
			factor := float64(n.MACs) / float64(before.MACs)
			t.fact(says == "" && n.Size > before.Size, says, append(cells, fmt.Sprintf("%.2f", factor))...)
			t.show(n.Name, factor)
		}
		before = n
	}
	grown := 0
	var clauses []string
	for i, a := range t.answers() {
		if a == yes {
			grown++
		} else {
			clauses = append(clauses, t.all[i].says)
		}
	}
	text := fmt.Sprintf("%d of %d steps have more convolutions, more channels and more pixels", grown, len(t.all))
	r := t.result(true, sentence(append([]string{text}, clauses...)))
	r.Rows = append(rows, r.Rows...)
	return r
}

func firstLinear(e *evidence) Result {
	t := tally{
		heads: []string{"network", "first linear layer", "all", "share"},
		plot:  Plot{What: "share of the parameters in the first linear layer (%)", Marks: []float64{50}},
	}
	for _, name := range []string{"vgg16", "vgg19"} {
		n := e.network(name, &t.lacks)
		if n == nil {
			continue
		}
		i := slices.IndexFunc(n.Layers, func(l Layer) bool { return l.linear() })
		if i < 0 {
			t.lacks.add("a linear layer in the graph of %s", name)
			continue
		}
		share := 100 * float64(n.Layers[i].Params) / float64(n.Params)
		t.fact(share > 50, fmt.Sprintf("%s has %.0f %% of its parameters in its first linear layer", name, share),
			name, mega(n.Layers[i].Params), mega(n.Params), fmt.Sprintf("%.1f %%", share))
		t.show(name, share)
	}
	return t.result(true, "")
}

// gates counts, family by family, the networks that multiply channels by a computed value.
func gates(e *evidence) Result {
	r := Result{
		Verdict: Described, Heads: []string{"family", "networks", "with gates"},
		Plot: Plot{What: "networks with gates"},
	}
	var families []string
	all, gated := map[string]int{}, map[string]int{}
	for _, n := range e.order {
		if all[n.Family] == 0 {
			families = append(families, n.Family)
		}
		all[n.Family]++
		if slices.ContainsFunc(n.Layers, func(l Layer) bool { return l.Op == "mul" }) {
			gated[n.Family]++
		}
	}
	sum := 0
	for _, f := range families {
		sum += gated[f]
		if gated[f] > 0 {
			r.Rows = append(r.Rows, []string{f, fmt.Sprint(all[f]), fmt.Sprint(gated[f])})
			r.Plot.Estimates = append(r.Plot.Estimates, Estimate{f, float64(gated[f]), float64(gated[f]), float64(gated[f]), "networks with gates"})
		}
	}
	r.Summary = fmt.Sprintf("%d of the zoo's %d networks scale channels or pixels by values that they compute.", sum, len(e.order))
	if len(e.order) == 0 {
		return Result{Verdict: Untestable, Missing: []string{"the graphs of the zoo"}}
	}
	return r
}

// years lists each family's first network with its year and costs.
func years(e *evidence) Result {
	r := Result{Verdict: Described, Heads: []string{"year", "family", "first in the zoo", "MACs", "parameters"}}
	seen := map[string]bool{}
	for _, n := range e.order {
		if !seen[n.Family] && n.Year > 0 {
			seen[n.Family] = true
			r.Rows = append(r.Rows, []string{fmt.Sprint(n.Year), n.Family, n.Name, giga(n.MACs), mega(n.Params)})
		}
	}
	slices.SortStableFunc(r.Rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if len(r.Rows) == 0 {
		return Result{Verdict: Untestable, Missing: []string{"the graphs of the zoo"}}
	}
	r.Summary = fmt.Sprintf("The zoo has %d families, from %s to %s.", len(r.Rows), r.Rows[0][0], r.Rows[len(r.Rows)-1][0])
	return r
}
