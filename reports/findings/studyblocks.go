package findings

// blockClaims are about blocks and how networks are scaled, at equal cost.
func blockClaims() []Claim {
	return []Claim{
		{
			ID: "residuals-speed-training", Theme: Inceptions,
			Text:     "Residual connections speed up Inception's training and change its end little.",
			Source:   "Inception v4, arXiv:1602.07261, section 5 and figures 23 to 26",
			Needs:    lessonsOf + "pocket_inception_resnet and pocket_inception, which has all of it but the sums, with learning curves",
			Confirms: "with sums the loss falls to 0.75 of that of guessing in fewer epochs, and accuracy in the end is within two points" + surely,
			Refutes:  "it takes more epochs, or accuracy is outside" + surely,
			Published: "training \"accelerates\" and residual versions are ahead \"by a thin margin\" (abstract): top-1 error 19.9 against " +
				"20.0 % (table 2)",
			Note: "The bound of two points is ours: three seeds differ by about one. The finding inception-residuals is about ImageNet.",
			test: studied("epochs that the network without sums takes more, and points of top-1", func(q *inquiry) {
				const with, without = "pocket_inception_resnet.base", "pocket_inception.base"
				q.compare(epochsTo(share), without, with, 0, slower(without, with))
				q.alike(with, without, 2)
			}),
		},
		{
			ID: "se-at-every-depth", Theme: Attention,
			Text:     "Squeeze-and-excitation makes a ResNet more accurate at every depth.",
			Source:   "SENet, arXiv:1709.01507, tables 2 and 4; the review's conclusion on attention",
			Needs:    lessonsOf + "pocket_seresnet20 and 56 and pocket_resnet20 and 56",
			Confirms: "at both depths it gains" + surely,
			Refutes:  "at a depth it loses" + surely,
			Published: "CIFAR-10: ResNet-110's error 6.37 to 5.21 %, ResNet-164's 5.46 to 4.39 (table 4); ImageNet: 1.51, 0.79 and 0.85 points " +
				"at 50, 101 and 152 layers (table 2)",
			Note: "The finding se-gain tests published weights on ImageNet.",
			test: pairsOf([][2]string{
				{"pocket_seresnet20.base", "pocket_resnet20.base"}, {"pocket_seresnet56.base", "pocket_resnet56.base"},
			}),
		},
		{
			ID: "spatial-attention", Theme: Attention,
			Text:     "CBAM, with spatial and channel attention, beats channel attention alone.",
			Source:   "CBAM, arXiv:1807.06521, section 4.1 and table 4",
			Needs:    lessonsOf + "pocket_cbamresnet20 and 56 and pocket_seresnet20 and 56",
			Confirms: "at both depths CBAM gains over squeeze-and-excitation" + surely,
			Refutes:  "at a depth it loses" + surely,
			Published: "ResNet-50's top-1 error: 23.14 % with squeeze-and-excitation, 22.66 with CBAM (table 4). Against the claim: ResNeXt-50's, " +
				"21.40 with CBAM and 21.12 with squeeze-and-excitation (SKNet, arXiv:1903.06586, table 2)",
			test: pairsOf([][2]string{
				{"pocket_cbamresnet20.base", "pocket_seresnet20.base"}, {"pocket_cbamresnet56.base", "pocket_seresnet56.base"},
			}),
		},
		{
			ID: "depthwise-at-equal-macs", Theme: Small,
			Text: "At equal multiply-accumulates, a network of depthwise-separable convolutions is more accurate than one of dense " +
				"convolutions.",
			Source:    "MobileNet, arXiv:1704.04861, section 4.1",
			Needs:     lessonsOf + "pocket_mobilenetv1 and pocket_mobilenetv1_dense, and their graphs",
			Confirms:  "the depthwise-separable network is more accurate" + surely + ", at MACs within 4 %",
			Refutes:   "it is less accurate" + surely + ", or costs differ by more",
			Published: "70.6 % for 569 M against 71.7 % for 4866 M with dense convolutions (table 4)",
			Note:      "The paper compares at equal widths, this finding at equal cost: the dense network has a third of the width.",
			test:      pairsOf([][2]string{{"pocket_mobilenetv1.base", "pocket_mobilenetv1_dense.base"}}, equalMACs),
		},
		{
			ID: "inverted-residuals", Theme: Small,
			Text:      "At equal multiply-accumulates, inverted residuals are more accurate than classic ones.",
			Source:    "MobileNet v2, arXiv:1801.04381, section 3.3 and figure 3; the review's conclusion on MobileNet",
			Needs:     lessonsOf + "pocket_mobilenetv2 and pocket_mobilenetv2_classic, and their graphs",
			Confirms:  "inverted residuals are more accurate" + surely + ", at MACs within 4 %",
			Refutes:   "they are less accurate" + surely + ", or costs differ by more",
			Published: "shortcuts between bottlenecks are better than between expanded layers (figure 6b)",
			test:      pairsOf([][2]string{{"pocket_mobilenetv2.base", "pocket_mobilenetv2_classic.base"}}, equalMACs),
		},
		{
			ID: "mobilenet-v2-under-one-recipe", Theme: Small,
			Text:      "MobileNet v2 is more accurate than v1 at lower cost.",
			Source:    "MobileNet v2, arXiv:1801.04381, table 4; the review's conclusion on MobileNet",
			Needs:     lessonsOf + "pocket_mobilenetv2 and pocket_mobilenetv1, and their graphs",
			Confirms:  "v2 is more accurate" + surely + ", with fewer parameters and MACs",
			Refutes:   "it is less accurate" + surely + ", or it has more parameters or MACs",
			Published: "72.0 % for 300 M against 70.6 % for 575 M (table 4)",
			Note:      "Here v2 takes a third of v1's MACs. The finding mobilenet-v2-accuracy is about ImageNet.",
			test:      pairsOf([][2]string{{"pocket_mobilenetv2.base", "pocket_mobilenetv1.base"}}, cheaper),
		},
		{
			ID: "compound-best", Theme: Scaling,
			Text:   "Scaling depth, width and resolution together beats scaling one of them.",
			Source: "EfficientNet, arXiv:1905.11946, table 7 and figure 8",
			Needs: lessonsOf + "pocket_efficientnet_compound and the same network made deeper, wider or larger alone, from images of " +
				"64×64 pixels, and their graphs",
			Confirms:  "the compound network is more accurate than each" + surely + ", at MACs within 4 %",
			Refutes:   "it is less accurate than one" + surely + ", or costs differ by more",
			Published: "79.0, 78.9, 79.1 and together 81.1 % at 1.8 G (table 7)",
			Note:      "Networks of smaller inputs see the same images, reduced.",
			test: pairsOf([][2]string{
				{"pocket_efficientnet_compound.fine", "pocket_efficientnet_deep.fine"},
				{"pocket_efficientnet_compound.fine", "pocket_efficientnet_wide.fine"},
				{"pocket_efficientnet_compound.fine", "pocket_efficientnet_large.fine"},
			}, equalMACs),
		},
	}
}

// alike compares the top-1 of a with that of b: they are claimed to be within a bound.
func (q *inquiry) alike(a, b string, bound float64) {
	before := len(q.all)
	q.compare(right, a, b, 0, func(mid float64) string { return ahead(short(a), short(b), mid) })
	if len(q.all) == before {
		return
	}
	m, _ := q.gain(right, a, b)
	q.all[before].claims, q.all[before].p = m.within(-bound, bound)
}
