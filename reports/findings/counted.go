package findings

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// never is the condition of a verdict that a claim cannot have.
const never = "never"

// countedClaims are tested on graphs alone: they hold or do not, and there is no interval.
func countedClaims() []Claim {
	return []Claim{
		{
			ID: "stacked-3x3", Tier: Counted,
			Text:     "Three 3×3 layers see as many pixels as one 7×7 layer, with 27 C² weights instead of 49 C² for C channels.",
			Source:   "VGG, arXiv:1409.1556, section 2.3",
			Needs:    "the graph of vgg16",
			Confirms: "the last three convolutions of vgg16 have exactly 27 C² weights",
			Refutes:  "they have more or fewer",
			test:     stacked3x3,
		},
		{
			ID: "depthwise-separable-ratio", Tier: Counted,
			Text:     "A depthwise-separable layer takes 1/N + 1/k² of a regular layer's multiply-accumulates, with N outputs and k×k windows.",
			Source:   "MobileNet v1, arXiv:1704.04861, section 3.1; the review's conclusion on MobileNet",
			Needs:    "the graph of mobilenetv1_100",
			Confirms: "the ratio is exact in every block",
			Refutes:  "a block has another ratio",
			test:     depthwiseRatio,
		},
		{
			ID: "se-cost-counted", Tier: Counted,
			Text:      "Squeeze-and-excitation adds about 10 % of parameters and less than 1 % of multiply-accumulates.",
			Source:    "SENet, arXiv:1709.01507, section 4; the review's conclusion on attention",
			Needs:     "the graphs of resnet and seresnet at 50, 101 and 152",
			Confirms:  "it adds 5 to 15 % of parameters and less than 1 % of MACs at every depth",
			Refutes:   "it adds more or less at any depth",
			Published: "28.1, 49.3 and 66.8 M parameters against 25.6, 44.5 and 60.2 M",
			test: pairs(atDepths("seresnet", "resnet", "50", "101", "152"), func(a, b *Network) bool {
				more := float64(a.Params)/float64(b.Params) - 1
				return 0.05 <= more && more <= 0.15 && float64(a.MACs) < 1.01*float64(b.MACs)
			}),
		},
		{
			ID: "resnet-v2-equal-cost", Tier: Counted,
			Text:     "A pre-activation ResNet costs as much as a ResNet of the same depth.",
			Source:   "ResNet v2, arXiv:1603.05027; the review's conclusion on ResNet v2",
			Needs:    "the graphs of resnet and resnetv2 at 50, 101 and 152",
			Confirms: "parameters and MACs differ by at most 1 % at every depth",
			Refutes:  "they differ by more at any depth",
			test: pairs(atDepths("resnetv2_", "resnet", "50", "101", "152"), func(a, b *Network) bool {
				return near(a.Params, b.Params, 0.01) && near(a.MACs, b.MACs, 0.01)
			}),
		},
		{
			ID: "resnet152-under-vgg16", Tier: Counted,
			Text:      "ResNet-152, eight times as deep as VGG networks, takes fewer multiply-accumulates than VGG-16.",
			Source:    "ResNet, arXiv:1512.03385, section 4.1",
			Needs:     "the graphs of resnet152 and vgg16",
			Confirms:  "it takes fewer MACs",
			Refutes:   "it takes as many or more",
			Published: "11.3 G against 15.3 G",
			test:      pairs([][2]string{{"resnet152", "vgg16"}}, func(a, b *Network) bool { return a.MACs < b.MACs }),
		},
		{
			ID: "bottleneck-block", Tier: Counted,
			Text:      "ResNet-50 has blocks of three layers where ResNet-34 has blocks of two, and costs little more.",
			Source:    "ResNet, arXiv:1512.03385, table 1; the review's conclusion on ResNet",
			Needs:     "the graphs of resnet50 and resnet34",
			Confirms:  "it has over 40 % more convolutions and at most 25 % more MACs",
			Refutes:   "it has fewer convolutions or more MACs than that",
			Published: "3.8 G against 3.6 G",
			test: pairs([][2]string{{"resnet50", "resnet34"}}, func(a, b *Network) bool {
				return float64(a.MACs) <= 1.25*float64(b.MACs) && convolutions(a) > convolutions(b)*14/10
			}),
		},
		{
			ID: "vgg19-is-vgg16-with-more", Tier: Counted,
			Text:     "VGG-19 is VGG-16 with more convolutions.",
			Source:   "VGG, arXiv:1409.1556, table 1; the review's conclusion on VGG",
			Needs:    "the graphs of vgg19 and vgg16",
			Confirms: "it has three more convolutions, and linear layers with as many parameters",
			Refutes:  "there is another difference",
			test: pairs([][2]string{{"vgg19", "vgg16"}}, func(a, b *Network) bool {
				return convolutions(a) == convolutions(b)+3 && slices.Equal(linears(a), linears(b))
			}),
		},
		{
			ID: "factorised-inception", Tier: Counted,
			Text:     "Inception v3's pairs of 1×n and n×1 convolutions cost less than the n×n convolutions that they replace.",
			Source:   "Inception v3, arXiv:1512.00567, section 3.2",
			Needs:    "the graph of inception_v3",
			Confirms: "every pair takes fewer MACs",
			Refutes:  "a pair takes more",
			test:     factorised,
		},
		{
			ID: "inception-v1-parameters", Tier: Counted,
			Text:      "Inception v1 has twelve times fewer parameters than AlexNet.",
			Source:    "GoogLeNet, arXiv:1409.4842, section 1",
			Needs:     "the graph of googlenet",
			Confirms:  "60 M, the number in AlexNet's paper, is 11.5 to 12.5 times googlenet's number",
			Refutes:   "it is more or fewer times that number",
			Published: "60 M (AlexNet's paper, section 1) divided by 12 is 5 M",
			Note:      "The graph is the released one: it has 3×3 windows where the paper has 5×5, and its auxiliary heads are not counted.",
			test:      inceptionParameters,
		},
		{
			ID: "compound-scaling", Tier: Counted,
			Text:   "One coefficient scales EfficientNet's depth, width and resolution, and each step doubles its multiply-accumulates.",
			Source: "EfficientNet, arXiv:1905.11946, section 3.3; the review's conclusion on hyper-parameters",
			Needs:  "the graphs of tf_efficientnet_b0 to b7",
			Confirms: "every step has more pixels, parameters and MACs and no fewer convolutions, " +
				"and a step multiplies MACs by 1.8 to 2.2 in the geometric mean",
			Refutes:   "a step has less of one of these, or the mean is another",
			Published: "0.39, 0.70, 1.0, 1.8, 4.2, 9.9, 19 and 37 G",
			test:      compoundScaling,
		},
		{
			ID: "vgg-first-linear", Tier: Counted,
			Text:     "Most of VGG's parameters are in its first linear layer.",
			Source:   "a claim of the field",
			Needs:    "the graphs of vgg16 and vgg19",
			Confirms: "that layer has over half of the parameters of both networks",
			Refutes:  "it has half or less in either",
			test:     firstLinear,
		},
		{
			ID: "gates-in-the-zoo", Tier: Counted,
			Text:     "Squeeze-and-excitation has become a part of many networks.",
			Source:   "the review's conclusion on attention",
			Needs:    "the graphs of the zoo",
			Confirms: never + ": the table lists the networks with gates, family by family",
			Refutes:  never,
			test:     gates,
		},
		{
			ID: "years", Tier: Counted,
			Text: "From 2012 to 2017 the basic architectures came one after the other: " +
				"AlexNet, VGG and Inception, ResNet, attention in CNNs.",
			Source:   "the review's conclusion on history",
			Needs:    "the graphs of the zoo",
			Confirms: never + ": history is shown and not tested",
			Refutes:  never,
			test:     years,
		},
	}
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

// pairs compares the costs of each pair of networks.
func pairs(names [][2]string, ok func(a, b *Network) bool) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: []string{"network", "compared with", "parameters", "more", "MACs", "more", "convolutions"}}
		for _, p := range names {
			a, b := e.network(p[0], &t.lacks), e.network(p[1], &t.lacks)
			if a == nil || b == nil {
				continue
			}
			t.add(holds(ok(a, b)), a.Name, b.Name, mega(a.Params)+" / "+mega(b.Params), percentOf(a.Params, b.Params),
				giga(a.MACs)+" / "+giga(b.MACs), percentOf(a.MACs, b.MACs), fmt.Sprintf("%d / %d", convolutions(a), convolutions(b)))
		}
		return t.result(true, "")
	}
}

// weights is the number of a convolution's weights, without its bias.
func (l *Layer) weights() int64 {
	if l.Out[1]*l.Out[2] == 0 {
		return 0
	}
	return l.MACs / int64(l.Out[1]*l.Out[2])
}

func stacked3x3(e *evidence) Result {
	t := tally{heads: []string{"layers", "channels", "weights", "weights of one 7×7"}}
	n := e.network("vgg16", &t.lacks)
	if n == nil {
		return t.result(true, "")
	}
	var convs []Layer
	for _, l := range n.Layers {
		if l.Op == "conv" && l.Kernel == [2]int{3, 3} {
			convs = append(convs, l)
		}
	}
	if len(convs) < 3 {
		t.lacks.add("3×3 convolutions in the graph of vgg16")
		return t.result(true, "")
	}
	var sum int64
	last := convs[len(convs)-3:]
	for _, l := range last {
		sum += l.weights()
	}
	c := int64(last[0].Out[0])
	t.add(holds(sum == 27*c*c), last[0].Name+" to "+last[2].Name, fmt.Sprint(c),
		fmt.Sprintf("%d = %.0f C²", sum, float64(sum)/float64(c*c)), fmt.Sprintf("%d = 49 C²", 49*c*c))
	return t.result(true, fmt.Sprintf("the three layers have %.1f %% of the weights of one 7×7 layer", 100*float64(sum)/float64(49*c*c)))
}

func depthwiseRatio(e *evidence) Result {
	t := tally{heads: []string{"depthwise layer", "N", "k", "measured ratio", "1/N + 1/k²"}}
	n := e.network("mobilenetv1_100", &t.lacks)
	if n == nil {
		return t.result(true, "")
	}
	var full, split int64
	for i := range n.Layers {
		l := &n.Layers[i]
		split += l.MACs
		if !l.depthwise() {
			full += l.MACs
			continue
		}
		var next *Layer
		for j := i + 1; j < len(n.Layers) && next == nil; j++ {
			if n.Layers[j].Op == "conv" {
				next = &n.Layers[j]
			}
		}
		if next == nil {
			continue
		}
		k2 := int64(l.Kernel[0] * l.Kernel[1])
		regular := k2 * int64(l.In[0]) * int64(next.Out[0]) * int64(l.Out[1]*l.Out[2])
		full += regular - next.MACs
		// As whole numbers: (depthwise + pointwise) · N · k² = regular · (k² + N).
		outs := int64(next.Out[0])
		exact := (l.MACs+next.MACs)*outs*k2 == regular*(k2+outs)
		t.add(holds(exact), l.Name, fmt.Sprint(outs), fmt.Sprintf("%d×%d", l.Kernel[0], l.Kernel[1]),
			fmt.Sprintf("%.5f", float64(l.MACs+next.MACs)/float64(regular)), fmt.Sprintf("%.5f", 1/float64(outs)+1/float64(k2)))
	}
	return t.result(true, fmt.Sprintf(
		"the whole network takes %.3f G multiply-accumulates; with regular layers it would take %.3f G, %.1f times as many",
		float64(split)/1e9, float64(full)/1e9, float64(full)/float64(split)))
}

func factorised(e *evidence) Result {
	t := tally{heads: []string{"layers", "window", "MACs", "MACs of n×n", "saved"}}
	n := e.network("inception_v3", &t.lacks)
	if n == nil {
		return t.result(true, "")
	}
	var sum, whole int64
	for i := 0; i+1 < len(n.Layers); i++ {
		a := &n.Layers[i]
		if a.Op != "conv" || a.Kernel[0] == a.Kernel[1] {
			continue
		}
		j := i + 1
		for j < len(n.Layers) && n.Layers[j].Op != "conv" {
			j++
		}
		if j == len(n.Layers) {
			break
		}
		b := &n.Layers[j]
		side := max(a.Kernel[0], a.Kernel[1])
		if b.Kernel[0] != a.Kernel[1] || b.Kernel[1] != a.Kernel[0] || a.Out != b.In || side < 7 {
			continue // those of the last modules are side by side
		}
		regular := int64(side*side) * int64(a.In[0]) * int64(b.Out[0]) * int64(b.Out[1]*b.Out[2])
		t.add(holds(a.MACs+b.MACs < regular), a.Name+", "+b.Name, fmt.Sprintf("%d×%d", side, side), giga(a.MACs+b.MACs), giga(regular),
			fmt.Sprintf("%.0f %%", 100-100*float64(a.MACs+b.MACs)/float64(regular)))
		sum, whole = sum+a.MACs+b.MACs, whole+regular
		i = j
	}
	if whole == 0 {
		t.lacks.add("1×7 and 7×1 convolutions in the graph of inception_v3")
		return t.result(true, "")
	}
	return t.result(true, fmt.Sprintf("%.3f G instead of %.3f G: %.0f %% saved",
		float64(sum)/1e9, float64(whole)/1e9, 100-100*float64(sum)/float64(whole)))
}

// alexNetPaper is AlexNet's parameters as its paper gives them, in section 1 (Krizhevsky et al., 2012).
const alexNetPaper = 60_000_000

func inceptionParameters(e *evidence) Result {
	t := tally{heads: []string{"AlexNet's paper", "googlenet", "quotient"}}
	n := e.network("googlenet", &t.lacks)
	if n == nil {
		return t.result(true, "")
	}
	q := alexNetPaper / float64(n.Params)
	t.add(holds(11.5 <= q && q <= 12.5), mega(alexNetPaper), mega(n.Params), fmt.Sprintf("%.1f", q))
	return t.result(true, fmt.Sprintf("%.1f times fewer", q))
}

func compoundScaling(e *evidence) Result {
	t := tally{heads: []string{"network", "px", "convolutions", "parameters", "MACs", "times the step before"}}
	var before *Network
	first := 0.0
	for i := range 8 {
		n := e.network(fmt.Sprintf("tf_efficientnet_b%d", i), &t.lacks)
		if n == nil {
			return t.result(true, "")
		}
		factor, ok := "", true
		if before != nil {
			factor = fmt.Sprintf("%.2f", float64(n.MACs)/float64(before.MACs))
			ok = n.Size > before.Size && n.Params > before.Params && convolutions(n) >= convolutions(before) && n.MACs > before.MACs
		} else {
			first = float64(n.MACs)
		}
		t.add(holds(ok), n.Name, fmt.Sprint(n.Size), fmt.Sprint(convolutions(n)), mega(n.Params), giga(n.MACs), factor)
		before = n
	}
	mean := math.Pow(float64(before.MACs)/first, 1.0/7)
	t.add(holds(1.8 <= mean && mean <= 2.2), "mean factor", "", "", "", "", fmt.Sprintf("%.2f", mean))
	return t.result(true, fmt.Sprintf("a step takes %.2f times the MACs of the one before, in the geometric mean", mean))
}

func firstLinear(e *evidence) Result {
	t := tally{heads: []string{"network", "first linear layer", "all", "share"}}
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
		share := float64(n.Layers[i].Params) / float64(n.Params)
		t.add(holds(share > 0.5), name, mega(n.Layers[i].Params), mega(n.Params), fmt.Sprintf("%.1f %%", 100*share))
	}
	return t.result(true, "")
}

// gates counts, family by family, the networks that multiply channels by a computed value.
func gates(e *evidence) Result {
	r := Result{Verdict: Described, Heads: []string{"family", "networks", "with gates"}}
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
		}
	}
	r.Summary = fmt.Sprintf("%d of the zoo's %d networks scale channels or pixels by values that they compute", sum, len(e.order))
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
	r.Summary = fmt.Sprintf("%d families from %s to %s", len(r.Rows), r.Rows[0][0], r.Rows[len(r.Rows)-1][0])
	return r
}
