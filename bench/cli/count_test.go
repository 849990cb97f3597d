package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/reports/findings"
	"zoobench/zoo"
)

// TestCountedFindings holds the verdicts of what is counted to the zoo's graphs.
func TestCountedFindings(t *testing.T) {
	networks := counted(zoo.Default())
	if have, want := len(networks), len(zoo.Default().All()); have != want {
		t.Fatalf("%d networks counted, want %d", have, want)
	}
	want := map[string]findings.Verdict{
		"stacked-3x3":               findings.Passed,
		"depthwise-separable-ratio": findings.Passed,
		"vgg19-is-vgg16-with-more":  findings.Passed,
		"factorised-inception":      findings.Passed,
		"se-cost-counted":           findings.Holds,
		"resnet-v2-equal-cost":      findings.Holds,
		"resnet152-under-vgg16":     findings.Holds,
		"bottleneck-block":          findings.Described, // 11.6 % more
		"inception-v1-parameters":   findings.Fails,     // 9.1 times
		"compound-scaling":          findings.Fails,     // B1 is as wide as B0, B2 as deep as B1
		"vgg-first-linear":          findings.Holds,
		"gates-in-the-zoo":          findings.Described,
		"years":                     findings.Described,
	}
	found := findings.Test(nil, findings.Given{Networks: networks})
	for _, f := range found {
		if f.Tier != findings.Counted && f.Tier != findings.Checked {
			continue
		}
		t.Logf("%s: %s: %s %v", f.ID, f.Verdict, f.Summary, f.Missing)
		if f.Verdict != want[f.ID] {
			t.Errorf("%s: have %q, want %q: %v", f.ID, f.Verdict, want[f.ID], f.Rows)
		}
		delete(want, f.ID)
	}
	const counts = "6 counted (4 true of the graphs, 2 not true of the graphs), 4 checks of the zoo passed, 3 described, "
	if have := findings.Count(found); !strings.HasPrefix(have, counts) {
		t.Errorf("without a measurement: have %q, want %q and what is not testable", have, counts)
	}
	for id := range want {
		t.Errorf("%s: no such finding", id)
	}
}

// TestOneLatency confirms nothing by one latency, whichever network of the zoo it is of.
func TestOneLatency(t *testing.T) {
	networks := counted(zoo.Default())
	for _, n := range networks {
		r := record.Record{
			Schema: record.Schema, Kind: record.KindLatency, RunID: "r", Time: time.Unix(1, 0), Machine: record.Machine{CPU: "c", ISA: "avx2"},
			Model: n.Name, ImgSize: n.Size, Batch: 1, Threads: 1, Scenario: "single_stream", Cost: &record.Cost{Params: n.Params, MACs: n.MACs},
			Effective: &record.Settings{Axes: record.Axes{ISA: "avx2"}}, Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
			Timing: recordtest.Timing(slices.Repeat([]int64{1e6, 1e6 + 1}, 30), time.Second, 5),
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		for _, f := range findings.Test([]record.Record{r}, findings.Given{Networks: networks}) {
			if f.Verdict == findings.Confirmed || f.Verdict == findings.Refuted || f.Verdict == findings.Unresolved {
				t.Errorf("one latency of %s: %s: %s: %s", n.Name, f.ID, f.Verdict, f.Summary)
			}
		}
	}
}

// TestGivenSamples finds a run's per-sample files in its own folder, and nothing outside of it.
func TestGivenSamples(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "run", "samples", "a.jsonl"), filepath.Join(dir, "a.jsonl")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		w, err := record.NewSampleWriter(path)
		if err == nil {
			err = w.Write(record.Sample{File: "x", Labels: []int{1}, Top5: []int{1}, Scores: []float32{1}})
		}
		if err == nil {
			err = w.Close(nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a := &app{list: zoo.Default()}
	samples := a.given(map[string]string{"r": filepath.Join(dir, "run")}).Samples
	for _, test := range []struct {
		name, run, file string
		want            int
	}{
		{"its own", "r", "samples/a.jsonl", 1},
		{"another run's", "s", "samples/a.jsonl", 0},
		{"none", "r", "", 0},
		{"outside", "r", "../a.jsonl", 0},
		{"absolute", "r", filepath.Join(dir, "a.jsonl"), 0},
		{"missing", "r", "samples/b.jsonl", 0},
	} {
		found, err := samples(&record.Record{RunID: test.run, SamplesFile: test.file})
		if len(found) != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: %d samples, error %v; want %d", test.name, len(found), err, test.want)
		}
	}
}
