package cli

import (
	"os"
	"path/filepath"
	"testing"

	"zoobench/bench/record"
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
		"stacked-3x3":               findings.Confirmed,
		"depthwise-separable-ratio": findings.Confirmed,
		"se-cost-counted":           findings.Confirmed,
		"resnet-v2-equal-cost":      findings.Confirmed,
		"resnet152-under-vgg16":     findings.Confirmed,
		"bottleneck-block":          findings.Confirmed,
		"vgg19-is-vgg16-with-more":  findings.Confirmed,
		"factorised-inception":      findings.Confirmed,
		"inception-v1-parameters":   findings.Refuted, // 9.1 times
		"compound-scaling":          findings.Confirmed,
		"vgg-first-linear":          findings.Confirmed,
		"gates-in-the-zoo":          findings.Described,
		"years":                     findings.Described,
	}
	for _, f := range findings.Test(nil, findings.Given{Networks: networks}) {
		if f.Tier != findings.Counted {
			continue
		}
		t.Logf("%s: %s: %s %v", f.ID, f.Verdict, f.Summary, f.Missing)
		if f.Verdict != want[f.ID] {
			t.Errorf("%s: have %q, want %q: %v", f.ID, f.Verdict, want[f.ID], f.Rows)
		}
		delete(want, f.ID)
	}
	for id := range want {
		t.Errorf("%s: no such finding", id)
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
