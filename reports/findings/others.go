package findings

// otherClaims take what zoobench does not do or has no weights for: pairs of networks by one recipe on ImageNet, other tasks,
// private data.
func otherClaims() []Claim {
	var all []Claim
	for _, c := range []struct {
		id     string
		theme  Theme
		remedy Remedy

		text, source, missing, published, note string
	}{
		{
			"cnns-won", History, ByOthers, "CNNs became the mainstream of image classification after 2012.", "the review, section 1",
			"a way to measure history", "", "The finding cnns-against-perceptrons compares the networks.",
		},
		{
			"backbones", History, ByOthers, "Networks for detection and segmentation mostly derive from classification networks.",
			"the review, section 1", "other tasks than classification", "", "",
		},
		{
			"remote-sensing", History, ByOthers, "CNNs lead in the classification of remote-sensing scenes.", "the review, section 1",
			"a licensed set of scenes", "", "",
		},
		{
			"resnet-v2-accuracy", Depth, ByWeights, "Pre-activation makes very deep ResNets more accurate: clearly at 200 layers, little at 152.",
			"ResNet v2, arXiv:1603.05027, table 5; the review's conclusion on ResNet v2",
			"weights of ResNet and ResNet v2 of 152 and 200 layers by one recipe; the zoo's pairs have 50 and 101 layers, " +
				"of which the paper claims nothing",
			"top-1 error at 320 px: 21.3 to 21.1 % at 152 layers, 21.8 to 20.7 % at 200 (table 5)", "",
		},
		{
			"mobilenet-v2-accuracy", Small, ByWeights, "MobileNet v2 is more accurate than v1 at lower cost.",
			"MobileNet v2, arXiv:1801.04381, table 4; the review's conclusion on MobileNet",
			"weights of both networks by one recipe; the zoo's of v1 are of a longer recipe than any of v2",
			"72.0 % for 300 M against 70.6 % for 575 M (table 4)",
			"The finding mobilenet-v3-accuracy tests v3 against v2, by one recipe; mobilenet-v2-under-one-recipe is of the study.",
		},
		{
			"convolution-and-attention", Attention, ByWeights, "Convolution with attention beats either alone at the same cost.",
			"CoAtNet, arXiv:2106.04803; the review's conclusion on transformers",
			"weights of CoAtNet, of a convolutional network and of a transformer by one recipe",
			"CoAtNet-0: 81.6 % for 4.2 G at 224 px", "timm's CoAtNets differ from the paper's in details and were trained by a recipe of their own.",
		},
		{
			"pruning-distillation", Small, ByOthers, "Pruning and distillation make networks smaller at little loss of accuracy.",
			"the review, on lightweight networks", "pruned and distilled networks, which zoobench does not make", "", "",
		},
		{
			"little-supervision", Recipes, ByOthers, "CNNs do less well in semi- and unsupervised learning than language models do.",
			"the review's conclusion", "other tasks than supervised classification", "", "",
		},
		{
			"coatnet-led", Attention, ByWeights, "CoAtNet led with 90.88 % top-1.", "CoAtNet, arXiv:2106.04803, abstract; the review's conclusion",
			"JFT-3B, on which it was trained: the data are private, and so are the weights", "90.88 %", "",
		},
		{
			"hand-design-is-hard", Scaling, ByOthers, "Designing a strong network by hand is hard work, and search makes it easier.",
			"the review's conclusion", "a measure of people's work; other findings compare searched and hand-made networks", "", "",
		},
	} {
		all = append(all, Claim{
			ID: c.id, Theme: c.theme, Text: c.text, Source: c.source, Tier: Trained, Needs: c.missing, Published: c.published, Note: c.note,
			Confirms: "not defined here", Refutes: "not defined here", Remedy: c.remedy,
			test: func(*evidence) Result { return Result{Verdict: Untestable, Missing: []string{c.missing}} },
		})
	}
	return all
}
