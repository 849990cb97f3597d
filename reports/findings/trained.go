package findings

// trainedClaims take what zoobench does not do: training, other tasks, private data, networks that the zoo lacks.
func trainedClaims() []Claim {
	const training = "training under one recipe, which zoobench does not do"
	const alexNet, vgg = "the review, on AlexNet", "the review, on VGG"
	var all []Claim
	for _, c := range []struct{ id, text, source, missing, published, note string }{
		{
			"cnns-won", "CNNs became the mainstream of image classification after 2012.", "the review, section 1",
			training + "; and history cannot be measured", "", "",
		},
		{
			"backbones", "Networks for detection and segmentation mostly derive from classification networks.", "the review, section 1",
			"other tasks than classification", "", "",
		},
		{
			"remote-sensing", "CNNs lead in the classification of remote-sensing scenes.", "the review, section 1",
			"a licensed set of scenes, and " + training, "", "",
		},
		{"relu-converges", "ReLU converges faster than sigmoid and keeps gradients alive.", alexNet, training, "", ""},
		{"dropout", "Dropout reduces overfitting in fully connected layers.", alexNet, training, "", ""},
		{"augmentation", "Flips, crops and colour changes reduce overfitting.", alexNet, training, "", ""},
		{"overlapping-pools", "Pools that overlap improve accuracy.", alexNet, training, "", ""},
		{
			"multi-scale-training", "Training at several scales works as augmentation.", vgg, training,
			"VGG-16: top-1 error 26.6 to 24.8 % (arXiv:1409.1556, table 4)", "The scales of its test differ too.",
		},
		{
			"plain-nets-degrade", "Without residuals, training error rises with depth.", "ResNet, arXiv:1512.03385, figure 1",
			training, "", "",
		},
		{
			"residuals-speed-training", "Residual connections speed up Inception's training.", "Inception v4, arXiv:1602.07261",
			training, "", "",
		},
		{
			"compound-best", "Scaling depth, width and resolution together beats scaling one of them.",
			"EfficientNet, arXiv:1905.11946, table 7", training, "79.0, 78.9, 79.1 and together 81.1 % at 1.8 G", "",
		},
		{
			"spatial-attention", "BAM and CBAM, with spatial and channel attention, beat channel attention alone.", "a claim of the field",
			"BAM and CBAM networks, which the zoo lacks",
			"ResNeXt-50's top-1 error: plain 22.23, BAM 21.70, CBAM 21.40, SE 21.12, SK 20.79 % (SKNet's table)",
			"These figures are against the claim.",
		},
		{
			"pruning-distillation", "Pruning and distillation make networks smaller at little loss of accuracy.",
			"the review, on lightweight networks", training, "", "",
		},
		{
			"little-supervision", "CNNs do less well in semi- and unsupervised learning than language models do.", "the review's conclusion",
			"other tasks than supervised classification", "", "",
		},
		{
			"coatnet-led", "CoAtNet led with 90.88 % top-1.", "CoAtNet, arXiv:2106.04803; the review's conclusion",
			"JFT-3B, on which it was trained: the data are private, and so are the weights", "90.88 %", "",
		},
		{
			"traditional-parts", "Activation functions, dropout and batch normalisation may hold CNNs back.", "the review's conclusion",
			training + "; another finding shows what normalisation costs in time", "", "",
		},
		{
			"hand-design-is-hard", "Designing a strong network by hand is hard work, and search makes it easier.", "the review's conclusion",
			"a measure of people's work; other findings compare searched and hand-made networks", "", "",
		},
	} {
		all = append(all, Claim{
			ID: c.id, Text: c.text, Source: c.source, Tier: Trained, Needs: c.missing, Published: c.published, Note: c.note,
			Confirms: "not defined here", Refutes: "not defined here",
			test: func(*evidence) Result { return Result{Verdict: Untestable, Missing: []string{c.missing}} },
		})
	}
	return all
}
