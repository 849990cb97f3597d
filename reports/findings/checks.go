package findings

import (
	"fmt"
	"slices"
)

// checkedClaims are arithmetic: they follow from how the networks are defined, and nothing about a network could refute
// them. One that fails is a mistake in the zoo's tables.
func checkedClaims() []Claim {
	claims := []Claim{
		{
			ID: "stacked-3x3", Theme: Depth,
			Text:     "Three 3×3 layers of C channels have 27 C² weights, where one 7×7 layer has 49 C².",
			Source:   "VGG, arXiv:1409.1556, section 2.3",
			Needs:    "the graph of vgg16",
			Confirms: "the last three convolutions of vgg16 have exactly 27 C² weights",
			Refutes:  "they have more or fewer",
			Note:     "The paper adds that both cover as many pixels; that is not counted here.",
			test:     stacked3x3,
		},
		{
			ID: "depthwise-separable-ratio", Theme: Small,
			Text:     "A depthwise-separable layer takes 1/N + 1/k² of a regular layer's multiply-accumulates, with N outputs and k×k windows.",
			Source:   "MobileNet v1, arXiv:1704.04861, section 3.1; the review's conclusion on MobileNet",
			Needs:    "the graph of mobilenetv1_100",
			Confirms: "the ratio is exact in every block",
			Refutes:  "a block has another ratio",
			test:     depthwiseRatio,
		},
		{
			ID: "vgg19-is-vgg16-with-more", Theme: Depth,
			Text:     "VGG-19 is VGG-16 with three more convolutions.",
			Source:   "VGG, arXiv:1409.1556, table 1; the review's conclusion on VGG",
			Needs:    "the graphs of vgg19 and vgg16",
			Confirms: "it has three more convolutions, and linear layers with as many parameters",
			Refutes:  "there is another difference",
			test:     moreConvolutions,
		},
		{
			ID: "factorised-inception", Theme: Inceptions,
			Text:     "A 1×7 and a 7×1 convolution take fewer multiply-accumulates than the 7×7 convolution that they replace.",
			Source:   "Inception v3, arXiv:1512.00567, section 3.2",
			Needs:    "the graph of inception_v3",
			Confirms: "every pair takes fewer MACs",
			Refutes:  "a pair takes more",
			Note:     "The paper factors n×n windows for any n; the network has n = 7 alone, one convolution after the other.",
			test:     factorised,
		},
	}
	for i := range claims {
		claims[i].Tier, claims[i].Remedy = Checked, ByGraphs
	}
	return claims
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
	t.fact(sum == 27*c*c, "", last[0].Name+" to "+last[2].Name, fmt.Sprint(c),
		fmt.Sprintf("%d = %.0f C²", sum, float64(sum)/float64(c*c)), fmt.Sprintf("%d = 49 C²", 49*c*c))
	return t.result(true, fmt.Sprintf("The last three layers of vgg16 have %.1f %% of the weights of one 7×7 layer.",
		100*float64(sum)/float64(49*c*c)))
}

func moreConvolutions(e *evidence) Result {
	t := tally{heads: pairHeads()}
	a, b := e.network("vgg19", &t.lacks), e.network("vgg16", &t.lacks)
	if a == nil || b == nil {
		return t.result(true, "")
	}
	alike := slices.Equal(linears(a), linears(b))
	t.fact(alike && convolutions(a) == convolutions(b)+3, "", pairCells(a, b)...)
	text := fmt.Sprintf("vgg19 has %d convolutions and vgg16 has %d", convolutions(a), convolutions(b))
	if alike {
		return t.result(true, text+"; their linear layers have as many parameters.")
	}
	return t.result(true, text+"; their linear layers differ in parameters.")
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
		t.fact(exact, "", l.Name, fmt.Sprint(outs), fmt.Sprintf("%d×%d", l.Kernel[0], l.Kernel[1]),
			fmt.Sprintf("%.5f", float64(l.MACs+next.MACs)/float64(regular)), fmt.Sprintf("%.5f", 1/float64(outs)+1/float64(k2)))
	}
	return t.result(true, fmt.Sprintf("mobilenetv1_100 takes %s MACs; with regular layers it would take %.1f times as many.",
		giga(split), float64(full)/float64(split)))
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
		t.fact(a.MACs+b.MACs < regular, "", a.Name+", "+b.Name, fmt.Sprintf("%d×%d", side, side), giga(a.MACs+b.MACs), giga(regular),
			fmt.Sprintf("%.0f %%", 100-100*float64(a.MACs+b.MACs)/float64(regular)))
		sum, whole = sum+a.MACs+b.MACs, whole+regular
		i = j
	}
	if whole == 0 {
		t.lacks.add("1×7 and 7×1 convolutions in the graph of inception_v3")
		return t.result(true, "")
	}
	return t.result(true, fmt.Sprintf("The pairs of inception_v3 take %s MACs instead of %s, %.0f %% fewer.",
		giga(sum), giga(whole), 100-100*float64(sum)/float64(whole)))
}
