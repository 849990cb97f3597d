package findings

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// A gain or a loss is one whose interval leaves 0 out.
const (
	gain = "gains, and its interval is above 0"
	loss = "loses, and its interval is below 0"
)

// accuracyClaims are tested on top-1 of published weights, measured on the same images. Where a published figure carries
// no size, it is that of the checkpoint's own.
func accuracyClaims() []Claim {
	const weights = "measured top-1 of "
	return []Claim{
		{
			ID: "depth-pays", Tier: Judged,
			Text:      "Deeper ResNets are more accurate, but each step gains less.",
			Source:    "ResNet, arXiv:1512.03385, table 4; the review's conclusion on ResNet",
			Needs:     weights + "resnet18, 34, 50, 101 and 152 with torchvision's first weights (tv_in1k)",
			Confirms:  "every step " + gain,
			Refutes:   "a step " + loss,
			Published: "69.75, 73.30, 76.16, 77.40, 78.33 at 224 px (timm)",
			Note:      "The gains are shown; that each is less than the one before is not tested.",
			test: gains(oneSize, [][2]string{
				{"resnet34.tv_in1k", "resnet18.tv_in1k"}, {"resnet50.tv_in1k", "resnet34.tv_in1k"},
				{"resnet101.tv_in1k", "resnet50.tv_in1k"}, {"resnet152.tv_in1k", "resnet101.tv_in1k"},
			}),
		},
		{
			ID: "resnet-beats-vgg", Tier: Judged,
			Text:      "ResNet is more accurate than VGG at lower cost.",
			Source:    "ResNet, arXiv:1512.03385, section 4.1",
			Needs:     weights + "resnet50, resnet152, vgg16 and vgg19 (tv_in1k), and their graphs",
			Confirms:  "ResNet " + gain + "; it has fewer parameters and MACs",
			Refutes:   "it " + loss + ", or it has more parameters or MACs",
			Published: "76.16 and 78.33 against 71.59 and 72.40 at 224 px (timm)",
			test: gains(oneSize, [][2]string{
				{"resnet50.tv_in1k", "vgg16.tv_in1k"}, {"resnet152.tv_in1k", "vgg19.tv_in1k"},
			}, cheaper),
		},
		{
			ID: "resnet-v2-accuracy", Tier: Judged,
			Text:     "Pre-activation makes ResNets more accurate, mostly the deep ones.",
			Source:   "ResNet v2, arXiv:1603.05027, table 5; the review's conclusion on ResNet v2",
			Needs:    weights + "resnetv2_50, resnetv2_101, resnet50 and resnet101 (a1h_in1k)",
			Confirms: "either depth " + gain,
			Refutes:  "a depth " + loss,
			Published: "error at 320 px: 21.3 to 21.1 % at 152 layers, 21.8 to 20.7 % at 200; top-1 of these weights (timm): " +
				"80.41 at 224 px against 79.26 at 176 (80.65 at 224), 82.04 against 81.95 at 224",
			Note: "The zoo knows no weights of 152 or 200 layers under one recipe. The own size of resnet50.a1h_in1k is 176 px, " +
				"that of the others 224: an experiment with img_size compares them at one size.",
			test: gains(oneSize, [][2]string{
				{"resnetv2_50.a1h_in1k", "resnet50.a1h_in1k"}, {"resnetv2_101.a1h_in1k", "resnet101.a1h_in1k"},
			}),
		},
		{
			ID: "inception-order", Tier: Judged,
			Text:     "Each Inception is more accurate than the one before, from v1 to v4, each at its own input size.",
			Source:   "Inception v4, arXiv:1602.07261",
			Needs:    weights + "googlenet, bninception, inception_v3 and inception_v4",
			Confirms: "every step " + gain,
			Refutes:  "a step " + loss,
			Published: "69.78 at 224 px (torchvision), 77.87 and 80.14 at 299 (timm); " +
				"of other weights: v2 73.9 at 224 (TF-Slim)",
			Note: "v1 and v2 take 224 pixels, v3 and v4 take 299: the pixels may be part of what a step gains.",
			test: gains(ownSizes, [][2]string{
				{"bninception.in1k", "googlenet.IMAGENET1K_V1"}, {"inception_v3.tf_in1k", "bninception.in1k"},
				{"inception_v4.tf_in1k", "inception_v3.tf_in1k"},
			}),
		},
		{
			ID: "inception-residuals", Tier: Judged,
			Text:     "Residual connections change Inception's accuracy by less than half a point.",
			Source:   "Inception v4, arXiv:1602.07261, table 2",
			Needs:    weights + "inception_v4.tf_in1k and inception_resnet_v2.tf_in1k",
			Confirms: "the interval of the difference is within half a point of 0",
			Refutes:  "it is outside",
			Published: "top-1 error 20.0 against 19.9 %; " +
				"top-1 of these weights at 299 px (timm): 80.14 against 80.43",
			test: inceptionResiduals,
		},
		{
			ID: "se-gain", Tier: Judged,
			Text:     "Squeeze-and-excitation makes ResNets more accurate at every depth.",
			Source:   "SENet, arXiv:1709.01507, table 2; the review's conclusion on attention",
			Needs:    weights + "legacy_seresnet50, 101 and 152 (in1k) and resnet50, 101 and 152 (tv_in1k)",
			Confirms: "every depth " + gain,
			Refutes:  "a depth " + loss,
			Published: "gains of 1.5, 0.8 and 0.9 points; " +
				"top-1 of these weights at 224 px (timm): 77.65, 78.37 and 78.66 against 76.16, 77.40 and 78.33",
			Note: "The weights come from two recipes: the authors' for SE and torchvision's without.",
			test: gains(oneSize, [][2]string{
				{"legacy_seresnet50.in1k", "resnet50.tv_in1k"}, {"legacy_seresnet101.in1k", "resnet101.tv_in1k"},
				{"legacy_seresnet152.in1k", "resnet152.tv_in1k"},
			}),
		},
		{
			ID: "mobilenet-v2-by-recipe", Tier: Judged,
			Text:     "MobileNet v2 is more accurate than v1 at lower cost, whatever the recipe.",
			Source:   "MobileNet v2, arXiv:1801.04381, table 4; the review's conclusion on MobileNet",
			Needs:    weights + "mobilenetv2_100.ra_in1k and mobilenetv1_100.ra4_e3600_r224_in1k",
			Confirms: "v2 " + gain,
			Refutes:  "v2 " + loss + ": the recipe reverses the order",
			Published: "72.0 against 70.6 in the papers; " +
				"72.91 against 75.39 at 224 px with timm's longer recipe for v1",
			Note: "The zoo knows no weights of both under one recipe.",
			test: gains(oneSize, [][2]string{{"mobilenetv2_100.ra_in1k", "mobilenetv1_100.ra4_e3600_r224_in1k"}}, cheaper),
		},
		front("efficientnet-front-parameters", "parameters", func(c *record.Cost) int64 { return c.Params }, mega),
		front("efficientnet-front-macs", "multiply-accumulates", func(c *record.Cost) int64 { return c.MACs }, giga),
		front("efficientnet-front-latency", "latency", nil, nil),
		{
			ID: "lightweight-trade", Tier: Judged,
			Text:     "Lightweight networks give up accuracy for efficiency.",
			Source:   "the review's conclusion on lightweight networks",
			Needs:    weights + "resnet50.IMAGENET1K_V2 and of six small networks",
			Confirms: "ResNet-50 " + gain + ", compared with each of them",
			Refutes:  "it " + loss + ", compared with any",
			Published: "80.86 (torchvision) against 72.91, 75.78 (timm), 69.36 (torchvision), " +
				"73.96, 77.70 (timm) and 58.18 (torchvision), all at 224 px",
			test: gains(oneSize, [][2]string{
				{"resnet50.IMAGENET1K_V2", "mobilenetv2_100.ra_in1k"}, {"resnet50.IMAGENET1K_V2", "mobilenetv3_large_100.ra_in1k"},
				{"resnet50.IMAGENET1K_V2", "shufflenet_v2_x1_0.IMAGENET1K_V1"}, {"resnet50.IMAGENET1K_V2", "ghostnet_100.in1k"},
				{"resnet50.IMAGENET1K_V2", "efficientnet_b0.ra_in1k"}, {"resnet50.IMAGENET1K_V2", "squeezenet1_1.IMAGENET1K_V1"},
			}),
		},
		{
			ID: "searched-against-hand-made", Tier: Judged,
			Text:      "Searched networks are more accurate than hand-made ones with as many multiply-accumulates.",
			Source:    "MnasNet, arXiv:1807.11626, table 1; the review's conclusion on architecture search",
			Needs:     weights + "mnasnet_100, semnasnet_100 and mobilenetv2_100",
			Confirms:  "either searched network " + gain,
			Refutes:   "one " + loss,
			Published: "74.67 and 75.45 against 72.91 at 224 px (timm)",
			test: gains(oneSize, [][2]string{
				{"mnasnet_100.rmsp_in1k", "mobilenetv2_100.ra_in1k"}, {"semnasnet_100.rmsp_in1k", "mobilenetv2_100.ra_in1k"},
			}),
		},
		{
			ID: "convolution-and-attention", Tier: Judged,
			Text: "Convolution with attention beats either alone with as many multiply-accumulates, " +
				"each network at its own input size.",
			Source: "CoAtNet, arXiv:2106.04803; the review's conclusion on transformers",
			Needs: weights + "coatnet_0_rw_224.sw_in1k, tf_efficientnet_b4.aa_in1k, vit_small_patch16_224.augreg_in1k " +
				"and convnext_tiny.fb_in1k",
			Confirms:  "CoAtNet " + gain + ", compared with each of the others (4.4, 4.4, 4.6 and 4.5 G)",
			Refutes:   "it " + loss + ", compared with any",
			Published: "82.40 at 224 px against 83.04 at 380, and 78.84 and 82.07 at 224 (timm)",
			Note:      "timm's CoAtNet differs from the paper's network in details, and EfficientNet-B4 takes 380 pixels.",
			test: gains(ownSizes, [][2]string{
				{"coatnet_0_rw_224.sw_in1k", "tf_efficientnet_b4.aa_in1k"}, {"coatnet_0_rw_224.sw_in1k", "vit_small_patch16_224.augreg_in1k"},
				{"coatnet_0_rw_224.sw_in1k", "convnext_tiny.fb_in1k"},
			}),
		},
		{
			ID: "pre-training-decides", Tier: Judged,
			Text:   "Pre-training data decides between transformer and CNN: ViT wins with more of it and loses without.",
			Source: "ViT, arXiv:2010.11929, section 4.3",
			Needs:  weights + "vit_base_patch16_224 with augreg_in1k and augreg_in21k_ft_in1k, and resnet152.IMAGENET1K_V2",
			Confirms: "ViT-B/16 loses to ResNet-152 if it is trained on ImageNet-1k alone and wins if it is pre-trained on 21k, " +
				"and the intervals leave 0 out",
			Refutes:   "one of the two is the other way round",
			Published: "79.15 and 84.53 (timm) against 82.28 (torchvision) at 224 px",
			test: gains(oneSize, [][2]string{
				{"resnet152.IMAGENET1K_V2", "vit_base_patch16_224.augreg_in1k"},
				{"vit_base_patch16_224.augreg_in21k_ft_in1k", "resnet152.IMAGENET1K_V2"},
			}),
		},
		{
			ID: "transfer-helps", Tier: Judged,
			Text:   "Accuracy does not come from architecture alone: pre-training on more data raises it.",
			Source: "BiT, arXiv:1912.11370; the review's conclusion on training",
			Needs: weights + "resnetv2_50x1_bit.goog_in21k_ft_in1k and resnetv2_50.a1h_in1k, " +
				"and convnext_tiny with fb_in22k_ft_in1k and fb_in1k",
			Confirms:  "the pre-trained network of each pair " + gain,
			Refutes:   "one " + loss,
			Published: "80.39 at 448 px against 80.41 at 224; 82.90 against 82.07 at 224 (timm)",
			Note: "The own size of the first checkpoint is 448 px, that of its counterpart 224: " +
				"an experiment with img_size compares them at one size.",
			test: gains(oneSize, [][2]string{
				{"resnetv2_50x1_bit.goog_in21k_ft_in1k", "resnetv2_50.a1h_in1k"}, {"convnext_tiny.fb_in22k_ft_in1k", "convnext_tiny.fb_in1k"},
			}),
		},
		{
			ID: "recipe-spread", Tier: Judged,
			Text:   "One network's accuracies under several recipes are as far apart as those of the networks that tables rank.",
			Source: "ResNet strikes back, arXiv:2110.00476; the review's conclusion on training",
			Needs: weights + "resnet152.tv_in1k and of resnet50 under three recipes or more, tv_in1k among them, " +
				"at the same size",
			Confirms:  "resnet50 under its best recipe, compared with resnet152 under the first one, " + gain,
			Refutes:   "it " + loss,
			Published: "76.16 (timm) to 80.86 (torchvision) against 78.33 (timm) at 224 px",
			Note:      "Checkpoints that were trained on more images than ImageNet-1k's are left out: that is more than a recipe.",
			test:      recipeSpread,
		},
		{
			ID: "senet-154", Tier: Judged,
			Text:      "SENet won ILSVRC 2017 with 2.251 % top-5 error, a quarter below the year before.",
			Source:    "SENet, arXiv:1709.01507, section 5; the review's conclusion on SENet",
			Needs:     weights + "legacy_senet154.in1k, which is one network of that ensemble",
			Confirms:  never + ": an ensemble made that figure on the challenge's test set; the table shows the one network's",
			Refutes:   never,
			Published: "SENet-154 alone at 224 px: top-5 error 4.47 %, of these weights 4.50 % (timm)",
			test:      senet154,
		},
	}
}

// An extra is a further condition on the graphs of a pair.
type extra func(a, b *Network) bool

// cheaper reports whether a has fewer parameters and MACs than b.
func cheaper(a, b *Network) bool { return a.Params < b.Params && a.MACs < b.MACs }

// gains compares the top-1 of pairs of checkpoints, each as network.tag: the first is claimed to be more accurate.
func gains(at sizes, names [][2]string, conditions ...extra) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{
			heads: []string{"checkpoint", "px", "top-1", "compared with", "px", "top-1", "points gained", "images", "test"},
			plot:  Plot{What: "points of top-1 that the first has more than the second", Marks: []float64{0}},
		}
		var steps []string
		for _, p := range names {
			ra, rb := e.pair(p[0], p[1], at, &t.lacks)
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
			t.add(a, p[0], px(ra), top1(ra), p[1], px(rb), top1(rb), g.String(), fmt.Sprint(ra.Images), g.test())
			t.show(p[0]+" over "+p[1], g.span)
		}
		summary := ""
		if len(steps) > 0 {
			summary = "gains of " + strings.Join(steps, ", ") + " points"
		}
		return t.result(true, summary)
	}
}

func pairHeads() []string {
	return []string{"checkpoint", "px", "top-1", "compared with", "px", "top-1", "points gained", "test"}
}

func inceptionResiduals(e *evidence) Result {
	t := tally{heads: pairHeads(), plot: Plot{What: "points of top-1 gained", Marks: []float64{-0.5, 0.5}}}
	a, b := e.pair("inception_resnet_v2.tf_in1k", "inception_v4.tf_in1k", oneSize, &t.lacks)
	if a == nil || b == nil {
		return t.result(true, "")
	}
	if g, ok := e.gain(a, b, &t.lacks); ok {
		t.add(within(g.span, -0.5, 0.5), a.Name(), px(a), top1(a), b.Name(), px(b), top1(b), g.String(), g.test())
		t.show(a.Name()+" over "+b.Name(), g.span)
	}
	return t.result(true, "")
}

func sortedKeys(m map[string][]*record.Record) []string { return slices.Sorted(maps.Keys(m)) }

// moreImages reports whether a checkpoint's tag names training on more than ImageNet-1k's images, in timm's words or
// torchvision's.
func moreImages(tag string) bool {
	return slices.ContainsFunc(strings.Split(strings.ToLower(tag), "_"), func(word string) bool {
		switch word {
		case "ft", "ssl", "swsl", "wsl", "swag", "seer", "jft", "openai":
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
	t := tally{heads: pairHeads(), plot: Plot{What: "top-1 measured here (%)"}}
	big, first := e.pair("resnet152.tv_in1k", "resnet50.tv_in1k", oneSize, &t.lacks)
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
	}
	for _, r := range append(all, big) {
		t.plot.Estimates = append(t.plot.Estimates, Estimate{r.Name(), r.Top1, r.Top1Lo, r.Top1Hi, r.Model})
	}
	if g, ok := e.gain(best, big, &t.lacks); ok {
		t.add(g.above0(), best.Name(), px(best), top1(best), big.Name(), px(big), top1(big), g.String(), g.test())
	}
	return t.result(true, fmt.Sprintf("resnet50 from %.2f %% (%s) to %.2f %% (%s), %.1f points by recipe",
		worst.Top1, worst.Checkpoint, best.Top1, best.Checkpoint, best.Top1-worst.Top1))
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
		Heads: []string{"checkpoint", "px", "top-1", "top-5 error"},
		Rows:  [][]string{{r.Name(), px(r), top1(r), fmt.Sprintf("%.2f %% [%.2f, %.2f]", 100-r.Top5, 100-r.Top5Hi, 100-r.Top5Lo)}},
	}
}
