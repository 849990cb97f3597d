package findings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
)

// A claimCase is evidence on one claim with the verdict that it must come to.
type claimCase struct {
	name, id string
	records  []record.Record
	networks []Network
	want     Verdict
}

// conv is a convolution of square windows whose output has that many rows and columns.
func conv(in, out, rows, window int) Layer {
	return Layer{
		Name: "c", Op: "conv", In: [3]int{in, rows, rows}, Out: [3]int{out, rows, rows}, Kernel: [2]int{window, window}, Groups: 1,
		MACs: int64(window*window*in*out) * int64(rows*rows),
	}
}

// linear is a linear layer of so many parameters.
func linear(params int64) Layer {
	return Layer{Name: "fc", Op: "linear", In: [3]int{8, 1, 1}, Out: [3]int{8, 1, 1}, Params: params, MACs: params}
}

// graph is a network of its own costs and layers.
func graph(name string, params, macs int64, layers ...Layer) Network {
	return Network{Name: name, Family: name, Year: 2015, Size: 224, Params: params, MACs: macs, Layers: layers}
}

// countedCases are tested on graphs alone.
func countedCases() []claimCase {
	stack := func(last Layer) []Network {
		return []Network{graph("vgg16", 9, 9, conv(3, 4, 8, 3), conv(4, 4, 8, 3), conv(4, 4, 8, 3), last)}
	}
	depthwise := func(pointwise int64) []Network {
		dw, pw := conv(4, 4, 8, 3), conv(4, 8, 8, 1)
		dw.Groups, dw.MACs, pw.MACs = 4, dw.MACs/4, pw.MACs+pointwise
		return []Network{graph("mobilenetv1_100", 9, 9, conv(3, 4, 8, 3), dw, pw)}
	}
	pair := func(extra int64) []Network {
		a, b := conv(4, 4, 8, 1), conv(4, 4, 8, 1)
		a.Kernel, a.MACs = [2]int{1, 7}, 7*a.MACs
		b.Kernel, b.MACs = [2]int{7, 1}, 7*b.MACs+extra
		return []Network{graph("inception_v3", 9, 9, a, b)}
	}
	vgg := func(more int) []Network {
		a := graph("vgg19", 9, 9, linear(8))
		b := graph("vgg16", 9, 9, linear(8), conv(3, 4, 8, 3))
		for range 1 + more {
			a.Layers = append(a.Layers, conv(3, 4, 8, 3))
		}
		return []Network{a, b}
	}
	resnets := func(name string, params, macs int64) (all []Network) {
		for _, depth := range []string{"50", "101", "152"} {
			all = append(all, graph("resnet"+depth, 1000, 100_000), graph(name+depth, params, macs))
		}
		return all
	}
	efficient := func(widths ...int) (all []Network) {
		for i, w := range widths {
			n := graph(fmt.Sprintf("tf_efficientnet_b%d", i), int64(100+i), int64(100*(i+1)))
			n.Size = 224 + 32*i
			for range i + 1 {
				n.Layers = append(n.Layers, conv(3, w, 8, 3))
			}
			all = append(all, n)
		}
		return all
	}
	linears := func(first int64) []Network {
		return []Network{graph("vgg16", 100, 9, linear(first), linear(10)), graph("vgg19", 100, 9, linear(80), linear(10))}
	}
	return []claimCase{
		{"27 C²", "stacked-3x3", nil, stack(conv(4, 4, 8, 3)), Passed},
		{"one of other channels", "stacked-3x3", nil, stack(conv(4, 5, 8, 3)), Broken},
		{"exact", "depthwise-separable-ratio", nil, depthwise(0), Passed},
		{"one too many", "depthwise-separable-ratio", nil, depthwise(1), Broken},
		{"three more", "vgg19-is-vgg16-with-more", nil, vgg(3), Passed},
		{"two more", "vgg19-is-vgg16-with-more", nil, vgg(2), Broken},
		{"cheaper", "factorised-inception", nil, pair(0), Passed},
		{"as dear", "factorised-inception", nil, pair(35 * 16 * 64), Broken},
		{"a tenth more", "se-cost-counted", nil, resnets("seresnet", 1100, 100_100), Holds},
		{"a fifth more", "se-cost-counted", nil, resnets("seresnet", 1200, 100_100), Fails},
		{"one depth is missing", "se-cost-counted", nil, resnets("seresnet", 1100, 100_100)[:4], Untestable},
		{"as much", "resnet-v2-equal-cost", nil, resnets("resnetv2_", 1001, 100_000), Holds},
		{"more", "resnet-v2-equal-cost", nil, resnets("resnetv2_", 1001, 110_000), Fails},
		{"fewer than both", "resnet152-under-vgg16", nil, []Network{graph("resnet152", 1, 8), graph("vgg16", 1, 9), graph("vgg19", 1, 10)},
			Holds},
		{"between them", "resnet152-under-vgg16", nil, []Network{graph("resnet152", 1, 9), graph("vgg16", 1, 9), graph("vgg19", 1, 10)}, Fails},
		{"shown", "bottleneck-block", nil, []Network{graph("resnet50", 1, 10), graph("resnet34", 1, 9)}, Described},
		{"5 M", "inception-v1-parameters", nil, []Network{graph("googlenet", 5e6, 9)}, Holds},
		{"6.6 M", "inception-v1-parameters", nil, []Network{graph("googlenet", 6.6e6, 9)}, Fails},
		{"all three grow", "compound-scaling", nil, efficient(8, 16, 24, 32, 40, 48, 56, 64), Holds},
		{"one is as wide", "compound-scaling", nil, efficient(8, 8, 16, 24, 32, 40, 48, 56), Fails},
		{"over half", "vgg-first-linear", nil, linears(70), Holds},
		{"half in one", "vgg-first-linear", nil, linears(50), Fails},
	}
}

// timedCases are tested on latencies.
func timedCases() []claimCase {
	ms := func(names string, times ...float64) (records []record.Record) {
		for i, n := range strings.Fields(names)[:len(times)] {
			records = append(records, latency(n, times[i]))
		}
		return records
	}
	nets := func(names string, macs ...int64) (all []Network) {
		for i, n := range strings.Fields(names) {
			all = append(all, network(n, n, macs[i], false))
		}
		return all
	}
	const two, wide = "a b", "wide_resnet50_2 resnet152"
	const se = "seresnet50 resnet50 seresnet101 resnet101 seresnet152 resnet152"
	seNets := nets(se, 1001e6, 1000e6, 1001e6, 1000e6, 1001e6, 1000e6)
	wideNets := nets(wide, 11e9, 11e9)
	const mnas = "semnasnet_100 mobilenetv2_140 nasnetamobile"
	mnasNets := nets(mnas, 3e8, 6e8, 6e8)
	const b1 = "efficientnet_b1 resnet152"
	b1Nets := nets(b1, 6e8, 11e9)
	const small = "resnet50 s1 s2"
	smallNets := nets(small, 4e9, 3e8, 5e8)
	invalid := ms(wide, 50, 60)
	invalid[0].Verdict = record.Verdict{Reasons: []string{"drift"}}
	single := ms(wide, 50, 60)
	single[0].Timing = record.NewTiming(single[0].Samples, 1)
	batch := func(n int, ms float64) record.Record {
		r := latency("resnet50", ms)
		r.Batch, r.Scenario = n, "offline"
		return r
	}
	pixels := func(n int, ms float64, macs int64) record.Record {
		r := latency("resnet50", ms)
		r.ImgSize, r.Cost = n, &record.Cost{Params: 1, MACs: macs}
		return r
	}
	agreeing, ten := many(true)
	return []claimCase{
		{"as many MACs, twice the time", "macs-mispredict-latency", ms(two, 20, 10), nets(two, 1e9, 1e9), Confirmed},
		{"in one pair of three", "macs-mispredict-latency", ms("a b c", 20, 10, 10.1), nets("a b c", 1e9, 1e9, 1.05e9), Confirmed},
		{"as many MACs, like times", "macs-mispredict-latency", ms(two, 11, 10), nets(two, 1e9, 1e9), Refuted},
		{"at the bound", "macs-mispredict-latency", ms(two, 15, 10), nets(two, 1e9, 1e9), Unresolved},
		{"of one family", "macs-mispredict-latency", ms(two, 20, 10), []Network{network("a", "f", 1e9, false), network("b", "f", 1e9, false)},
			Untestable},
		{"twice the MACs", "macs-mispredict-latency", ms(two, 20, 10), nets(two, 2e9, 1e9), Untestable},
		{"little time for gates", "se-cost-timed", ms(se, 10.2, 10, 10.3, 10, 10.2, 10), seNets, Confirmed},
		{"much time for gates at one depth", "se-cost-timed", ms(se, 10.2, 10, 12, 10, 10.2, 10), seNets, Refuted},
		{"at the bound", "se-cost-timed", ms(se, 10.2, 10, 11, 10, 10.2, 10), seNets, Unresolved},
		{"two depths", "se-cost-timed", ms(se, 10.2, 10, 10.2, 10), seNets, Untestable},
		{"all are faster", "lightweight-on-one-core", ms(small, 100, 20, 30), smallNets, Confirmed},
		{"one is slower", "lightweight-on-one-core", ms(small, 100, 20, 130), smallNets, Refuted},
		{"as fast", "lightweight-on-one-core", ms(small, 100, 20, 100), smallNets, Unresolved},
		{"wide is faster", "depth-against-width", ms(wide, 50, 60), wideNets, Confirmed},
		{"wide is slower", "depth-against-width", ms(wide, 70, 60), wideNets, Refuted},
		{"neither", "depth-against-width", ms(wide, 60, 60), wideNets, Unresolved},
		{"not to be trusted", "depth-against-width", invalid, wideNets, Untestable},
		{"one process", "depth-against-width", single, wideNets, Untestable},
		{"one latency", "depth-against-width", ms(wide, 50), wideNets, Untestable},
		{"faster than both", "mnasnet-time", ms(mnas, 5, 8, 12), mnasNets, Confirmed},
		{"slower than one", "mnasnet-time", ms(mnas, 9, 8, 12), mnasNets, Refuted},
		{"the searched one is slower", "nasnet-time", ms(mnas, 5, 8, 12), mnasNets, Confirmed},
		{"it is faster", "nasnet-time", ms(mnas, 5, 8, 7), mnasNets, Refuted},
		{"faster", "efficientnet-time", ms(b1, 10, 60), b1Nets, Confirmed},
		{"slower", "efficientnet-time", ms(b1, 60, 50), b1Nets, Refuted},
		{"batches help", "batch-curve", []record.Record{batch(1, 10), batch(4, 24), batch(2, 14), batch(8, 46)}, nil, Confirmed},
		{"only one helps", "batch-curve", []record.Record{batch(1, 10), batch(4, 30), batch(2, 30)}, nil, Confirmed},
		{"batches do not", "batch-curve", []record.Record{batch(1, 10), batch(2, 24)}, nil, Refuted},
		{"as long", "batch-curve", []record.Record{batch(1, 10), batch(2, 20)}, nil, Unresolved},
		{"one batch", "batch-curve", []record.Record{batch(1, 10)}, nil, Untestable},
		{"in proportion", "resolution-curve", []record.Record{pixels(112, 10, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, nil,
			Confirmed},
		{"small ones dear", "resolution-curve", []record.Record{pixels(112, 20, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, nil,
			Refuted},
		{"shown", "depthwise-share-of-peak", agreeing, ten, Described},
		{"no peak", "depthwise-share-of-peak", agreeing[1:], ten, Untestable},
		{"shown", "folded-batch-norm", ms("vgg16_bn vgg16", 130, 100), nil, Described},
		{"shown", "inception-family", ms("inception_v3", 30), nets("inception_v3", 6e9), Described},
		{"no time", "inception-family", nil, nets("inception_v3", 6e9), Untestable},
	}
}

// judged are evaluations, each "network.tag top-1".
func judged(texts ...string) (records []record.Record) {
	for _, text := range texts {
		var name string
		var top1 float64
		if _, err := fmt.Sscan(text, &name, &top1); err != nil {
			panic(err)
		}
		records = append(records, eval(name, top1))
	}
	return records
}

// accuracyCases are tested on evaluations of 50 000 images.
func accuracyCases() []claimCase {
	costs := []Network{network("resnet50", "resnet", 4e9, false), network("resnet152", "resnet", 11e9, false),
		network("vgg16", "vgg", 15e9, false), network("vgg19", "vgg", 19e9, false)}
	dear := append([]Network{network("resnet50", "resnet", 20e9, false)}, costs[1:]...)
	vgg := judged("resnet50.tv_in1k 76", "vgg16.tv_in1k 71", "resnet152.tv_in1k 78", "vgg19.tv_in1k 72")
	other := vgg[1]
	other.DatasetSHA256 = "e"
	depth := func(top1 ...float64) (all []record.Record) {
		for i, name := range []string{"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"} {
			if top1[i] > 0 {
				all = append(all, eval(name+".tv_in1k", top1[i]))
			}
		}
		return all
	}
	gated := func(a3 float64) []record.Record {
		all := judged("resnet50.a1_in1k 80", "seresnet50.a1_in1k 81", "resnet50.a2_in1k 79", "seresnet50.a2_in1k 80", "resnet50.a3_in1k 76")
		for _, n := range []string{"resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d"} {
			all = append(all, eval(n+".gluon_in1k", 79), eval("se"+n+".gluon_in1k", 80))
		}
		return append(all, eval("seresnet50.a3_in1k", a3))
	}
	mobile := []Network{network("mobilenetv3_large_100", "m", 2e8, true), network("mobilenetv2_100", "m", 3e8, true),
		network("mobilenetv2_110d", "m", 43e7, true), network("efficientnet_b0", "e", 39e7, true), network("mobilenetv1_100", "m", 57e7, true)}
	light := func(b0 float64) []record.Record {
		return append(judged("resnet50.ra_in1k 79", "mobilenetv2_100.ra_in1k 73", "mobilenetv3_large_100.ra_in1k 76",
			"efficientnet_b0.ra_in1k 77",
			"resnet50d.ra4_e3600_r224_in1k 78", "mobilenetv1_100.ra4_e3600_r224_in1k 75", "mobilenetv3_large_100.ra4_e3600_r224_in1k 76"),
			eval("efficientnet_b0.ra4_e3600_r224_in1k", b0))
	}
	searched := func(b0 float64) []record.Record {
		return append(judged("mobilenetv3_large_100.ra_in1k 76", "mobilenetv2_100.ra_in1k 73", "mobilenetv2_110d.ra_in1k 75",
			"mobilenetv1_100.ra4_e3600_r224_in1k 75", "mobilenetv3_large_100.ra4_e3600_r224_in1k 76", "efficientnet_b0.ra4_e3600_r224_in1k 78"),
			eval("efficientnet_b0.ra_in1k", b0))
	}
	dearer := append([]Network{network("mobilenetv3_large_100", "m", 4e8, true)}, mobile[1:]...)
	pretrained := func(vit, cnn float64) []record.Record {
		return append(judged("vit_base_patch16_224.augreg_in1k 79", "convnext_base.fb_in1k 84"),
			eval("vit_base_patch16_224.augreg_in21k_ft_in1k", vit), eval("convnext_base.fb_in22k_ft_in1k", cnn))
	}
	// Large networks gain 3 points, small ones 1, but for Swin's.
	transfer := func(large, small float64) []record.Record {
		return append(judged("convnext_base.fb_in1k 84", "convnext_base.fb_in22k_ft_in1k 87", "convnext_tiny.fb_in1k 82",
			"convnext_tiny.fb_in22k_ft_in1k 83", "swin_base_patch4_window7_224.ms_in1k 83", "swin_tiny_patch4_window7_224.ms_in1k 81",
			"vit_base_patch16_224.augreg_in1k 79", "vit_base_patch16_224.augreg_in21k_ft_in1k 82",
			"vit_small_patch16_224.augreg_in1k 78", "vit_small_patch16_224.augreg_in21k_ft_in1k 79"),
			eval("swin_base_patch4_window7_224.ms_in22k_ft_in1k", large), eval("swin_tiny_patch4_window7_224.ms_in22k_ft_in1k", small))
	}
	return []claimCase{
		{"deeper is better", "depth-pays", depth(69.75, 73.3, 76.2, 77.4, 78.3), nil, Confirmed},
		{"one step back", "depth-pays", depth(69.75, 73.3, 72.0, 77.4, 78.3), nil, Refuted},
		{"a step too small", "depth-pays", depth(69.75, 73.3, 76.2, 76.3, 78.3), nil, Unresolved},
		{"one is missing", "depth-pays", depth(69.75, 73.3, 0, 77.4, 78.3), nil, Untestable},
		{"better and cheaper", "resnet-beats-vgg", vgg, costs, Confirmed},
		{"better and dearer", "resnet-beats-vgg", vgg, dear, Refuted},
		{"other images", "resnet-beats-vgg", []record.Record{vgg[0], other}, costs, Untestable},
		{"better", "inception-order", judged("inception_v4.tf_in1k 80.1", "inception_v3.tf_in1k 77.9"), nil, Confirmed},
		{"worse", "inception-order", judged("inception_v4.tf_in1k 77", "inception_v3.tf_in1k 77.9"), nil, Refuted},
		{"0.3 points", "inception-residuals", judged("inception_v4.tf_in1k 80.1", "inception_resnet_v2.tf_in1k 80.4"), nil, Confirmed},
		{"two points", "inception-residuals", judged("inception_v4.tf_in1k 80.1", "inception_resnet_v2.tf_in1k 82"), nil, Refuted},
		{"a point", "inception-residuals", judged("inception_v4.tf_in1k 80.1", "inception_resnet_v2.tf_in1k 81"), nil, Unresolved},
		{"gates help", "se-gain", gated(77), nil, Confirmed},
		{"not with one recipe", "se-gain", gated(75), nil, Refuted},
		{"one is missing", "se-gain", gated(77)[1:], nil, Untestable},
		{"better", "mobilenet-v3-accuracy", judged("mobilenetv3_large_100.ra_in1k 76", "mobilenetv2_100.ra_in1k 73"), mobile, Confirmed},
		{"worse", "mobilenet-v3-accuracy", judged("mobilenetv3_large_100.ra_in1k 72", "mobilenetv2_100.ra_in1k 73"), mobile, Refuted},
		{"dearer", "mobilenet-v3-accuracy", judged("mobilenetv3_large_100.ra_in1k 76", "mobilenetv2_100.ra_in1k 73"), dearer, Refuted},
		{"costs unknown", "mobilenet-v3-accuracy", judged("mobilenetv3_large_100.ra_in1k 76", "mobilenetv2_100.ra_in1k 73"), nil, Untestable},
		{"all lose accuracy", "lightweight-trade", light(77), nil, Confirmed},
		{"one does not", "lightweight-trade", light(79), nil, Refuted},
		{"one is not at hand", "lightweight-trade", light(77)[:7], nil, Untestable},
		{"all gain", "searched-against-hand-made", searched(77), mobile, Confirmed},
		{"one loses", "searched-against-hand-made", searched(74), mobile, Refuted},
		{"more by the transformer", "pre-training-decides", pretrained(84, 86), nil, Confirmed},
		{"more by the CNN", "pre-training-decides", pretrained(80, 87), nil, Refuted},
		{"as much", "pre-training-decides", pretrained(81, 86), nil, Unresolved},
		{"one is missing", "pre-training-decides", pretrained(84, 86)[:3], nil, Untestable},
		{"each gains", "transfer-helps", transfer(86, 82), nil, Confirmed},
		{"one loses", "transfer-helps", transfer(80, 82), nil, Refuted},
		{"the large ones gain more", "transfer-by-size", transfer(86, 82), nil, Confirmed},
		{"a small one gains more", "transfer-by-size", transfer(84, 85), nil, Refuted},
		{"as much", "transfer-by-size", transfer(84, 82), nil, Unresolved},
		{"one is missing", "transfer-by-size", transfer(86, 82)[1:], nil, Untestable},
		{"shown", "senet-154", judged("legacy_senet154.in1k 81"), nil, Described},
	}
}

func allCases() []claimCase {
	return slices.Concat(countedCases(), timedCases(), accuracyCases(), frontCases(), recipeCases(), precisionCases())
}

// TestVerdicts holds every claim to what its cases come to.
func TestVerdicts(t *testing.T) {
	for _, test := range allCases() {
		t.Run(test.id+"/"+test.name, func(t *testing.T) {
			f := find(t, test.id, test.records, test.networks)
			if f.Verdict != test.want {
				t.Errorf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
			}
			decided := f.Verdict != Untestable
			if !decided && len(f.Missing) == 0 {
				t.Error("nothing is said to be missing")
			}
			if decided && !strings.HasSuffix(f.Summary, ".") {
				t.Errorf("what was found is no sentence: %q", f.Summary)
			}
			if decided && f.Tier != Checked && len(f.Plot.Estimates) == 0 {
				t.Error("it has no plot")
			}
			for _, row := range f.Rows {
				if len(row) != len(f.Heads) {
					t.Errorf("row %q, heads %q", row, f.Heads)
				}
			}
		})
	}
}

// TestBothWays holds every claim to a case that confirms it and one that refutes it, but for those that say why they are not
// judged.
func TestBothWays(t *testing.T) {
	have := map[string]map[Verdict]bool{}
	for _, c := range allCases() {
		if have[c.id] == nil {
			have[c.id] = map[Verdict]bool{}
		}
		have[c.id][c.want] = true
	}
	for _, c := range Claims() {
		if c.Tier == Trained || c.Tier == Studied { // TestStudy has those of the study
			continue
		}
		want := []Verdict{c.Tier.verdict(Confirmed), c.Tier.verdict(Refuted)}
		if c.Reason() != "" {
			want = []Verdict{Described}
		}
		if c.ID == "years" || c.ID == "gates-in-the-zoo" { // bench/cli tests them on the zoo
			continue
		}
		for _, v := range want {
			if !have[c.ID][v] {
				t.Errorf("%s: no case is %q, have %v", c.ID, v, slices.Collect(maps.Keys(have[c.ID])))
			}
		}
	}
}

// TestOneLatency confirms nothing by a run with one latency, whatever the graphs say.
func TestOneLatency(t *testing.T) {
	networks := slices.Concat(countedCases()[0].networks, []Network{graph("resnet152", 1, 8), graph("vgg19", 1, 10)})
	for _, f := range Test([]record.Record{latency("resnet152", 50)}, Given{Networks: networks}) {
		if f.Verdict == Confirmed || f.Verdict == Refuted {
			t.Errorf("%s: %s: %s", f.ID, f.Verdict, f.Summary)
		}
	}
}

// TestCount adds nothing up that differs in kind.
func TestCount(t *testing.T) {
	of := func(tier Tier, verdicts ...Verdict) (found []Finding) {
		for _, v := range verdicts {
			found = append(found, Finding{Claim{Tier: tier}, Result{Verdict: tier.verdict(v)}})
		}
		return found
	}
	for _, test := range []struct {
		want  string
		found []Finding
	}{
		{"", nil},
		{"3 counted (2 true of the graphs, 1 not true of the graphs)", of(Counted, Confirmed, Refuted, Confirmed)},
		{"1 timed (1 confirmed), 2 checks of the zoo passed, 1 not testable here",
			slices.Concat(of(Checked, Confirmed, Confirmed), of(Timed, Confirmed), of(Trained, Untestable))},
		{"1 counted (1 true of the graphs), 3 timed (1 confirmed, 1 refuted, 1 not resolved), 1 on accuracy (1 refuted), " +
			"1 check of the zoo failed, 2 described, 1 not testable here",
			slices.Concat(of(Judged, Refuted, Untestable), of(Timed, Confirmed, Refuted, Unresolved, Described), of(Counted, Confirmed, Described),
				of(Checked, Refuted))},
	} {
		if have := Count(test.found); have != test.want {
			t.Errorf("have %q\nwant %q", have, test.want)
		}
	}
}

// TestHolm refutes by no comparison that chance alone explains: of four pairs one at p = 0.02 is against the claim.
func TestHolm(t *testing.T) {
	var four tally
	for i, p := range []float64{1e-9, 0.02, 0.2, 0.6} {
		four.add(comparison{claims: holds(i != 1), p: p, says: fmt.Sprint("c", i)})
	}
	const want = "c0; c1 (this may be chance); c2 (this may be chance); c3 (this may be chance)."
	if r := four.result(true, ""); r.Verdict != Unresolved || r.Summary != want {
		t.Errorf("four pairs: have %q, %q", r.Verdict, r.Summary)
	}
	var one tally
	one.add(comparison{claims: no, p: 0.02, says: "c"})
	one.fact(true, "f")
	if r := one.result(true, ""); r.Verdict != Refuted || r.Rows[0][0] != "0.0200" || r.Rows[1][0] != "–" {
		t.Errorf("one pair and a fact: have %q, %v", r.Verdict, r.Rows)
	}
	// Where one of several is enough, one that is as claimed confirms; all of them refute.
	for _, test := range []struct {
		p      []float64
		claims answer
		want   Verdict
	}{{[]float64{1e-9, 0.5}, yes, Confirmed}, {[]float64{0.03, 0.5}, yes, Unresolved}, {[]float64{1e-9, 0.5}, no, Unresolved},
		{[]float64{1e-9, 1e-3}, no, Refuted}} {
		var any tally
		for _, p := range test.p {
			any.add(comparison{claims: test.claims, p: p, of: "x"})
		}
		if r := any.result(true, ""); r.Verdict != test.want {
			t.Errorf("%v %v: have %q, want %q", test.p, test.claims, r.Verdict, test.want)
		}
	}
}

// TestBounds holds p-values at a bound to the interval: where it ends, p is 5 %.
func TestBounds(t *testing.T) {
	a, b := latency("alpha", 12), latency("beta", 10)
	q := quotient(&a, &b, 1)
	for _, end := range []float64{q.lo, q.hi} {
		if p := q.at(end); p < 0.049 || p > 0.051 {
			t.Errorf("at %v of %v: p = %v, want 0.05", end, q.span, p)
		}
	}
	if p, half := q.at(q.mid), quotient(&a, &b, 0.5); p < 0.99 || half.mid < 0.499*q.mid || half.mid > 0.501*q.mid {
		t.Errorf("at its middle p = %v, want 1; half of %v is %v", p, q.mid, half.mid)
	}
	s := difference(800, 1000, 750, 1000)
	for _, end := range []float64{s.lo, s.hi} {
		if p := s.normal(end); p < 0.049 || p > 0.051 {
			t.Errorf("at %v of %v: p = %v, want 0.05", end, s, p)
		}
	}
}
