package findings

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// network is a graph of that many multiply-accumulates.
func network(name, family string, macs int64, depthwise bool) Network {
	l := Layer{Name: "conv", Op: "conv", In: [3]int{8, 8, 8}, Out: [3]int{8, 8, 8}, Kernel: [2]int{3, 3}, Groups: 1, Params: macs / 64,
		MACs: macs}
	if depthwise {
		l.Groups = 8
	}
	return Network{Name: name, Family: family, Year: 2020, Size: 224, Params: macs / 64, MACs: macs, Layers: []Layer{l}}
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// latency is a sound record whose median is ms with an interval of 1.3 % to each side. Which of its processes is the quickest
// depends on the network's name: nothing falls on all rows of a round.
func latency(model string, ms float64) record.Record {
	samples := make([]int64, 65)
	first := 0
	for _, letter := range model {
		first += 13 * int(letter)
	}
	for i := range samples {
		samples[i] = int64(ms * 1e6 * (1 + 0.0005*float64((i+first)%len(samples)-32)))
	}
	return record.Record{
		Schema: record.Schema, Kind: record.KindLatency, RunID: "r", Time: at, Machine: record.Machine{CPU: "c", ISA: "avx2"},
		Model: model, ImgSize: 224, Batch: 1, Threads: 1, Scenario: "single_stream", Effective: &record.Settings{Axes: record.Axes{ISA: "avx2"}},
		Cost: &record.Cost{Params: 1, MACs: 1e9}, Timing: recordtest.Timing(samples, time.Second, 5), Footprint: &record.Footprint{},
		Verdict: record.Verdict{Valid: true},
	}
}

// eval is a sound record of top-1 among 50 000 images of 224 pixels.
func eval(name string, top1 float64) record.Record {
	model, tag, _ := strings.Cut(name, ".")
	n := int(math.Round(500 * top1))
	return record.Record{
		Schema: record.Schema, Kind: record.KindEval, RunID: "r", Time: at, Machine: record.Machine{CPU: "c"}, Model: model, Checkpoint: tag,
		ImgSize: 224, DatasetSHA256: "d", Accuracy: record.NewAccuracy(50_000, n, n, nil), Verdict: record.Verdict{Valid: true},
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
		for name, text := range map[string]string{"text": f.Text, "source": f.Source, "needs": f.Needs, "confirms": f.Confirms,
			"refutes": f.Refutes, "tier": string(f.Tier)} {
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
	records = []record.Record{{Schema: record.Schema, Kind: record.KindHost, RunID: "r", Time: at, Machine: record.Machine{CPU: "c"},
		Host: &record.Host{PeakGFLOPS: 100}, Verdict: record.Verdict{Valid: true}}}
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
	pair := []Network{network("seresnet50", "seresnet", 1_001_000_000, false), network("resnet50", "resnet", 1_000_000_000, false),
		network("wide_resnet50_2", "wide", 11e9, false), network("resnet152", "resnet", 11e9, false)}
	var gated, normed, searched []record.Record
	var depths, hand []Network
	for _, n := range []string{"18", "34", "50", "101", "152"} {
		gated = append(gated, latency("seresnet"+n, 12), latency("resnet"+n, 10))
		depths = append(depths, network("seresnet"+n, "seresnet", 1_001_000_000, false), network("resnet"+n, "resnet", 1_000_000_000, false))
	}
	for _, n := range []string{"vgg11", "vgg13", "vgg16", "vgg19"} {
		normed = append(normed, latency(n+"_bn", 101), latency(n, 100))
	}
	for i, n := range []string{"mnasnet_100", "mobilenetv2_100", "nasnetamobile", "mobilenetv2_140"} {
		searched = append(searched, latency(n, float64(10+2*(i%2))))
		hand = append(hand, network(n, "n", 3e8, true))
	}
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
		{"time for gates", "se-cost-timed", gated, depths, Confirmed},
		{"time for gates at four depths of five", "se-cost-timed", gated[2:], depths, Unresolved},
		{"no time for gates", "se-cost-timed", []record.Record{latency("seresnet50", 9.5), latency("resnet50", 10)}, pair, Refuted},
		{"who knows", "se-cost-timed", []record.Record{latency("seresnet50", 10.1), latency("resnet50", 10)}, pair, Unresolved},
		{"wide is faster", "depth-against-width", []record.Record{latency("wide_resnet50_2", 50), latency("resnet152", 60)}, pair, Confirmed},
		{"wide is slower", "depth-against-width", []record.Record{latency("wide_resnet50_2", 70), latency("resnet152", 60)}, pair, Refuted},
		{"intervals overlap", "depth-against-width", []record.Record{latency("wide_resnet50_2", 60), latency("resnet152", 60)}, pair, Unresolved},
		{"not to be trusted", "depth-against-width", []record.Record{invalid, latency("resnet152", 60)}, pair, Untestable},
		{"depthwise is slow", "depthwise-share-of-peak", slow, ten, Confirmed},
		{"depthwise is fast", "depthwise-share-of-peak", fast, ten, Refuted},
		{"no peak", "depthwise-share-of-peak", slow[1:], ten, Untestable},
		{"folded", "folded-batch-norm", normed, nil, Confirmed},
		{"folded, as far as is known", "folded-batch-norm", normed[2:], nil, Unresolved},
		{"not folded", "folded-batch-norm", []record.Record{latency("vgg16_bn", 130), latency("vgg16", 100)}, nil, Refuted},
		{"both are faster", "searched-against-hand-made-time", searched, hand, Confirmed},
		{"one is faster", "searched-against-hand-made-time", searched[:2], hand, Unresolved},
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

// TestInstructions takes rows of the instructions that the machine's kernels choose by themselves, whether or not a job
// asked for them by name; a row's own machine and settings both tell what it ran with.
func TestInstructions(t *testing.T) {
	host := func(isa string) record.Record {
		return record.Record{Schema: record.Schema, Kind: record.KindHost, RunID: "r", Time: at, Machine: record.Machine{CPU: "c", ISA: isa},
			Host: &record.Host{PeakGFLOPS: 100}, Verdict: record.Verdict{Valid: true}}
	}
	with := func(asked, isa string, ms float64, after time.Duration) record.Record {
		r := latency("resnet18", ms)
		r.Machine.ISA, r.Time = isa, at.Add(after)
		r.Asked, r.Effective = &record.Settings{Axes: record.Axes{ISA: asked}}, &record.Settings{Axes: record.Axes{ISA: isa}}
		return r
	}
	for _, test := range []struct {
		name    string
		records []record.Record
		want    float64 // milliseconds, 0 for none
	}{
		{"none asked for", []record.Record{host("avx512"), with("", "avx512", 10, 0)}, 10},
		{"a lower one later", []record.Record{host("avx512"), with("", "avx512", 10, 0), with("avx2", "avx2", 15, time.Hour),
			with("generic", "generic", 90, 2*time.Hour)}, 10},
		{"a lower one alone", []record.Record{host("avx512"), with("generic", "generic", 90, 0)}, 0},
		{"the best one by name", []record.Record{with("avx2", "avx2", 15, 0), with("generic", "generic", 90, time.Hour), host("avx2")}, 15},
		{"a machine of no other", []record.Record{host("generic"), with("generic", "generic", 90, 0)}, 90},
		{"no row of the host", []record.Record{with("avx2", "avx2", 15, 0)}, 0},
		{"no row of the host, none asked for", []record.Record{with("", "avx2", 15, 0)}, 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			have := 0.0
			if r := newEvidence(test.records, Given{}).single["resnet18"]; r != nil {
				have = float64(r.P50) / 1e6
			}
			if math.Abs(have-test.want) > 0.02*test.want {
				t.Errorf("have %v ms, want %v", have, test.want)
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
		{"in proportion", "resolution-curve", []record.Record{pixels(112, 10, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, Confirmed,
			"112 px"},
		{"small ones dear", "resolution-curve", []record.Record{pixels(112, 20, 1e9), pixels(224, 40, 4e9), pixels(448, 160, 16e9)}, Refuted,
			"224 px"},
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
	for i := range records {
		records[i].Scenario = "server"
	}
	if all := BatchCurves(records); len(all) != 0 {
		t.Errorf("have %d curves of a server's queries, want none", len(all))
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
