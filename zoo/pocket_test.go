package zoo

import (
	"math"
	"testing"

	"zoobench/zoo/nn"
)

// TestPocketAsPublished holds what builds the networks for 32×32 pixels to the papers' figures for CIFAR's 10 classes: to
// the last digit printed, rounded or cut.
func TestPocketAsPublished(t *testing.T) {
	const he, li, wrn = "arXiv:1512.03385, table 6", "arXiv:1608.08710, table 1", "arXiv:1605.07146, table 5"
	type build = func(*nn.Builder, nn.Value) nn.Value
	wide := func(n, k int) build { return resNetV2{depths: three(n), pocket: 16, wide: k}.build }
	next := func(groups int) build {
		return resnet{depths: three(3), block: bottleneck{groups, 64}, pocket: 64}.build
	}
	for _, test := range []struct {
		name         string
		build        build
		params, macs float64
		digits       int
		source       string
	}{
		{"ResNet-20", pocketResNet(3, padded, nil), 0.27e6, 0, 2, he},
		{"ResNet-32", pocketResNet(5, padded, nil), 0.46e6, 0, 2, he},
		{"ResNet-44", pocketResNet(7, padded, nil), 0.66e6, 0, 2, he},
		{"ResNet-56", pocketResNet(9, padded, nil), 0.85e6, 0, 2, he},
		{"ResNet-110", pocketResNet(18, padded, nil), 1.7e6, 0, 2, he},
		{"ResNet-56", pocketResNet(9, padded, nil), 0, 1.25e8, 3, li},
		{"ResNet-110", pocketResNet(18, padded, nil), 0, 2.53e8, 3, li},
		{"VGG-16", vgg{depths: [5]int{2, 2, 3, 3, 3}, norm: true, pocket: 64}.build, 1.5e7, 0, 2, li},
		{"VGG-16", vgg{depths: [5]int{2, 2, 3, 3, 3}, norm: true, pocket: 64}.build, 0, 3.13e8, 3, li},
		{"pre-activation ResNet-110", resNetV2{depths: three(18), pocket: 16, skip: padded}.build, 1.7e6, 0, 2, wrn},
		{"WRN-40-1", wide(6, 1), 0.6e6, 0, 1, "arXiv:1605.07146, table 4"},
		{"WRN-40-2", wide(6, 2), 2.2e6, 0, 2, "arXiv:1605.07146, table 4"},
		{"WRN-40-4", wide(6, 4), 8.9e6, 0, 2, wrn},
		{"WRN-16-8", wide(2, 8), 11.0e6, 0, 3, wrn},
		{"WRN-28-10", wide(4, 10), 36.5e6, 0, 3, wrn},
		{"ResNeXt-29, 8×64d", next(8), 34.4e6, 0, 3, "arXiv:1611.05431, table 7"},
		{"ResNeXt-29, 16×64d", next(16), 68.1e6, 0, 3, "arXiv:1611.05431, table 7"},
		{"DenseNet-40, k = 12", denseNet{stem: 16, growth: 12, depths: three(12), pocket: true}.build, 1.0e6, 0, 2,
			"arXiv:1608.06993, table 2"},
		{"All-CNN-C", allConv{96}.build, 1.4e6, 0, 2, "arXiv:1412.6806, table 3"},
	} {
		g, err := nn.Build(test.name, test.build, nn.Config{Size: 32, Classes: 10, Default: 32})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for _, c := range []struct {
			what string
			got  int64
			want float64
		}{{"parameters", g.ParamCount(), test.params}, {"MACs", g.MACs(), test.macs}} {
			if c.want == 0 {
				continue
			}
			unit := math.Pow(10, math.Floor(math.Log10(c.want))-float64(test.digits-1))
			if math.Abs(float64(c.got)-c.want) >= unit {
				t.Errorf("%s: %d %s, want %.3g (%s)", test.name, c.got, c.what, c.want, test.source)
			}
		}
	}
}

// TestPocketPairs holds networks that are compared to the same cost.
func TestPocketPairs(t *testing.T) {
	macs := map[string]int64{}
	for _, s := range All() {
		macs[s.Name] = s.MACs
	}
	for _, test := range []struct {
		a, b string
		by   float64 // the most that their MACs differ by
	}{
		{"pocket_alexnet", "pocket_alexnet_pool2", 0},
		{"pocket_alexnet", "pocket_alexnet_silu", 0},
		{"pocket_vgg11", "pocket_vgg11_plain", 0},
		{"pocket_resnet56", "pocket_plain56", 0},
		{"pocket_resnet20", "pocket_preresnet20", 0},
		{"pocket_resnet110", "pocket_preresnet110", 0},
		{"pocket_inception", "pocket_inception_resnet", 0},
		{"pocket_resnext29", "pocket_resnet29", 0.03},
		{"pocket_mobilenetv1", "pocket_mobilenetv1_dense", 0.03},
		{"pocket_mobilenetv2", "pocket_mobilenetv2_classic", 0.01},
		{"pocket_efficientnet_compound", "pocket_efficientnet_deep", 0.03},
		{"pocket_efficientnet_compound", "pocket_efficientnet_wide", 0.03},
		{"pocket_efficientnet_compound", "pocket_efficientnet_large", 0.03},
	} {
		a, b := macs[test.a], macs[test.b]
		if a == 0 || math.Abs(float64(b)/float64(a)-1) > test.by {
			t.Errorf("%s: %d MACs, %s: %d, want a difference of at most %.0f %%", test.a, a, test.b, b, 100*test.by)
		}
	}
}

// A sum counts a network by hand.
type sum struct{ params, macs int64 }

// conv is a k×k convolution in groups to pixels×pixels, and its batch norm.
func (s *sum) conv(in, out, k, groups, pixels int) {
	weights := in / groups * out * k * k
	s.params += int64(weights + 2*out)
	s.macs += int64(weights * pixels * pixels)
}

// line is a convolution over a row or a column of k pixels, and its batch norm.
func (s *sum) line(in, out, k, pixels int) {
	s.params += int64(in*out*k + 2*out)
	s.macs += int64(in * out * k * pixels * pixels)
}

// affine is a linear layer, or a 1×1 convolution with a bias, at so many pixels.
func (s *sum) affine(in, out, pixels int) {
	s.params += int64(in*out + out)
	s.macs += int64(in * out * pixels)
}

// biased is a convolution with a bias and no norm.
func (s *sum) biased(in, out, k, pixels int) {
	s.conv(in, out, k, 1, pixels)
	s.params -= int64(out)
}

// squeeze is squeeze and excitation.
func (s *sum) squeeze(channels, squeezed int) {
	s.affine(channels, squeezed, 1)
	s.affine(squeezed, channels, 1)
}

// TestPocketByHand sums layer by layer what no paper has the figures of, at 100 classes.
func TestPocketByHand(t *testing.T) {
	// Inverted residuals of MobileNet v2 and EfficientNet: in, mid, out, window, pixels before and behind, squeezed channels.
	inverted := func(s *sum, in, mid, out, k, before, behind, squeezed int) {
		if mid != in {
			s.conv(in, mid, 1, 1, before)
		}
		s.conv(mid, mid, k, mid, behind)
		if squeezed > 0 {
			s.squeeze(mid, squeezed)
		}
		s.conv(mid, out, 1, 1, behind)
	}
	// A ResNet-20 with gates.
	gated := func(s *sum, gate func(planes, pixels int)) {
		s.conv(3, 16, 3, 1, 32)
		in, pixels := 16, 32
		for _, planes := range []int{16, 32, 64} {
			for range 3 {
				s.conv(in, planes, 3, 1, pixels)
				s.conv(planes, planes, 3, 1, pixels)
				gate(planes, pixels)
				in = planes
			}
			pixels /= 2
		}
		s.affine(64, 100, 1)
	}
	// Stages of them: channels, layers, pixels, window. The first stage does not expand.
	stages := func(s *sum, in int, squeezed bool, rows [][4]int) {
		before := 32
		for i, l := range rows {
			for range l[1] {
				mid, squeeze := 6*in, 0
				if i == 0 {
					mid = in
				}
				if squeezed {
					squeeze = in / 4
				}
				inverted(s, in, mid, l[0], l[3], before, l[2], squeeze)
				in, before = l[0], l[2]
			}
		}
	}
	for name, count := range map[string]func(*sum){
		"pocket_alexnet": func(s *sum) {
			s.biased(3, 16, 5, 32)
			s.biased(16, 48, 5, 16)
			s.biased(48, 96, 3, 8)
			s.biased(96, 64, 3, 8)
			s.biased(64, 64, 3, 8)
			s.affine(64*4*4, 256, 1)
			s.affine(256, 256, 1)
			s.affine(256, 100, 1)
		},
		"pocket_vgg11": func(s *sum) {
			in := 3
			for _, l := range [][2]int{{16, 32}, {32, 16}, {64, 8}, {64, 8}, {128, 4}, {128, 4}, {128, 2}, {128, 2}} {
				s.conv(in, l[0], 3, 1, l[1])
				s.params += int64(l[0]) // a bias besides
				in = l[0]
			}
			s.affine(128, 128, 1)
			s.affine(128, 100, 1)
		},
		"pocket_seresnet20": func(s *sum) {
			gated(s, func(planes, _ int) { s.squeeze(planes, 8) })
		},
		"pocket_cbamresnet20": func(s *sum) {
			gated(s, func(planes, pixels int) {
				s.affine(planes, 8, 2) // over the mean and the maximum
				s.affine(8, planes, 2)
				s.conv(2, 1, 7, 1, pixels)
			})
		},
		"pocket_resnext29": func(s *sum) {
			s.conv(3, 16, 3, 1, 32)
			in, pixels := 16, 32
			for _, planes := range []int{16, 32, 64} {
				for j := range 3 {
					before := pixels
					if planes > 16 && j == 0 {
						pixels /= 2
					}
					s.conv(in, 2*planes, 1, 1, before)
					s.conv(2*planes, 2*planes, 3, 8, pixels)
					s.conv(2*planes, 4*planes, 1, 1, pixels)
					if j == 0 {
						s.conv(in, 4*planes, 1, 1, pixels)
					}
					in = 4 * planes
				}
			}
			s.affine(256, 100, 1)
		},
		"pocket_linear": func(s *sum) { s.affine(3*32*32, 100, 1) },
		"pocket_mlp4": func(s *sum) {
			s.affine(3*32*32, 256, 1)
			s.affine(256, 256, 1)
			s.affine(256, 256, 1)
			s.affine(256, 100, 1)
		},
		"pocket_mobilenetv1": func(s *sum) {
			s.conv(3, 16, 3, 1, 32)
			in := 16
			for _, l := range [][2]int{
				{32, 32}, {64, 32}, {64, 32}, {128, 16}, {128, 16},
				{256, 8}, {256, 8}, {256, 8}, {256, 8}, {256, 8}, {256, 8}, {512, 4}, {512, 4},
			} {
				s.conv(in, in, 3, in, l[1])
				s.conv(in, l[0], 1, 1, l[1])
				in = l[0]
			}
			s.affine(512, 100, 1)
		},
		"pocket_mobilenetv2": func(s *sum) { // widths of table 2 times 0.35, to multiples of 8
			s.conv(3, 16, 3, 1, 32)
			stages(s, 16, false, [][4]int{
				{8, 1, 32, 3}, {8, 2, 32, 3}, {16, 3, 16, 3}, {24, 4, 8, 3}, {32, 3, 8, 3}, {56, 3, 4, 3}, {112, 1, 4, 3},
			})
			s.conv(112, 1280, 1, 1, 4)
			s.affine(1280, 100, 1)
		},
		"pocket_efficientnet": func(s *sum) { // widths of table 1 times 0.21, to multiples of 8, and half of the layers
			s.conv(3, 8, 3, 1, 32)
			stages(s, 8, true, [][4]int{
				{8, 1, 32, 3}, {8, 1, 32, 3}, {8, 1, 16, 5}, {16, 2, 8, 3}, {24, 2, 8, 5}, {40, 2, 4, 5}, {64, 1, 4, 3},
			})
			s.conv(64, 272, 1, 1, 4)
			s.affine(272, 100, 1)
		},
		"pocket_shufflenetv2": func(s *sum) {
			s.conv(3, 24, 3, 1, 32)
			in, pixels := 24, 32
			for i, out := range []int{48, 96, 192} {
				half := out / 2
				s.conv(in, in, 3, in, pixels/2)
				s.conv(in, half, 1, 1, pixels/2)
				s.conv(in, half, 1, 1, pixels)
				pixels /= 2
				s.conv(half, half, 3, half, pixels)
				s.conv(half, half, 1, 1, pixels)
				for range []int{3, 7, 3}[i] {
					s.conv(half, half, 1, 1, pixels)
					s.conv(half, half, 3, half, pixels)
					s.conv(half, half, 1, 1, pixels)
				}
				in = out
			}
			s.conv(192, 256, 1, 1, 4)
			s.affine(256, 100, 1)
		},
		"pocket_mobilenetv3": func(s *sum) { // widths of table 2 halved, to multiples of 8; windows, SE
			s.conv(3, 16, 3, 1, 32)
			in, before := 16, 32
			for _, l := range []struct{ k, mid, out, squeezed, behind int }{
				{3, 16, 8, 8, 32}, {3, 40, 16, 0, 16}, {3, 56, 16, 0, 16}, {5, 64, 24, 16, 8}, {5, 144, 24, 40, 8}, {5, 144, 24, 40, 8},
				{5, 72, 24, 24, 8}, {5, 72, 24, 24, 8}, {5, 144, 48, 40, 4}, {5, 288, 48, 72, 4}, {5, 288, 48, 72, 4},
			} {
				inverted(s, in, l.mid, l.out, l.k, before, l.behind, l.squeezed)
				in, before = l.out, l.behind
			}
			s.conv(48, 288, 1, 1, 4)
			s.affine(288, 1024, 1)
			s.affine(1024, 100, 1)
		},
		"pocket_inception": func(s *sum) {
			s.conv(3, 16, 3, 1, 32)
			s.conv(16, 32, 3, 1, 32)
			for range 2 {
				s.conv(32, 8+8+8, 1, 1, 32) // the first 1×1 of each branch
				s.conv(8, 8, 3, 1, 32)
				s.conv(8, 12, 3, 1, 32)
				s.conv(12, 16, 3, 1, 32)
				s.affine(32, 32, 32*32)
			}
			s.conv(32, 48, 3, 1, 16)
			s.conv(32, 32, 1, 1, 32)
			s.conv(32, 32, 3, 1, 32)
			s.conv(32, 48, 3, 1, 16)
			for range 4 {
				s.conv(128, 24+16, 1, 1, 16)
				s.line(16, 20, 7, 16)
				s.line(20, 24, 7, 16)
				s.affine(48, 128, 16*16)
			}
			s.conv(128, 32+32+32, 1, 1, 16)
			s.conv(32, 48, 3, 1, 8)
			s.conv(32, 36, 3, 1, 8)
			s.conv(32, 36, 3, 1, 16)
			s.conv(36, 40, 3, 1, 8)
			for range 2 {
				s.conv(252, 24+24, 1, 1, 8)
				s.line(24, 28, 3, 8)
				s.line(28, 32, 3, 8)
				s.affine(56, 252, 8*8)
			}
			s.conv(252, 192, 1, 1, 8)
			s.affine(192, 100, 1)
		},
		"pocket_vit": func(s *sum) {
			const width, tokens = 96, 8*8 + 1
			s.affine(3*4*4, width, 8*8)
			s.params += width + tokens*width
			for range 6 {
				s.params += 4 * width // two layer norms
				s.affine(width, 3*width, tokens)
				s.macs += 2 * tokens * tokens * width
				s.affine(width, width, tokens)
				s.affine(width, 4*width, tokens)
				s.affine(4*width, width, tokens)
			}
			s.params += 2 * width
			s.affine(width, 100, 1)
		},
	} {
		spec, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		var have sum
		count(&have)
		if want := (sum{spec.Params, spec.MACs}); have != want {
			t.Errorf("%s: by hand %+v, the row has %+v", name, have, want)
		}
	}
}
