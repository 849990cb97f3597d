package findings

import "zoobench/bench/record"

// accuracyClaims are tested on top-1 of published weights, measured on the same images at one input size. The networks of a
// pair were trained by one recipe from the same images, unless a claim is about recipes or data; recipes of one name may differ
// in what their authors fit to a network, as epochs or the rate of learning. A figure of a table of timm or torchvision is at
// the checkpoint's own size where no other is given.
func accuracyClaims() []Claim {
	const weights = "measured top-1 of "
	const counts = "; p, corrected for all comparisons of the claim, is below 0.05"
	claims := []Claim{
		{
			ID: "depth-pays", Theme: Depth,
			Text:     "Deeper ResNets are more accurate, at each step from 18 to 152 layers.",
			Source:   "ResNet, arXiv:1512.03385, section 4.1, tables 2 to 4; the review's conclusion on ResNet",
			Needs:    weights + "resnet18, 34, 50, 101 and 152 with torchvision's first weights (tv_in1k)",
			Confirms: "at each step the deeper network gains" + counts,
			Refutes:  "at a step it loses" + counts,
			Published: "10-crop error: 27.88, 25.03, 22.85, 21.75 and 21.43 % (tables 2 and 3); " +
				"these weights: 69.75, 73.30, 76.16, 77.40, 78.33 (timm)",
			Note: "From 34 to 50 layers the block changes as well.",
			test: gains([][2]string{
				{"resnet34.tv_in1k", "resnet18.tv_in1k"}, {"resnet50.tv_in1k", "resnet34.tv_in1k"},
				{"resnet101.tv_in1k", "resnet50.tv_in1k"}, {"resnet152.tv_in1k", "resnet101.tv_in1k"},
			}),
		},
		{
			ID: "resnet-beats-vgg", Theme: Depth,
			Text:     "ResNet is more accurate than VGG at lower cost.",
			Source:   "ResNet, arXiv:1512.03385, section 4.1 and table 3",
			Needs:    weights + "resnet50, resnet152, vgg16 and vgg19 (tv_in1k), and their graphs",
			Confirms: "ResNet gains" + counts + ", and it has fewer parameters and MACs",
			Refutes:  "it loses" + counts + ", or it has more parameters or MACs",
			Published: "10-crop error: 22.85 and 21.43 % against 28.07 % of VGG-16 (table 3); " +
				"these weights: 76.16 and 78.33 against 71.59 and 72.40 (timm)",
			Note: "torchvision trained all four, VGG at a lower rate of learning; VGG is the paper's, without batch normalisation.",
			test: gains([][2]string{
				{"resnet50.tv_in1k", "vgg16.tv_in1k"}, {"resnet152.tv_in1k", "vgg19.tv_in1k"},
			}, cheaper),
		},
		{
			ID: "inception-order", Theme: Inceptions,
			Text:      "Inception v4 is more accurate than Inception v3.",
			Source:    "Inception v4, arXiv:1602.07261, table 2",
			Needs:     weights + "inception_v3.tf_in1k and inception_v4.tf_in1k",
			Confirms:  "v4 gains" + counts,
			Refutes:   "v4 loses" + counts,
			Published: "top-1 error 20.0 against 21.2 % (table 2); these weights at 299 px: 80.14 against 77.87 (timm)",
			Note:      "Both are of TensorFlow's library and take 299 px. The zoo has no weights of v1 and v2 from there.",
			test:      gains([][2]string{{"inception_v4.tf_in1k", "inception_v3.tf_in1k"}}),
		},
		{
			ID: "inception-residuals", Theme: Inceptions,
			Text:     "Residual connections change the accuracy of an Inception network little: Inception-ResNet v2 is within one point of v4.",
			Source:   "Inception v4, arXiv:1602.07261, abstract and table 2",
			Needs:    weights + "inception_v4.tf_in1k and inception_resnet_v2.tf_in1k",
			Confirms: "the difference is within one point of 0" + counts,
			Refutes:  "it is outside" + counts,
			Published: "residual Inceptions are ahead \"by a thin margin\" (abstract): top-1 error 19.9 against 20.0 % (table 2); " +
				"these weights at 299 px: 80.43 against 80.14 (timm)",
			Note: "The paper built both at a similar cost; they differ in more than residual connections. The bound is ours: " +
				"on 50 000 images, half a point is too close to the published difference of 0.29.",
			test: inceptionResiduals,
		},
		{
			ID: "se-gain", Theme: Attention,
			Text:     "Squeeze-and-excitation makes a ResNet or ResNeXt more accurate, all else equal.",
			Source:   "SENet, arXiv:1709.01507, table 2; the review's conclusion on attention",
			Needs:    weights + "seresnet50 and resnet50 (a1_in1k, a2_in1k, a3_in1k), and of three ResNeXts with it and without (gluon_in1k)",
			Confirms: "with each recipe it gains" + counts,
			Refutes:  "with a recipe it loses" + counts,
			Published: "by one recipe 1.51, 0.79 and 0.85 points for ResNet-50, 101 and 152, 1.01 and 0.48 for ResNeXt-50 and 101 (table 2); " +
				"these weights (timm): 80.01, 80.10 at 224 px and 75.10 at 160 against 80.38, 79.83 and 75.99; " +
				"79.92, 80.89 and 80.88 against 79.35, 80.34 and 80.64",
			Note: "These are the pairs of one recipe among the zoo's checkpoints; the paper's own are not among them.",
			test: gains([][2]string{
				{"seresnet50.a1_in1k", "resnet50.a1_in1k"}, {"seresnet50.a2_in1k", "resnet50.a2_in1k"}, {"seresnet50.a3_in1k", "resnet50.a3_in1k"},
				{"seresnext50_32x4d.gluon_in1k", "resnext50_32x4d.gluon_in1k"},
				{"seresnext101_32x4d.gluon_in1k", "resnext101_32x4d.gluon_in1k"},
				{"seresnext101_64x4d.gluon_in1k", "resnext101_64x4d.gluon_in1k"},
			}),
		},
		{
			ID: "mobilenet-v3-accuracy", Theme: Small,
			Text:      "MobileNet v3-large is more accurate than MobileNet v2 with fewer multiply-accumulates.",
			Source:    "MobileNet v3, arXiv:1905.02244, abstract",
			Needs:     weights + "mobilenetv3_large_100.ra_in1k and mobilenetv2_100.ra_in1k, and their graphs",
			Confirms:  "v3 gains" + counts + ", and it has fewer MACs",
			Refutes:   "v3 loses" + counts + ", or it has as many MACs or more",
			Published: "3.2 points more (abstract); these weights, by timm's RA recipe: 75.78 against 72.91 (timm)",
			Note:      "It has more parameters: 5.5 M against 3.5 M.",
			test:      gains([][2]string{{"mobilenetv3_large_100.ra_in1k", "mobilenetv2_100.ra_in1k"}}, fewerMACs),
		},
		front("efficientnet-front-parameters", "parameters", "figure 1", func(c *record.Cost) int64 { return c.Params }, mega),
		front("efficientnet-front-macs", "multiply-accumulates", "figure 5", func(c *record.Cost) int64 { return c.MACs }, giga),
		{
			ID: "lightweight-trade", Theme: Small,
			Text:      "Lightweight networks give up accuracy for efficiency: ResNet-50 by the same recipe is more accurate.",
			Source:    "the review's conclusion on lightweight networks",
			Needs:     weights + "resnet50 and three small networks (ra_in1k), and of resnet50d and three (ra4_e3600_r224_in1k)",
			Confirms:  "ResNet-50, compared with each small network of its recipe, gains" + counts,
			Refutes:   "compared with one it loses" + counts,
			Published: "these weights (timm): 78.82 against 72.91, 75.78 and 77.70; 80.96 against 75.39, 76.31 and 78.57",
			Note: "By the second recipe ResNet-50 is published only with another stem, as resnet50d. The rival matters: ResNet-34 by that " +
				"recipe (77.49) is less accurate than EfficientNet-B0.",
			test: gains([][2]string{
				{"resnet50.ra_in1k", "mobilenetv2_100.ra_in1k"}, {"resnet50.ra_in1k", "mobilenetv3_large_100.ra_in1k"},
				{"resnet50.ra_in1k", "efficientnet_b0.ra_in1k"},
				{"resnet50d.ra4_e3600_r224_in1k", "mobilenetv1_100.ra4_e3600_r224_in1k"},
				{"resnet50d.ra4_e3600_r224_in1k", "mobilenetv3_large_100.ra4_e3600_r224_in1k"},
				{"resnet50d.ra4_e3600_r224_in1k", "efficientnet_b0.ra4_e3600_r224_in1k"},
			}),
		},
		{
			ID: "searched-against-hand-made", Theme: Scaling,
			Text: "A searched network is more accurate than a hand-made one of the same recipe " +
				"that takes more multiply-accumulates.",
			Source: "the review's conclusion on architecture search",
			Needs: weights + "the searched mobilenetv3_large_100 and efficientnet_b0, and of mobilenetv2_100, " +
				"mobilenetv2_110d and mobilenetv1_100",
			Confirms: "each searched network gains" + counts + ", with fewer MACs",
			Refutes:  "one loses" + counts + ", or has as many MACs or more",
			Published: "these weights (timm): 75.78 against 72.91 and 77.70 against 75.06 (ra_in1k); " +
				"76.31 and 78.57 against 75.39 (ra4_e3600_r224_in1k)",
			Note: "The searched networks also have squeeze-and-excitation and other activations, which the hand-made ones lack: " +
				"the verdict is about these networks, not about the search alone.",
			test: gains([][2]string{
				{"mobilenetv3_large_100.ra_in1k", "mobilenetv2_100.ra_in1k"}, {"efficientnet_b0.ra_in1k", "mobilenetv2_110d.ra_in1k"},
				{"mobilenetv3_large_100.ra4_e3600_r224_in1k", "mobilenetv1_100.ra4_e3600_r224_in1k"},
				{"efficientnet_b0.ra4_e3600_r224_in1k", "mobilenetv1_100.ra4_e3600_r224_in1k"},
			}, fewerMACs),
		},
		{
			ID: "pre-training-decides", Theme: Recipes,
			Text:     "The transformer ViT-B/16 gains more from pre-training on ImageNet-21k than a convolutional network of its size.",
			Source:   "ViT, arXiv:2010.11929, section 4.3 and figure 3",
			Needs:    weights + "vit_base_patch16_224 (augreg_in1k, augreg_in21k_ft_in1k) and convnext_base (fb_in1k, fb_in22k_ft_in1k)",
			Confirms: "ViT-B/16 gains more points than ConvNeXt-B" + counts,
			Refutes:  "it gains fewer" + counts,
			Published: "\"The BiT CNNs outperform ViT on ImageNet, but with the larger datasets, ViT overtakes\" (section 4.3); " +
				"these weights: from 79.15 to 84.53, and from 83.84 to 85.81 (timm)",
			Note: "Each network is compared with itself, by its own authors' recipes. The paper's CNN (BiT), trained on ImageNet-1k alone, " +
				"is not among the zoo's checkpoints; ConvNeXt-B has about as many parameters as ViT-B/16.",
			test: contrasts([][2]training{{
				{"vit_base_patch16_224", "augreg_in1k", "augreg_in21k_ft_in1k"}, {"convnext_base", "fb_in1k", "fb_in22k_ft_in1k"},
			}}),
		},
		{
			ID: "transfer-helps", Theme: Recipes,
			Text:     "Pre-training on ImageNet-21k makes a large network more accurate.",
			Source:   "BiT, arXiv:1912.11370, table 2; the review's conclusion on training",
			Needs:    weights + "ConvNeXt-B, Swin-B and ViT-B/16 with and without pre-training by the same authors",
			Confirms: "each network gains" + counts, Refutes: "one loses" + counts,
			Published: "ResNet-152x4: from 81.30 to 85.39 (table 2); " +
				"these weights (timm): from 83.84 to 85.81, from 83.60 to 85.28 and from 79.15 to 84.53",
			Note: "ImageNet-22k is another name of ImageNet-21k. Fine-tuning is part of the pre-trained network's recipe.",
			test: gains([][2]string{
				{"convnext_base.fb_in22k_ft_in1k", "convnext_base.fb_in1k"},
				{"swin_base_patch4_window7_224.ms_in22k_ft_in1k", "swin_base_patch4_window7_224.ms_in1k"},
				{"vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224.augreg_in1k"},
			}),
		},
		{
			ID: "transfer-by-size", Theme: Recipes,
			Text:     "A large network gains more from pre-training on ImageNet-21k than a small one of its family.",
			Source:   "BiT, arXiv:1912.11370, section 4.1",
			Needs:    weights + "ConvNeXt-B and T, Swin-B and T, ViT-B/16 and S/16 with and without pre-training by the same authors",
			Confirms: "in each family the larger network gains more points" + counts, Refutes: "in one it gains fewer" + counts,
			Published: "\"limited (or even negative) benefit from training a small model on a larger dataset\" (section 4.1); " +
				"these weights (timm): from 83.84 to 85.81 and from 82.07 to 82.90, from 83.60 to 85.28 and from 81.39 to 80.97, " +
				"from 79.15 to 84.53 and from 78.84 to 81.40",
			Note: "Each network is compared with itself, so that its family's recipe makes no difference.",
			test: contrasts([][2]training{
				{{"convnext_base", "fb_in1k", "fb_in22k_ft_in1k"}, {"convnext_tiny", "fb_in1k", "fb_in22k_ft_in1k"}},
				{{"swin_base_patch4_window7_224", "ms_in1k", "ms_in22k_ft_in1k"}, {"swin_tiny_patch4_window7_224", "ms_in1k", "ms_in22k_ft_in1k"}},
				{{"vit_base_patch16_224", "augreg_in1k", "augreg_in21k_ft_in1k"}, {"vit_small_patch16_224", "augreg_in1k", "augreg_in21k_ft_in1k"}},
			}),
		},
		{
			ID: "recipe-spread", Theme: Recipes,
			Text:   "A recipe can do more than depth: ResNet-50 by a later recipe is more accurate than ResNet-152 by the first one.",
			Source: "a claim of the field; ResNet strikes back, arXiv:2110.00476, abstract; the review's conclusion on training",
			Needs: weights + "resnet152.tv_in1k and of resnet50 under three recipes or more, tv_in1k among them, " +
				"at the same size",
			Confirms: "resnet50 under at least one recipe, compared with resnet152 under the first one, gains" + counts +
				" (all recipes are tested)",
			Refutes:   "under every recipe it loses" + counts,
			Published: "ResNet-50 reaches 80.4 at 224 px (abstract); these weights: 76.16 (timm) to 80.86 (torchvision) against 78.33 (timm)",
			Note:      "Checkpoints that were trained on more images than ImageNet-1k's are left out: that is more than a recipe.",
			test:      recipeSpread,
		},
		{
			ID: "senet-154", Theme: Attention,
			Text:      "SENet won ILSVRC 2017 with 2.251 % top-5 error, a quarter below the year before.",
			Source:    "SENet, arXiv:1709.01507, abstract; the review's conclusion on SENet",
			Needs:     weights + "legacy_senet154.in1k, which is one network of that ensemble",
			Confirms:  never + ": an ensemble made that figure on the challenge's test set; the table shows the one network's",
			Refutes:   never,
			Published: "SENet-154 alone at 224 px: top-5 error 4.47 % (table 8), of these weights 4.50 % (timm)",
			test:      senet154,
		},
	}
	for i := range claims {
		claims[i].Tier, claims[i].Remedy = Judged, ByAccuracy
	}
	return claims
}
