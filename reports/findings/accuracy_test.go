package findings

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/bench/record"
)

// sized is an evaluation at another of its checkpoint's sizes, its own.
func sized(r record.Record, px int) record.Record {
	r.ImgSize = px
	return r
}

// asked is an evaluation at a size that the job asked for.
func asked(r record.Record, px int) record.Record {
	r.Asked = &record.Settings{Axes: record.Axes{ImgSize: px}}
	return sized(r, px)
}

// costing is an evaluation with the costs of its graph at its size.
func costing(r record.Record, params, macs int64) record.Record {
	r.Cost = &record.Cost{Params: params, MACs: macs}
	return r
}

func TestAccuracy(t *testing.T) {
	depth := func(top1 ...float64) (all []record.Record) {
		for i, name := range []string{"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"} {
			if top1[i] > 0 {
				all = append(all, eval(name+".tv_in1k", top1[i]))
			}
		}
		return all
	}
	var gated []record.Record
	for _, n := range []string{"50", "101", "152"} {
		gated = append(gated, eval("legacy_seresnet"+n+".in1k", 78), eval("resnet"+n+".tv_in1k", 76))
	}
	other := eval("vgg16.tv_in1k", 71)
	other.DatasetSHA256 = "e"
	costs := []Network{network("resnet50", "resnet", 4e9, false), network("resnet152", "resnet", 11e9, false),
		network("vgg16", "vgg", 15e9, false), network("vgg19", "vgg", 19e9, false)}
	vgg := []record.Record{eval("resnet50.tv_in1k", 76), eval("vgg16.tv_in1k", 71), eval("resnet152.tv_in1k", 78), eval("vgg19.tv_in1k", 72)}
	dear := append([]Network{network("resnet50", "resnet", 20e9, false)}, costs[1:]...)
	six := []record.Record{eval("resnet50.IMAGENET1K_V2", 80)}
	for _, name := range []string{"mobilenetv2_100.ra_in1k", "mobilenetv3_large_100.ra_in1k", "shufflenet_v2_x1_0.IMAGENET1K_V1",
		"ghostnet_100.in1k", "efficientnet_b0.ra_in1k", "squeezenet1_1.IMAGENET1K_V1"} {
		six = append(six, eval(name, 70))
	}
	alone := []record.Record{eval("coatnet_0_rw_224.sw_in1k", 82), eval("vit_small_patch16_224.augreg_in1k", 79),
		eval("convnext_tiny.fb_in1k", 81), sized(eval("tf_efficientnet_b4.aa_in1k", 80), 380)}
	for _, test := range []struct {
		name, id string
		records  []record.Record
		networks []Network
		want     Verdict
	}{
		{"deeper is better", "depth-pays", depth(69.75, 73.3, 76.2, 77.4, 78.3), nil, Confirmed},
		{"one step back", "depth-pays", depth(69.75, 73.3, 72.0, 77.4, 78.3), nil, Refuted},
		{"a step too small", "depth-pays", depth(69.75, 73.3, 76.2, 76.3, 78.3), nil, Unresolved},
		{"one is missing", "depth-pays", depth(69.75, 73.3, 0, 77.4, 78.3), nil, Untestable},
		{"better and cheaper", "resnet-beats-vgg", vgg, costs, Confirmed},
		{"better and dearer", "resnet-beats-vgg", vgg, dear, Refuted},
		{"other images", "resnet-beats-vgg", append(vgg[:1:1], other), costs, Untestable},
		{"half a point", "inception-residuals", []record.Record{eval("inception_v4.tf_in1k", 80.1), eval("inception_resnet_v2.tf_in1k", 82)},
			nil, Refuted},
		{"gates help at every depth", "se-gain", gated, nil, Confirmed},
		{"at two depths of three", "se-gain", gated[2:], nil, Untestable},
		{"all lose accuracy", "lightweight-trade", six, nil, Confirmed},
		{"one is not at hand", "lightweight-trade", six[:6], nil, Untestable},
		{"beats each", "convolution-and-attention", alone, nil, Confirmed},
		{"beats one", "convolution-and-attention", alone[:2], nil, Untestable},
		{"loses to one", "convolution-and-attention",
			[]record.Record{eval("coatnet_0_rw_224.sw_in1k", 82), eval("vit_small_patch16_224.augreg_in1k", 83)}, nil, Refuted},
		{"one of two searched", "searched-against-hand-made",
			[]record.Record{eval("mnasnet_100.rmsp_in1k", 75), eval("mobilenetv2_100.ra_in1k", 73)}, nil, Untestable},
		{"one of two transfers", "transfer-helps",
			[]record.Record{eval("convnext_tiny.fb_in22k_ft_in1k", 83), eval("convnext_tiny.fb_in1k", 82)}, nil, Untestable},
		{"one of two depths", "resnet-v2-accuracy", []record.Record{eval("resnetv2_101.a1h_in1k", 83), eval("resnet101.a1h_in1k", 82)}, nil,
			Untestable},
		{"costs unknown", "mobilenet-v2-by-recipe",
			[]record.Record{eval("mobilenetv2_100.ra_in1k", 76), eval("mobilenetv1_100.ra4_e3600_r224_in1k", 75)}, nil, Untestable},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, test.id, test.records, test.networks)
			if f.Verdict != test.want {
				t.Errorf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
			}
			for _, row := range f.Rows {
				if len(row) != len(f.Heads) {
					t.Errorf("row %q, heads %q", row, f.Heads)
				}
			}
		})
	}
}

// TestOneSize compares accuracies at one input size alone, which need not be the checkpoints' own, unless the claim's
// text says that each is at its own.
func TestOneSize(t *testing.T) {
	const old, v2 = "resnet50.a1h_in1k", "resnetv2_50.a1h_in1k"
	deep := []record.Record{eval("resnetv2_101.a1h_in1k", 83), eval("resnet101.a1h_in1k", 82)}
	inceptions := []record.Record{eval("googlenet.IMAGENET1K_V1", 69), eval("bninception.in1k", 73),
		sized(eval("inception_v3.tf_in1k", 77), 299), sized(eval("inception_v4.tf_in1k", 80), 299)}
	for _, test := range []struct {
		name, id string
		records  []record.Record
		want     Verdict
		px       string // of the first row
		missing  string
	}{
		{"two sizes", "resnet-v2-accuracy", []record.Record{eval(v2, 80.4), sized(eval(old, 79.3), 176)}, Untestable, "224 224",
			v2 + " and " + old + " at one input size, have 224 and 176 px"},
		{"one size", "resnet-v2-accuracy", []record.Record{eval(v2, 80.4), eval(old, 79.3)}, Confirmed, "224 224", ""},
		{"one of each asked for", "resnet-v2-accuracy", []record.Record{eval(v2, 80.4), asked(eval(old, 82), 224), sized(eval(old, 79.3), 176)},
			Refuted, "224 224", ""},
		{"the larger of two asked for", "resnet-v2-accuracy",
			[]record.Record{eval(v2, 80.4), asked(eval(v2, 80), 160), asked(eval(v2, 82), 288), asked(eval(old, 79), 160),
				sized(eval(old, 79.3), 176), asked(eval(old, 80), 288)}, Confirmed, "288 288", ""},
		{"half a point at two sizes", "inception-residuals",
			[]record.Record{sized(eval("inception_v4.tf_in1k", 80.1), 299), eval("inception_resnet_v2.tf_in1k", 82)},
			Untestable, "", "inception_resnet_v2.tf_in1k and inception_v4.tf_in1k at one input size, have 224 and 299 px"},
		{"each at its own", "inception-order", inceptions, Confirmed, "224 224", ""},
		{"its own beside another", "inception-order", append([]record.Record{asked(eval("inception_v4.tf_in1k", 60), 128)}, inceptions...),
			Confirmed, "224 224", ""},
		{"its own asked for, too", "inception-order",
			append([]record.Record{asked(eval("inception_v4.tf_in1k", 80), 299), sized(eval("inception_v4.tf_in1k", 79), 299),
				asked(eval("inception_v4.tf_in1k", 80), 299)}, inceptions[:3]...), Confirmed, "224 224", ""},
		{"another in place of its own", "inception-order",
			append([]record.Record{asked(eval("inception_v4.tf_in1k", 60), 128)}, inceptions[:3]...), Untestable, "224 224",
			"top-1 of inception_v4.tf_in1k at its own input size, have it at 128 px, which its experiment asked for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, test.id, append(slices.Clone(deep), test.records...), nil)
			if f.Verdict != test.want {
				t.Errorf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
			}
			if test.missing != "" && !slices.Contains(f.Missing, test.missing) {
				t.Errorf("missing: have %q, want %q", f.Missing, test.missing)
			}
			px := ""
			if len(f.Rows) > 0 {
				px = f.Rows[0][1] + " " + f.Rows[0][4]
			}
			if px != test.px {
				t.Errorf("pixels: have %q, want %q", px, test.px)
			}
		})
	}
}

// TestFront holds the Pareto fronts to what each evaluation costs at its own size, by the interval where it is timed,
// and to five other networks on the same images.
func TestFront(t *testing.T) {
	const params, macs, latent = "efficientnet-front-parameters", "efficientnet-front-macs", "efficientnet-front-latency"
	var few []record.Record
	nets := []Network{network("efficientnet_b0", "efficientnet", 4e8, true), network("efficientnetv2_s", "efficientnetv2", 3e8, true)}
	var times []record.Record
	for i := range 5 {
		name := fmt.Sprintf("n%d", i)
		few = append(few, costing(eval(name+".x", 70), 2e6, int64(3e8+1e8*i)))
		nets = append(nets, network(name, "n", int64(3e8+1e8*i), false))
		times = append(times, latency(name, 100))
	}
	b0 := costing(eval("efficientnet_b0.ra", 77), 5e6, 4e8)
	others := append(few[:5:5], b0)
	with := func(more ...record.Record) []record.Record { return append(slices.Clone(others), more...) }
	timed := func(b0, n0 float64, more ...record.Record) []record.Record {
		return append(append(with(more...), times[1:]...), latency("efficientnet_b0", b0), latency("n0", n0))
	}
	off := b0
	off.DatasetSHA256 = "e"
	for _, test := range []struct {
		name, id string
		records  []record.Record
		want     Verdict
	}{
		{"on the front", macs, others, Confirmed},
		{"behind the front", macs, with(costing(eval("n0.y", 79), 2e6, 3e8)), Refuted},
		{"by parameters", params, with(costing(eval("n0.y", 79), 6e6, 3e8)), Confirmed},
		{"perhaps behind", macs, with(costing(eval("n0.y", 77.1), 2e6, 3e8)), Unresolved},
		{"perhaps as accurate", macs, with(costing(eval("n0.y", 76.9), 2e6, 3e8)), Unresolved},
		{"at more pixels it is dearer", macs, with(sized(costing(eval("n0.y", 79), 2e6, 9e8), 384)), Confirmed},
		{"at a size asked for", macs, with(asked(costing(eval("n0.y", 79), 2e6, 1e8), 128)), Confirmed},
		{"v2 is another's", macs, with(costing(eval("efficientnetv2_s.in1k", 84), 2e6, 3e8)), Refuted},
		{"v2 alone", macs, append(few[:5:5], costing(eval("efficientnetv2_s.in1k", 84), 2e6, 3e8)), Untestable},
		{"four others", macs, others[1:], Untestable},
		{"five tags of four", macs, append(others[1:6:6], costing(eval("n4.y", 70), 2e6, 3e8)), Untestable},
		{"of other images", macs, append(few[:5:5], off), Untestable},
		{"no times", latent, others, Untestable},
		{"faster and less accurate", latent, timed(10, 5), Confirmed},
		{"slower and more accurate", latent, timed(10, 20, eval("n0.y", 79)), Confirmed},
		{"faster and more accurate", latent, timed(10, 5, eval("n0.y", 79)), Refuted},
		{"times overlap", latent, timed(10, 9.99, eval("n0.y", 79)), Unresolved},
		{"timed at another size", latent, timed(10, 5, sized(eval("n0.y", 79), 384)), Confirmed},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, test.id, test.records, nets)
			if f.Verdict != test.want {
				t.Errorf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
			}
			for _, row := range f.Rows {
				if len(row) != len(f.Heads) {
					t.Errorf("row %q, heads %q", row, f.Heads)
				}
			}
		})
	}
}

// TestRecipes spreads recipes over rows of the same images and size, without those that saw more images in training.
func TestRecipes(t *testing.T) {
	base := []record.Record{eval("resnet50.b", 79), eval("resnet50.tv_in1k", 76), eval("resnet50.a1_in1k", 81), eval("resnet152.tv_in1k", 78)}
	few := eval("resnet50.a2_in1k", 0)
	few.Accuracy = record.NewAccuracy(100, 99, 100, nil)
	apart := eval("resnet50.c1_in1k", 99)
	apart.DatasetSHA256 = "e"
	const spread = "resnet50 from 76.00 % (tv_in1k) to 81.00 % (a1_in1k), 5.0 points by recipe"
	for _, test := range []struct {
		name    string
		records []record.Record
		want    Verdict
		summary string
	}{
		{"three recipes", base, Confirmed, spread},
		{"fewer images", append(base[:4:4], few), Confirmed, spread},
		{"other images", append(base[:4:4], apart), Confirmed, spread},
		{"fewer pixels", append(base[:4:4], sized(eval("resnet50.a3_in1k", 70), 160)), Confirmed, spread},
		{"a billion images", append(base[:4:4], eval("resnet50.fb_swsl_ig1b_ft_in1k", 90), eval("resnet50.fb_ssl_yfcc100m_ft_in1k", 60)),
			Confirmed, spread},
		{"as many pixels by request", append(base[:4:4], sized(eval("resnet50.a3_in1k", 70), 160), asked(eval("resnet50.a3_in1k", 75), 224)),
			Confirmed, "resnet50 from 75.00 % (a3_in1k) to 81.00 % (a1_in1k), 6.0 points by recipe"},
		{"two and more images", append(base[1:4:4], eval("resnet50.fb_swsl_ig1b_ft_in1k", 90)), Untestable, ""},
		{"two and one of fewer images", []record.Record{base[1], base[2], base[3], few}, Untestable, ""},
		{"one of them twice", []record.Record{base[1], base[2], base[3], eval("resnet50.IMAGENET1K_V1", 76)}, Untestable, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, "recipe-spread", test.records, nil)
			if f.Verdict != test.want || f.Summary != test.summary {
				t.Errorf("have %q, %q, want %q, %q: %v %v", f.Verdict, f.Summary, test.want, test.summary, f.Rows, f.Missing)
			}
			for _, e := range f.Plot.Estimates {
				if strings.Contains(e.Name, "_ft_") {
					t.Errorf("the plot has %s", e.Name)
				}
			}
		})
	}
	for tag, want := range map[string]bool{
		"tv_in1k": false, "a1h_in1k": false, "IMAGENET1K_V2": false, "ra4_e3600_r224_in1k": false, "miil_in1k": false, "b": false,
		"gluon_in1k":           false,
		"fb_in22k_ft_in1k_384": true, "IMAGENET1K_SWAG_E2E_V1": true, "ns_jft_in1k": true, "sw_in12k": true, "augreg_in21k": true,
		"fb_wsl_ig1b_ft_in1k": true,
	} {
		if moreImages(tag) != want {
			t.Errorf("%s: more images %v, want %v", tag, !want, want)
		}
	}
}

// TestDifference holds the interval to Newcombe's own example, 56 of 70 against 48 of 80 (Statistics in Medicine 17,
// 1998, table II, method 10).
func TestDifference(t *testing.T) {
	have, want := difference(56, 70, 48, 80), span{20, 5.24, 33.39}
	for i, v := range []float64{have.mid - want.mid, have.lo - want.lo, have.hi - want.hi} {
		if math.Abs(v) > 0.01 {
			t.Errorf("end %d: have %v, want %v", i, have, want)
		}
	}
}

// TestPaired holds the paired interval to its formula by hand, and a pair of accuracies to McNemar's test where the
// per-sample files are at hand: ten images that one alone gets right, of 200, tell two networks apart whose intervals
// overlap. Files that do not agree with their records count for nothing.
func TestPaired(t *testing.T) {
	have, want := paired(30, 10, 100), span{20, 7.907, 31.308}
	for i, v := range []float64{have.mid - want.mid, have.lo - want.lo, have.hi - want.hi} {
		if math.Abs(v) > 0.001 {
			t.Errorf("end %d: have %v, want %v", i, have, want)
		}
	}
	judged := func(name string, right int) record.Record {
		r := eval(name, 0)
		r.Accuracy = record.NewAccuracy(200, right, right, nil)
		return r
	}
	records := []record.Record{judged("mobilenetv2_100.ra_in1k", 150), judged("mobilenetv1_100.ra4_e3600_r224_in1k", 140)}
	networks := []Network{network("mobilenetv2_100", "mobilenetv2", 3e8, true), network("mobilenetv1_100", "mobilenetv1", 6e8, true)}
	answers := func(right int) (all []record.Sample) {
		for i := range 200 {
			s := record.Sample{File: fmt.Sprint(i), Labels: []int{1}, Top5: []int{0}}
			if i < right {
				s.Top5[0] = 1
			}
			all = append(all, s)
		}
		return all
	}
	for _, test := range []struct {
		name    string
		samples func(*record.Record) ([]record.Sample, error)
		want    Verdict
		test    string
	}{
		{"no files", nil, Unresolved, "intervals"},
		{"files", func(r *record.Record) ([]record.Sample, error) { return answers(r.Top1Images), nil }, Confirmed, "p = 0.0020"},
		{"other files", func(r *record.Record) ([]record.Sample, error) { return answers(r.Top1Images - 1), nil }, Unresolved, "intervals"},
		{"unreadable", func(r *record.Record) ([]record.Sample, error) { return nil, errors.New("no such file") }, Unresolved, "intervals"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, f := range Test(records, Given{Networks: networks, Samples: test.samples}) {
				if f.ID != "mobilenet-v2-by-recipe" {
					continue
				}
				if how := f.Rows[0][8]; f.Verdict != test.want || how != test.test {
					t.Errorf("have %q by %q, want %q by %q: %v", f.Verdict, how, test.want, test.test, f.Rows)
				}
			}
		})
	}
}

// published reads the zoo's table: of each checkpoint the accuracies by size, and the size that its own recipe has.
func published(t *testing.T) (results map[string]map[int][2]float64, own map[string]int) {
	t.Helper()
	f, err := os.Open("../../zoo/published.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	results, own = map[string]map[int][2]float64{}, map[string]int{}
	for _, row := range rows[1:] {
		name := row[1] + "." + row[2]
		results[name] = map[int][2]float64{}
		if row[len(row)-1] == "-" {
			continue
		}
		for _, one := range strings.Split(row[len(row)-1], ";") {
			v := strings.Split(one, ":")
			results[name][int(number(v[0]))] = [2]float64{number(v[3]), number(v[4])}
		}
		if size := strings.FieldsFunc(row[7], func(r rune) bool { return r == '@' || r == '/' }); row[7] != "-" {
			own[name] = int(number(size[0]))
		}
	}
	return results, own
}

// TestPublishedFigures holds what claims say was published to the zoo's table: of each checkpoint that a claim asks for
// it has the top-1, or the top-5 error, at the checkpoint's own size, at which it is evaluated.
func TestPublishedFigures(t *testing.T) {
	results, own := published(t)
	names := regexp.MustCompile(`^top-1 of (\S+) \(from its weights`)
	count := 0
	for _, f := range Test(nil, Given{}) {
		for _, m := range f.Missing {
			name := names.FindStringSubmatch(m)
			if name == nil {
				continue
			}
			v, ok := results[name[1]][own[name[1]]]
			if !ok {
				if name[1] != "bninception.in1k" { // which no library publishes
					t.Errorf("%s: %s has no published accuracy at its own size", f.ID, name[1])
				}
				continue
			}
			count++
			if top1, error5 := fmt.Sprintf("%.2f", v[0]), fmt.Sprintf("%.2f", 100-v[1]); !strings.Contains(f.Published, top1) &&
				!strings.Contains(f.Published, error5) {
				t.Errorf("%s: %s has %s at %d px, published is said to be %q", f.ID, name[1], top1, own[name[1]], f.Published)
			}
		}
	}
	if count < 30 {
		t.Errorf("%d figures were held to the table, want at least 30", count)
	}
}

// TestOwnSizes runs every checkpoint that a claim asks for at its own size: the claims named would compare two sizes,
// and can be decided by a run at one alone.
func TestOwnSizes(t *testing.T) {
	results, own := published(t)
	var records []record.Record
	for name, size := range own {
		if v, ok := results[name][size]; ok {
			records = append(records, sized(eval(name, v[0]), size))
		}
	}
	var have []string
	for _, f := range Test(records, Given{}) {
		if slices.ContainsFunc(f.Missing, func(m string) bool { return strings.Contains(m, "at one input size") }) {
			have = append(have, f.ID)
		}
	}
	if want := []string{"resnet-v2-accuracy", "transfer-helps"}; !slices.Equal(have, want) {
		t.Errorf("claims that lack one size: have %q, want %q", have, want)
	}
}
