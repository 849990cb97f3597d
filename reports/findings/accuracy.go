package findings

import (
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// accuracyClaims are tested on top-1 of published weights, measured on the same images.
func accuracyClaims() []Claim {
	const weights = "measured top-1 of "
	return []Claim{
		{
			ID: "depth-pays", Text: "Deeper ResNets are more accurate, by steps that shrink.",
			Source: "ResNet, arXiv:1512.03385, table 4; the review's conclusion on ResNet", Tier: Judged,
			Needs: weights + "resnet18, 34, 50, 101 and 152 with torchvision's first weights (tv_in1k)", Confirms: "every step gains, its interval over 0", Refutes: "a step loses, its interval under 0",
			Published: "69.75, 73.30, 76.16, 77.40, 78.33 (timm)", Note: "That the steps shrink is told and has no interval of its own.",
			test: gains(true, [][2]string{{"resnet34.tv_in1k", "resnet18.tv_in1k"}, {"resnet50.tv_in1k", "resnet34.tv_in1k"}, {"resnet101.tv_in1k", "resnet50.tv_in1k"}, {"resnet152.tv_in1k", "resnet101.tv_in1k"}}),
		},
		{
			ID: "resnet-beats-vgg", Text: "ResNet is more accurate than VGG at lower cost.",
			Source: "ResNet, arXiv:1512.03385, section 4.1", Tier: Judged, Needs: weights + "resnet50, resnet152, vgg16 and vgg19 (tv_in1k), and their graphs",
			Confirms: "more accurate by the interval, with fewer parameters and MACs", Refutes: "less accurate, or dearer", Published: "76.16 and 78.33 against 71.59 and 72.40 (timm)",
			test: gains(true, [][2]string{{"resnet50.tv_in1k", "vgg16.tv_in1k"}, {"resnet152.tv_in1k", "vgg19.tv_in1k"}}, cheaper),
		},
		{
			ID: "resnet-v2-accuracy", Text: "Pre-activation makes ResNets more accurate, mostly the deep ones.",
			Source: "ResNet v2, arXiv:1603.05027, table 5; the review's conclusion on ResNet v2", Tier: Judged, Needs: weights + "resnetv2_50, resnetv2_101, resnet50 and resnet101 (a1h_in1k)",
			Confirms: "a gain by the interval at both depths", Refutes: "a loss at either", Published: "error at 320 px: 21.3 to 21.1 % at 152 layers, 21.8 to 20.7 % at 200",
			Note: "No weights of 152 or 200 layers under one recipe are known to the zoo.",
			test: gains(false, [][2]string{{"resnetv2_50.a1h_in1k", "resnet50.a1h_in1k"}, {"resnetv2_101.a1h_in1k", "resnet101.a1h_in1k"}}),
		},
		{
			ID: "inception-order", Text: "Each Inception is more accurate than the one before, from v1 to v4.",
			Source: "Inception v4, arXiv:1602.07261", Tier: Judged, Needs: weights + "googlenet, bninception, inception_v3 and inception_v4",
			Confirms: "every step gains, its interval over 0", Refutes: "a step loses", Published: "69.8, 73.9, 78.0 (TF-Slim) and 80.2 (Cadene)", Note: "v1 and v2 take 224 pixels, v3 and v4 299.",
			test: gains(true, [][2]string{{"bninception.in1k", "googlenet.IMAGENET1K_V1"}, {"inception_v3.tf_in1k", "bninception.in1k"}, {"inception_v4.tf_in1k", "inception_v3.tf_in1k"}}),
		},
		{
			ID: "inception-residuals", Text: "Residual connections change Inception's accuracy by under half a point.",
			Source: "Inception v4, arXiv:1602.07261, table 2", Tier: Judged, Needs: weights + "inception_v4.tf_in1k and inception_resnet_v2.tf_in1k",
			Confirms: "the interval of the difference lies within half a point of 0", Refutes: "it lies outside", Published: "top-1 error 20.0 against 19.9 %", test: inceptionResiduals,
		},
		{
			ID: "se-gain", Text: "Squeeze-and-excitation makes ResNets more accurate at every depth.",
			Source: "SENet, arXiv:1709.01507, table 2; the review's conclusion on attention", Tier: Judged, Needs: weights + "legacy_seresnet50, 101 and 152 (in1k) and resnet50, 101 and 152 (tv_in1k)",
			Confirms: "a gain by the interval at every depth", Refutes: "a loss at any", Published: "gains of 1.5, 0.8 and 0.9 points",
			Note: "The weights come from two recipes: the authors' for SE and torchvision's without.",
			test: gains(false, [][2]string{{"legacy_seresnet50.in1k", "resnet50.tv_in1k"}, {"legacy_seresnet101.in1k", "resnet101.tv_in1k"}, {"legacy_seresnet152.in1k", "resnet152.tv_in1k"}}),
		},
		{
			ID: "mobilenet-v2-by-recipe", Text: "MobileNet v2 is more accurate than v1 at lower cost, whatever the recipe.",
			Source: "MobileNet v2, arXiv:1801.04381, table 4; the review's conclusion on MobileNet", Tier: Judged, Needs: weights + "mobilenetv2_100.ra_in1k and mobilenetv1_100.ra4_e3600_r224_in1k",
			Confirms: "v2 gains by the interval", Refutes: "v2 loses: the recipe reverses the order", Published: "72.0 against 70.6 in the papers; 72.91 against 76.09 with timm's longer recipe for v1",
			Note: "Weights of both under one recipe are not known to the zoo.",
			test: gains(false, [][2]string{{"mobilenetv2_100.ra_in1k", "mobilenetv1_100.ra4_e3600_r224_in1k"}}, cheaper),
		},
		front("efficientnet-front-parameters", "parameters", func(n *Network, _ *record.Record) float64 { return float64(n.Params) }, false),
		front("efficientnet-front-macs", "multiply-accumulates", func(n *Network, _ *record.Record) float64 { return float64(n.MACs) }, false),
		front("efficientnet-front-latency", "latency", func(_ *Network, r *record.Record) float64 { return float64(r.P50) }, true),
		{
			ID: "lightweight-trade", Text: "Lightweight networks give up accuracy for efficiency.",
			Source: "the review's conclusion on lightweight networks", Tier: Judged, Needs: weights + "resnet50.tv2_in1k and of small networks",
			Confirms: "each is less accurate by the interval", Refutes: "any is more accurate", Published: "80.85 against 69.36 to 77.70 (timm, torchvision)",
			test: gains(false, [][2]string{
				{"resnet50.tv2_in1k", "mobilenetv2_100.ra_in1k"}, {"resnet50.tv2_in1k", "mobilenetv3_large_100.ra_in1k"}, {"resnet50.tv2_in1k", "shufflenet_v2_x1_0.IMAGENET1K_V1"},
				{"resnet50.tv2_in1k", "ghostnet_100.in1k"}, {"resnet50.tv2_in1k", "efficientnet_b0.ra_in1k"}, {"resnet50.tv2_in1k", "squeezenet1_1.IMAGENET1K_V1"},
			}),
		},
		{
			ID: "searched-against-hand-made", Text: "Searched networks are more accurate than hand-made ones of as many multiply-accumulates.",
			Source: "MnasNet, arXiv:1807.11626, table 1; the review's conclusion on architecture search", Tier: Judged, Needs: weights + "mnasnet_100, semnasnet_100 and mobilenetv2_100",
			Confirms: "a gain by the interval in each pair", Refutes: "a loss in any", Published: "74.67 and 75.45 against 72.91 (timm)",
			test: gains(false, [][2]string{{"mnasnet_100.rmsp_in1k", "mobilenetv2_100.ra_in1k"}, {"semnasnet_100.rmsp_in1k", "mobilenetv2_100.ra_in1k"}}),
		},
		{
			ID: "convolution-and-attention", Text: "Convolution with attention beats either alone at equal multiply-accumulates.",
			Source: "CoAtNet, arXiv:2106.04803; the review's conclusion on transformers", Tier: Judged, Needs: weights + "coatnet_0_rw_224.sw_in1k, tf_efficientnet_b4.aa_in1k, vit_small_patch16_224.augreg_in1k and convnext_tiny.fb_in1k",
			Confirms: "CoAtNet gains by the interval on each (4.4, 4.4, 4.6 and 4.5 G)", Refutes: "it loses to any", Published: "82.40 against 83.04, 78.84 and 82.69 at 288 px (timm)",
			Note: "timm's CoAtNet is not the paper's network in every detail, and EfficientNet-B4 takes 380 pixels.",
			test: gains(false, [][2]string{{"coatnet_0_rw_224.sw_in1k", "tf_efficientnet_b4.aa_in1k"}, {"coatnet_0_rw_224.sw_in1k", "vit_small_patch16_224.augreg_in1k"}, {"coatnet_0_rw_224.sw_in1k", "convnext_tiny.fb_in1k"}}),
		},
		{
			ID: "pre-training-decides", Text: "Pre-training data decides between transformer and CNN: ViT wins with more of it and loses without.",
			Source: "ViT, arXiv:2010.11929, section 4.3", Tier: Judged, Needs: weights + "vit_base_patch16_224 with augreg_in1k and augreg_in21k_ft_in1k, and resnet152.tv2_in1k",
			Confirms: "ViT-B/16 loses to ResNet-152 when trained on ImageNet-1k alone and wins when pre-trained on 21k, by the intervals", Refutes: "either is the other way round", Published: "79.15 and 84.53 against 82.29 (timm)",
			test: gains(true, [][2]string{{"resnet152.tv2_in1k", "vit_base_patch16_224.augreg_in1k"}, {"vit_base_patch16_224.augreg_in21k_ft_in1k", "resnet152.tv2_in1k"}}),
		},
		{
			ID: "transfer-helps", Text: "Accuracy does not come from architecture alone: pre-training on more data raises it.",
			Source: "BiT, arXiv:1912.11370; the review's conclusion on training", Tier: Judged, Needs: weights + "resnetv2_50x1_bit.goog_in21k_ft_in1k and resnetv2_50.a1h_in1k, and convnext_tiny with fb_in22k_ft_in1k and fb_in1k",
			Confirms: "a gain by the interval in each pair", Refutes: "a loss in any", Published: "80.39 at 448 px against 81.41 at 288; 82.90 against 82.69 at 288 (timm)",
			test: gains(false, [][2]string{{"resnetv2_50x1_bit.goog_in21k_ft_in1k", "resnetv2_50.a1h_in1k"}, {"convnext_tiny.fb_in22k_ft_in1k", "convnext_tiny.fb_in1k"}}),
		},
		{
			ID: "recipe-spread", Text: "One network under several recipes spreads as far as the networks that tables rank.",
			Source: "ResNet strikes back, arXiv:2110.00476; the review's conclusion on training", Tier: Judged, Needs: weights + "resnet50 under three recipes or more, and resnet152.tv_in1k and resnet50.tv_in1k",
			Confirms: "resnet50's best recipe beats resnet152 under the first one, by the interval", Refutes: "it loses to it", Published: "76.16 to 81.24 against 78.33 (timm)", test: recipeSpread,
		},
		{
			ID: "senet-154", Text: "SENet won ILSVRC 2017 with 2.251 % top-5 error, a quarter below the year before.",
			Source: "SENet, arXiv:1709.01507, section 5; the review's conclusion on SENet", Tier: Judged, Needs: weights + "legacy_senet154.in1k, which is one network of that ensemble",
			Confirms: "nothing: the figure is an ensemble's on the challenge's test set; the one network's is shown", Refutes: "nothing", Published: "SENet-154 alone: top-5 error 4.47 % at 224 px", test: senet154,
		},
	}
}

// An extra is a further condition on the graphs of a pair.
type extra func(a, b *Network) bool

func cheaper(a, b *Network) bool { return a.Params < b.Params && a.MACs < b.MACs }

// gains compares the top-1 of pairs of checkpoints, each as network.tag: the first is claimed to be more accurate.
func gains(whole bool, names [][2]string, conditions ...extra) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: []string{"checkpoint", "top-1", "against", "top-1", "points gained", "images", "test"}, plot: Plot{What: "points of top-1 that the first gains on the second", Marks: []float64{0}}}
		var steps []string
		for _, p := range names {
			ra, rb := e.accuracy(p[0], &t.lacks), e.accuracy(p[1], &t.lacks)
			if ra == nil || rb == nil {
				continue
			}
			g, ok := e.gain(ra, rb, &t.lacks)
			if !ok {
				continue
			}
			a := g.above0()
			for _, ok := range conditions {
				na, nb := e.network(ra.Model, &t.lacks), e.network(rb.Model, &t.lacks)
				if na != nil && nb != nil && !ok(na, nb) {
					a = no
				}
			}
			steps = append(steps, fmt.Sprintf("%+.1f", g.mid))
			t.add(a, p[0], top1(ra), p[1], top1(rb), g.String(), fmt.Sprint(ra.Images), g.test())
			t.show(p[0]+" over "+p[1], g.span)
		}
		summary := ""
		if len(steps) > 0 {
			summary = "gains of " + strings.Join(steps, ", ") + " points"
		}
		return t.result(whole, summary)
	}
}

func inceptionResiduals(e *evidence) Result {
	t := tally{heads: []string{"checkpoint", "top-1", "against", "top-1", "points gained", "test"}, plot: Plot{What: "points of top-1 gained", Marks: []float64{-0.5, 0.5}}}
	a, b := e.accuracy("inception_resnet_v2.tf_in1k", &t.lacks), e.accuracy("inception_v4.tf_in1k", &t.lacks)
	if a == nil || b == nil {
		return t.result(true, "")
	}
	if g, ok := e.gain(a, b, &t.lacks); ok {
		t.add(within(g.span, -0.5, 0.5), a.Name(), top1(a), b.Name(), top1(b), g.String(), g.test())
		t.show(a.Name()+" over "+b.Name(), g.span)
	}
	return t.result(true, "")
}

// front is the claim that EfficientNet stands on the Pareto front of accuracy against a cost.
func front(id, what string, cost func(*Network, *record.Record) float64, timed bool) Claim {
	needs := "measured top-1 of an EfficientNet and of five other networks, and their graphs"
	if timed {
		needs = "measured top-1 and latency of an EfficientNet and of five other networks"
	}
	return Claim{
		ID: id, Text: "EfficientNet stands on the Pareto front of accuracy against " + what + ".",
		Source: "EfficientNet, arXiv:1905.11946, figures 1 and 5", Tier: Judged, Needs: needs,
		Confirms: "no other network is as cheap and as accurate as any EfficientNet measured", Refutes: "one is cheaper and more accurate by the interval than one of them",
		test: func(e *evidence) Result { return onFront(e, cost, timed) },
	}
}

func onFront(e *evidence, cost func(*Network, *record.Record) float64, timed bool) Result {
	type point struct {
		rec  *record.Record
		cost float64
	}
	t := tally{heads: []string{"checkpoint", "top-1", "cheaper and more accurate", "points ahead"}}
	var ours, others []point
	for _, name := range sortedKeys(e.judged) {
		rec := e.judged[name]
		n, r := e.networks[rec.Model], e.single[rec.Model]
		if n == nil || timed && r == nil {
			continue
		}
		p := point{rec, cost(n, r)}
		if strings.HasPrefix(n.Family, "efficientnet") {
			ours = append(ours, p)
		} else {
			others = append(others, p)
		}
	}
	if len(ours) == 0 {
		t.lacks.add("a measured EfficientNet")
	}
	if len(others) < 5 {
		t.lacks.add("five other networks, have %d", len(others))
	}
	if len(t.lacks) > 0 {
		return t.result(true, "")
	}
	for _, p := range ours {
		a, by, ahead := yes, "–", "–"
		worst := 0.0
		for _, o := range others {
			if o.cost > p.cost {
				continue
			}
			var other lacks // a network of other images is no rival and is not asked for
			g, ok := e.gain(o.rec, p.rec, &other)
			if !ok || g.mid <= 0 {
				continue
			}
			if a != no {
				a = opposite(g.above0())
			}
			if g.mid > worst {
				worst, by, ahead = g.mid, o.rec.Name(), g.String()+", "+g.test()
			}
		}
		t.add(a, p.rec.Name(), top1(p.rec), by, ahead)
	}
	return t.result(true, "")
}

func sortedKeys(m map[string]*record.Record) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func recipeSpread(e *evidence) Result {
	t := tally{heads: []string{"checkpoint", "top-1", "against", "top-1", "points gained", "test"}, plot: Plot{What: "top-1 measured here (%)"}}
	big := e.accuracy("resnet152.tv_in1k", &t.lacks)
	e.accuracy("resnet50.tv_in1k", &t.lacks)
	var all []*record.Record
	for _, name := range sortedKeys(e.judged) {
		if r := e.judged[name]; r.Model == "resnet50" && r.Checkpoint != "" {
			all = append(all, r)
		}
	}
	if len(all) < 3 {
		t.lacks.add("top-1 of resnet50 under three recipes, have %d", len(all))
	}
	if len(t.lacks) > 0 {
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
	}
	for _, r := range append(all, big) {
		t.plot.Estimates = append(t.plot.Estimates, Estimate{r.Name(), r.Top1, r.Top1Lo, r.Top1Hi, r.Model})
	}
	if g, ok := e.gain(best, big, &t.lacks); ok {
		t.add(g.above0(), best.Name(), top1(best), big.Name(), top1(big), g.String(), g.test())
	}
	return t.result(true, fmt.Sprintf("resnet50 from %.2f %% (%s) to %.2f %% (%s), %.1f points by recipe", worst.Top1, worst.Checkpoint, best.Top1, best.Checkpoint, best.Top1-worst.Top1))
}

func senet154(e *evidence) Result {
	var l lacks
	r := e.accuracy("legacy_senet154.in1k", &l)
	if r == nil {
		l.add("the ensemble and the challenge's test set, which are not public")
		return Result{Verdict: Untestable, Missing: l}
	}
	return Result{
		Verdict: Described, Summary: fmt.Sprintf("one network alone: top-5 error %.2f %% on %d images", 100-r.Top5, r.Images),
		Heads: []string{"checkpoint", "top-1", "top-5 error"}, Rows: [][]string{{r.Name(), top1(r), fmt.Sprintf("%.2f %% [%.2f, %.2f]", 100-r.Top5, 100-r.Top5Hi, 100-r.Top5Lo)}},
	}
}
