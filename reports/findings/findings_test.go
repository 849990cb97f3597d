package findings

import (
	"fmt"
	"math"
	"reflect"
	"slices"
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
			"refutes": f.Refutes, "tier": string(f.Tier), "theme": string(f.Theme), "remedy": string(f.Remedy)} {
			if text == "" {
				t.Errorf("%s: no %s", f.ID, name)
			}
		}
		if f.Verdict != Untestable || len(f.Missing) == 0 {
			t.Errorf("%s: have %q, missing %q; want %q and what is missing", f.ID, f.Verdict, f.Missing, Untestable)
		}
		if !slices.Contains(Themes(), f.Theme) || !slices.Contains(Remedies(), f.Remedy) {
			t.Errorf("%s: theme %q or remedy %q is not among those that are shown", f.ID, f.Theme, f.Remedy)
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

// many is ten networks of two families: with agree, latency follows multiply-accumulates, else the other way round. Each two
// that follow one another take as many multiply-accumulates.
func many(agree bool) (records []record.Record, networks []Network) {
	records = []record.Record{{Schema: record.Schema, Kind: record.KindHost, RunID: "r", Time: at, Machine: record.Machine{CPU: "c"},
		Host: &record.Host{PeakGFLOPS: 100}, Verdict: record.Verdict{Valid: true}}}
	for i := range 10 {
		name := fmt.Sprintf("net%d", i)
		networks = append(networks, network(name, fmt.Sprint("f", i%2), int64(i/2+1)*1e9, i%2 == 0))
		ms := float64(10 * (i/2 + 1))
		if !agree {
			ms = float64(10 * (10 - i))
		}
		records = append(records, latency(name, ms))
	}
	return records, networks
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
	// Output: Wide ResNet-50-2 takes less time than ResNet-152, with as many multiply-accumulates. confirmed
}

// TestLacking names records of one kind together, and leaves out what the remedy says.
func TestLacking(t *testing.T) {
	f := Finding{Claim{Remedy: ByStudy}, Result{Missing: []string{
		"top-1 of a.x", "the graph of a", "top-1 of b.y", string(ByStudy), "top-1 of an EfficientNet at its own input size",
		"latency of c", "latency of d",
	}}}
	want := []string{"top-1 of a.x, b.y", "the graph of a", "top-1 of an EfficientNet at its own input size", "latency of c, d"}
	if have := f.Lacking(); !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}
