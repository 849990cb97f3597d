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

// TestOneSize compares accuracies at one input size alone, which need not be the checkpoints' own.
func TestOneSize(t *testing.T) {
	const v3, v4 = "inception_v3.tf_in1k", "inception_v4.tf_in1k"
	for _, test := range []struct {
		name    string
		records []record.Record
		want    Verdict
		px      string // of the first row
		missing string
	}{
		{"two sizes", []record.Record{eval(v4, 80.4), sized(eval(v3, 79.3), 176)}, Untestable, "",
			v4 + " and " + v3 + " at one input size, have 224 and 176 px"},
		{"one size", []record.Record{eval(v4, 80.4), eval(v3, 79.3)}, Confirmed, "224 224", ""},
		{"one of each asked for", []record.Record{eval(v4, 80.4), asked(eval(v3, 82), 224), sized(eval(v3, 79.3), 176)}, Refuted, "224 224", ""},
		{"the larger of two asked for",
			[]record.Record{eval(v4, 80.4), asked(eval(v4, 80), 160), asked(eval(v4, 82), 288), asked(eval(v3, 79), 160),
				sized(eval(v3, 79.3), 176), asked(eval(v3, 80), 288)}, Confirmed, "288 288", ""},
		{"their own beside another", []record.Record{asked(eval(v4, 60), 128), sized(eval(v4, 80), 299), sized(eval(v3, 78), 299)},
			Confirmed, "299 299", ""},
		{"their own asked for, too",
			[]record.Record{asked(eval(v4, 80), 299), sized(eval(v4, 80), 299), asked(eval(v4, 60), 128), sized(eval(v3, 78), 299),
				asked(eval(v3, 78), 128)}, Confirmed, "299 299", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, "inception-order", test.records, nil)
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

// frontCases hold the Pareto fronts to what each evaluation costs at its own size, to networks published before EfficientNet,
// to weights of ImageNet-1k alone, and to five other networks on the same images.
func frontCases() []claimCase {
	const params, macs = "efficientnet-front-parameters", "efficientnet-front-macs"
	var few []record.Record
	nets := []Network{network("efficientnet_b0", "efficientnet", 4e8, true), network("later", "later", 3e8, true)}
	for i := range 5 {
		name := fmt.Sprintf("n%d", i)
		few = append(few, costing(eval(name+".x", 70), 2e6, int64(3e8+1e8*i)))
		nets = append(nets, network(name, "n", int64(3e8+1e8*i), false))
		nets[len(nets)-1].Year = 2018
	}
	b0 := costing(eval("efficientnet_b0.ra", 77), 5e6, 4e8)
	others := append(few[:5:5], b0)
	with := func(more ...record.Record) []record.Record { return append(slices.Clone(others), more...) }
	off := b0
	off.DatasetSHA256 = "e"
	return []claimCase{
		{"on the front", macs, others, nets, Confirmed},
		{"behind the front", macs, with(costing(eval("n0.y", 79), 2e6, 3e8)), nets, Refuted},
		{"on the front", params, with(costing(eval("n0.y", 79), 6e6, 3e8)), nets, Confirmed},
		{"behind the front", params, with(costing(eval("n0.y", 79), 5e6, 3e8)), nets, Refuted},
		{"perhaps behind", macs, with(costing(eval("n0.y", 77.1), 2e6, 3e8)), nets, Unresolved},
		{"perhaps as accurate", macs, with(costing(eval("n0.y", 76.9), 2e6, 3e8)), nets, Unresolved},
		{"at more pixels it is dearer", macs, with(sized(costing(eval("n0.y", 79), 2e6, 9e8), 384)), nets, Confirmed},
		{"at a size asked for", macs, with(asked(costing(eval("n0.y", 79), 2e6, 1e8), 128)), nets, Confirmed},
		{"a later network", macs, with(costing(eval("later.in1k", 84), 2e6, 3e8)), nets, Confirmed},
		{"of more images", macs, with(costing(eval("n0.in21k_ft_in1k", 84), 2e6, 3e8)), nets, Confirmed},
		{"EfficientNet of more images alone", macs, append(few[:5:5], costing(eval("efficientnet_b0.ns_jft_in1k", 79), 5e6, 4e8)), nets,
			Untestable},
		{"four others", macs, others[1:], nets, Untestable},
		{"five tags of four", macs, append(others[1:6:6], costing(eval("n4.y", 70), 2e6, 3e8)), nets, Untestable},
		{"of other images", macs, append(few[:5:5], off), nets, Untestable},
	}
}

// TestFrontOfEquals refutes the front by no rival among many that are equal in truth: at 5 % each, one of twenty would seem
// better in a third of all runs.
func TestFrontOfEquals(t *testing.T) {
	nets := []Network{network("efficientnet_b0", "efficientnet", 4e8, true)}
	records := []record.Record{costing(eval("efficientnet_b0.ra", 77), 5e6, 4e8)}
	for i := range 20 {
		name := fmt.Sprintf("n%d", i)
		records = append(records, costing(eval(name+".x", 77+0.03*float64(i)), 2e6, 3e8)) // the last is 2.1 deviations ahead
		nets = append(nets, network(name, "n", 3e8, false))
		nets[len(nets)-1].Year = 2015
	}
	f := find(t, "efficientnet-front-macs", records, nets)
	if f.Verdict != Unresolved {
		t.Errorf("have %q, want %q: %s", f.Verdict, Unresolved, f.Summary)
	}
	if p := f.Rows[len(f.Rows)-1][9]; p == "" || p < "0.0500" {
		t.Errorf("the best of twenty has p = %s, want it corrected", p)
	}
}

func recipeBase() []record.Record {
	return judged("resnet50.b 79", "resnet50.tv_in1k 76", "resnet50.a1_in1k 81", "resnet152.tv_in1k 78")
}

func recipeCases() []claimCase {
	return []claimCase{
		{"three recipes", "recipe-spread", recipeBase(), nil, Confirmed},
		{"all are behind", "recipe-spread", judged("resnet50.b 77", "resnet50.tv_in1k 76", "resnet50.a1_in1k 76.5", "resnet152.tv_in1k 78"), nil,
			Refuted},
		{"none is ahead for certain", "recipe-spread",
			judged("resnet50.b 78.2", "resnet50.tv_in1k 76", "resnet50.a1_in1k 78.4", "resnet152.tv_in1k 78"), nil, Unresolved},
	}
}

// TestRecipes spreads recipes over rows of the same images and size, without those that saw more images in training.
func TestRecipes(t *testing.T) {
	base := recipeBase()
	few := eval("resnet50.a2_in1k", 0)
	few.Accuracy = record.NewAccuracy(100, 99, 100, nil)
	apart := eval("resnet50.c1_in1k", 99)
	apart.DatasetSHA256 = "e"
	const spread = "resnet50 reached 76.00 % (tv_in1k) to 81.00 % (a1_in1k): recipes differ by 5.0 points; resnet152.tv_in1k reached 78.00 %."
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
			Confirmed, "resnet50 reached 75.00 % (a3_in1k) to 81.00 % (a1_in1k): recipes differ by 6.0 points; resnet152.tv_in1k reached 78.00 %."},
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
		"goog_distilled_in1k":  true,
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
	of200 := func(name string, right int) record.Record {
		r := eval(name, 0)
		r.Accuracy = record.NewAccuracy(200, right, right, nil)
		return r
	}
	records := []record.Record{of200("inception_v4.tf_in1k", 150), of200("inception_v3.tf_in1k", 140)}
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
		{"files", func(r *record.Record) ([]record.Sample, error) { return answers(r.Top1Images), nil }, Confirmed, "McNemar"},
		{"other files", func(r *record.Record) ([]record.Sample, error) { return answers(r.Top1Images - 1), nil }, Unresolved, "intervals"},
		{"unreadable", func(r *record.Record) ([]record.Sample, error) { return nil, errors.New("no such file") }, Unresolved, "intervals"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, f := range Test(records, Given{Samples: test.samples}) {
				if f.ID != "inception-order" {
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
		if s == "-" {
			return 0 // not published
		}
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
	names := regexp.MustCompile(`^top-1 of (\S+)$`)
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

// TestOwnSizes runs every checkpoint that a claim asks for at its own size: no claim compares two sizes.
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
	if len(have) > 0 {
		t.Errorf("claims that lack one size: have %q, want none", have)
	}
}
