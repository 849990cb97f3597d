package findings

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
)

// network is a graph of that many multiply-accumulates.
func network(name, family string, macs int64, depthwise bool) Network {
	l := Layer{Name: "conv", Op: "conv", In: [3]int{8, 8, 8}, Out: [3]int{8, 8, 8}, Kernel: [2]int{3, 3}, Groups: 1, Params: macs / 64, MACs: macs}
	if depthwise {
		l.Groups = 8
	}
	return Network{Name: name, Family: family, Year: 2020, Size: 224, Params: macs / 64, MACs: macs, Layers: []Layer{l}}
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// latency is a sound record whose median is ms with an interval of 1 % to each side.
func latency(model string, ms float64) record.Record {
	samples := make([]int64, 64)
	for i := range samples {
		samples[i] = int64(ms * 1e6 * (1 + 0.0005*float64(i-32)))
	}
	return record.Record{
		Schema: record.Schema, Kind: record.KindLatency, RunID: "r", Time: at, Machine: record.Machine{CPU: "c", ISA: "avx2"},
		Model: model, ImgSize: 224, Batch: 1, Threads: 1, Scenario: "single_stream", Effective: &record.Settings{ISA: "avx2"},
		Cost: &record.Cost{Params: 1, MACs: 1e9}, Timing: record.NewTiming(samples, time.Second), Footprint: &record.Footprint{},
		Verdict: record.Verdict{Valid: true},
	}
}

// eval is a sound record of top-1 among 50 000 images.
func eval(name string, top1 float64) record.Record {
	model, tag, _ := strings.Cut(name, ".")
	n := int(math.Round(500 * top1))
	return record.Record{
		Schema: record.Schema, Kind: record.KindEval, RunID: "r", Time: at, Machine: record.Machine{CPU: "c"}, Model: model, Checkpoint: tag,
		DatasetSHA256: "d", Accuracy: record.NewAccuracy(50_000, n, n, nil), Verdict: record.Verdict{Valid: true},
	}
}

// find returns one finding.
func find(t *testing.T, id string, records []record.Record, networks []Network) Finding {
	t.Helper()
	for _, f := range Test(records, Given{Networks: networks}) {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no finding %s", id)
	return Finding{}
}

// TestClaims holds every claim to being whole, and to being untestable, with something missing, where there is nothing.
func TestClaims(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Test(nil, Given{}) {
		if seen[f.ID] {
			t.Errorf("%s stands twice", f.ID)
		}
		seen[f.ID] = true
		for name, text := range map[string]string{"text": f.Text, "source": f.Source, "needs": f.Needs, "confirms": f.Confirms, "refutes": f.Refutes, "tier": string(f.Tier)} {
			if text == "" {
				t.Errorf("%s: no %s", f.ID, name)
			}
		}
		if f.Verdict != Untestable || len(f.Missing) == 0 {
			t.Errorf("%s: have %q, missing %q; want %q and what is missing", f.ID, f.Verdict, f.Missing, Untestable)
		}
		if strings.Trim(f.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s: not an identifier", f.ID)
		}
	}
	if have, want := Count(Test(nil, Given{})), fmt.Sprintf("%d not testable here", len(seen)); have != want {
		t.Errorf("count: have %q, want %q", have, want)
	}
	if len(seen) < 50 {
		t.Errorf("%d claims, want at least 50", len(seen))
	}
}

// TestSame holds findings to being a function of their input.
func TestSame(t *testing.T) {
	records, networks := many(true)
	if a, b := fmt.Sprint(results(records, networks)), fmt.Sprint(results(records, networks)); a != b {
		t.Errorf("two calls differ:\n%s\n%s", a, b)
	}
}

func results(records []record.Record, networks []Network) (all []Result) {
	for _, f := range Test(records, Given{Networks: networks}) {
		all = append(all, f.Result)
	}
	return all
}

// many is ten networks: with agree, latency follows multiply-accumulates, else the other way round.
func many(agree bool) (records []record.Record, networks []Network) {
	records = []record.Record{{Schema: record.Schema, Kind: record.KindHost, RunID: "r", Time: at, Machine: record.Machine{CPU: "c"}, Host: &record.Host{PeakGFLOPS: 100}, Verdict: record.Verdict{Valid: true}}}
	for i := range 10 {
		name := fmt.Sprintf("net%d", i)
		networks = append(networks, network(name, "f", int64(i+1)*1e9, i%2 == 0))
		ms := float64(10 * (i + 1))
		if !agree {
			ms = float64(10 * (10 - i))
		}
		records = append(records, latency(name, ms))
	}
	return records, networks
}

func TestTimed(t *testing.T) {
	agreeing, ten := many(true)
	crossed, _ := many(false)
	invalid := latency("wide_resnet50_2", 50)
	invalid.Verdict = record.Verdict{Reasons: []string{"drift"}}
	pair := []Network{network("seresnet50", "seresnet", 1_001_000_000, false), network("resnet50", "resnet", 1_000_000_000, false), network("wide_resnet50_2", "wide", 11e9, false), network("resnet152", "resnet", 11e9, false)}
	slow, fast := agreeing[:1:1], agreeing[:1:1]
	for i, n := range ten {
		ms := 10 * float64(i+1)
		for _, c := range []struct {
			to    *[]record.Record
			times float64
		}{{&slow, 5}, {&fast, 0.2}} {
			f := 1.0
			if i%2 == 0 {
				f = c.times
			}
			*c.to = append(*c.to, latency(n.Name, ms*f))
		}
	}
	for _, test := range []struct {
		name, id string
		records  []record.Record
		networks []Network
		want     Verdict
	}{
		{"ranks agree", "macs-mispredict-latency", agreeing, ten, Refuted},
		{"ranks cross", "macs-mispredict-latency", crossed, ten, Confirmed},
		{"too few", "macs-mispredict-latency", agreeing[:8], ten, Untestable},
		{"time for gates", "se-cost-timed", []record.Record{latency("seresnet50", 12), latency("resnet50", 10)}, pair, Confirmed},
		{"no time for gates", "se-cost-timed", []record.Record{latency("seresnet50", 9.5), latency("resnet50", 10)}, pair, Refuted},
		{"who knows", "se-cost-timed", []record.Record{latency("seresnet50", 10.1), latency("resnet50", 10)}, pair, Unresolved},
		{"wide is faster", "depth-against-width", []record.Record{latency("wide_resnet50_2", 50), latency("resnet152", 60)}, pair, Confirmed},
		{"wide is slower", "depth-against-width", []record.Record{latency("wide_resnet50_2", 70), latency("resnet152", 60)}, pair, Refuted},
		{"intervals overlap", "depth-against-width", []record.Record{latency("wide_resnet50_2", 60), latency("resnet152", 60)}, pair, Unresolved},
		{"not to be trusted", "depth-against-width", []record.Record{invalid, latency("resnet152", 60)}, pair, Untestable},
		{"depthwise is slow", "depthwise-share-of-peak", slow, ten, Confirmed},
		{"depthwise is fast", "depthwise-share-of-peak", fast, ten, Refuted},
		{"no peak", "depthwise-share-of-peak", slow[1:], ten, Untestable},
		{"folded", "folded-batch-norm", []record.Record{latency("vgg16_bn", 101), latency("vgg16", 100)}, nil, Confirmed},
		{"not folded", "folded-batch-norm", []record.Record{latency("vgg16_bn", 130), latency("vgg16", 100)}, nil, Refuted},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, test.id, test.records, test.networks)
			if f.Verdict != test.want {
				t.Errorf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
			}
			if f.Verdict == Untestable && len(f.Missing) == 0 {
				t.Error("nothing is said to be missing")
			}
			for _, row := range f.Rows {
				if len(row) != len(f.Heads) {
					t.Errorf("row %q, heads %q", row, f.Heads)
				}
			}
		})
	}
}

func TestCurves(t *testing.T) {
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
	for _, test := range []struct {
		name, id string
		records  []record.Record
		want     Verdict
		knee     string
	}{
		{"batches help", "batch-curve", []record.Record{batch(1, 10), batch(4, 24), batch(2, 14), batch(8, 46)}, Confirmed, "4"},
		{"batches do not", "batch-curve", []record.Record{batch(1, 10), batch(2, 24)}, Refuted, "1"},
		{"one batch", "batch-curve", []record.Record{batch(1, 10)}, Untestable, ""},
		{"in proportion", "resolution-curve", []record.Record{pixels(112, 10, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, Confirmed, "112 px"},
		{"small ones dear", "resolution-curve", []record.Record{pixels(112, 20, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, Refuted, "224 px"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := find(t, test.id, test.records, nil)
			if f.Verdict != test.want {
				t.Fatalf("have %q, want %q: %v", f.Verdict, test.want, f.Rows)
			}
			if test.knee != "" && f.Rows[0][3] != test.knee {
				t.Errorf("knee: have %q, want %q: %v", f.Rows[0][3], test.knee, f.Rows)
			}
		})
	}
}

// TestCurveOfAll shows what is not to be trusted and looks for the knee without it.
func TestCurveOfAll(t *testing.T) {
	var records []record.Record
	for i, ms := range []float64{10, 12, 8, 40} { // 10, 6, 2 and 5 ms an image
		r := latency("net", ms)
		r.Batch = 1 << i
		if r.Batch == 4 {
			r.Verdict = record.Verdict{Reasons: []string{"drift"}}
		}
		records = append(records, r)
	}
	all := BatchCurves(records)
	if len(all) != 1 || len(all[0].Records) != 4 || all[0].Knee != 3 {
		t.Fatalf("have %+v, want one curve of four records with its knee at the last", all)
	}
	for i := range records[1:] {
		records[i+1].Verdict = record.Verdict{Reasons: []string{"drift"}}
	}
	if all := BatchCurves(records); len(all) != 1 || all[0].Knee != -1 {
		t.Errorf("have %+v, want a curve without a knee", all)
	}
	if all := ResolutionCurves(records); len(all) != 0 {
		t.Errorf("have %d curves over sizes, want none", len(all))
	}
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
	other := eval("vgg16.tv_in1k", 71)
	other.DatasetSHA256 = "e"
	costs := []Network{network("resnet50", "resnet", 4e9, false), network("resnet152", "resnet", 11e9, false), network("vgg16", "vgg", 15e9, false), network("vgg19", "vgg", 19e9, false)}
	vgg := []record.Record{eval("resnet50.tv_in1k", 76), eval("vgg16.tv_in1k", 71), eval("resnet152.tv_in1k", 78), eval("vgg19.tv_in1k", 72)}
	dear := append([]Network{network("resnet50", "resnet", 20e9, false)}, costs[1:]...)
	front := []record.Record{eval("efficientnet_b0.ra", 77)}
	nets := []Network{network("efficientnet_b0", "efficientnet", 4e8, true)}
	for i := range 5 {
		name := fmt.Sprintf("n%d", i)
		front = append(front, eval(name+".x", 70))
		nets = append(nets, network(name, "n", int64(3e8+1e8*i), false))
	}
	beaten := append([]record.Record{eval("n0.y", 79)}, front...)
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
		{"half a point", "inception-residuals", []record.Record{eval("inception_v4.tf_in1k", 80.1), eval("inception_resnet_v2.tf_in1k", 82)}, nil, Refuted},
		{"on the front", "efficientnet-front-macs", front, nets, Confirmed},
		{"behind the front", "efficientnet-front-macs", beaten, nets, Refuted},
		{"no times", "efficientnet-front-latency", front, nets, Untestable},
		{"recipes", "recipe-spread", []record.Record{eval("resnet50.tv_in1k", 76), eval("resnet50.a1_in1k", 81), eval("resnet50.b", 79), eval("resnet152.tv_in1k", 78)}, nil, Confirmed},
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

// TestPublishedDecideNothing gives every record the literature's figures and expects no other verdict.
func TestPublishedDecideNothing(t *testing.T) {
	records, networks := many(false)
	records = append(records, eval("resnet18.tv_in1k", 70))
	before := results(records, networks)
	for i := range records {
		records[i].Published = &record.Published{Top1: 99, Top5: 99, MACs: 1, Params: 1, Source: "s"}
	}
	if after := results(records, networks); !reflect.DeepEqual(after, before) {
		t.Errorf("published figures change a result:\n%v\n%v", before, after)
	}
}

// TestUnsound holds unsound records to being no evidence.
func TestUnsound(t *testing.T) {
	records, networks := many(true)
	for i := range records {
		records[i].Machine.CPU = ""
	}
	if f := find(t, "macs-mispredict-latency", records, networks); f.Verdict != Untestable {
		t.Errorf("have %q, want %q", f.Verdict, Untestable)
	}
}

// TestDifference holds the interval to Newcombe's own example, 56 of 70 against 48 of 80 (Statistics in Medicine 17, 1998,
// table II, method 10).
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
	records := []record.Record{judged("resnetv2_50.a1h_in1k", 150), judged("resnet50.a1h_in1k", 140)}
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
			for _, f := range Test(records, Given{Samples: test.samples}) {
				if f.ID != "resnet-v2-accuracy" {
					continue
				}
				if how := f.Rows[0][6]; f.Verdict != test.want || how != test.test {
					t.Errorf("have %q by %q, want %q by %q: %v", f.Verdict, how, test.want, test.test, f.Rows)
				}
			}
		})
	}
}

func ExampleTest() {
	records := []record.Record{latency("wide_resnet50_2", 50), latency("resnet152", 60)}
	networks := []Network{network("wide_resnet50_2", "wide_resnet", 11.4e9, false), network("resnet152", "resnet", 11.5e9, false)}
	for _, f := range Test(records, Given{Networks: networks}) {
		if f.ID == "depth-against-width" {
			fmt.Println(f.Text, f.Verdict)
		}
	}
	// Output: At equal multiply-accumulates a wide network is faster than a deep one. confirmed
}
