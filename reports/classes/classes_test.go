package classes

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// timed is a valid latency of about that many milliseconds on a machine of that model.
func timed(model int, network string, ms float64) record.Record {
	rng := rand.New(rand.NewPCG(uint64(model), uint64(len(network))))
	samples := make([]int64, 100)
	for i := range samples {
		samples[i] = int64(1e6 * ms * (1 + 0.01*rng.Float64()))
	}
	return record.Record{
		Kind: record.KindLatency, RunID: "r", Experiment: "e", Time: time.Unix(1, 0),
		Model: network, Family: "f", ImgSize: 224, Batch: 1, Threads: 1, Scenario: "single_stream",
		Machine: record.Machine{CPU: "masked", Cores: 4, OS: "linux", Arch: "amd64", Vendor: "x", Family: 6, Model: model},
		Timing:  recordtest.Timing(samples, time.Second, 5), Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
	}
}

func example() []record.Record {
	invalid := timed(2, "shaky", 4)
	invalid.Verdict = record.Verdict{Reasons: []string{"other | work\x1b[2J"}}
	return []record.Record{
		timed(1, "wide", 10), timed(1, "deep", 20), timed(1, "twin", 10.02), timed(1, "alone", 5), timed(1, "shaky", 4),
		timed(2, "wide", 9), timed(2, "deep", 7), timed(2, "twin", 8.98), invalid,
		{Kind: record.KindEval, Model: "wide", Machine: record.Machine{CPU: "third"}, Accuracy: record.NewAccuracy(10, 5, 7, nil)},
	}
}

func TestCompare(t *testing.T) {
	c := Compare(example())
	if len(c.Classes) != 2 || len(c.Rows) != 5 {
		t.Fatalf("%d classes, %d rows, want 2 and 5", len(c.Classes), len(c.Rows))
	}
	for i, name := range []string{"shaky", "alone", "wide", "twin", "deep"} {
		if c.Rows[i].Name != name || c.Rows[i].Cells[0].Rank != i+1 {
			t.Errorf("row %d: %s of rank %d, want %s", i, c.Rows[i].Name, c.Rows[i].Cells[0].Rank, name)
		}
	}
	if second := c.Rows[4].Cells[1]; second.Rank != 1 {
		t.Errorf("deep has rank %d on the second class, want 1", second.Rank)
	}
	if c.Classes[1].Common != 3 || c.Classes[1].Spearman > -0.4 || c.Classes[0].Spearman != 1 {
		t.Errorf("correlations %v of %d rows and %v", c.Classes[1].Spearman, c.Classes[1].Common, c.Classes[0].Spearman)
	}
	swaps := c.Swaps()
	if len(swaps) != 2 || swaps[0].B.Name != "deep" || swaps[1].B.Name != "deep" {
		t.Errorf("changes of order %+v, want wide and twin against deep: wide and twin overlap", swaps)
	}
	for _, class := range Split(example()) {
		if n := len(class.Records); class.Records[n-1].Kind != record.KindEval {
			t.Errorf("class %s lacks the accuracy, which is everybody's", class.Name)
		}
	}
}

func TestWrite(t *testing.T) {
	var texts [2]string
	for i := range texts {
		dir := t.TempDir()
		paths, err := Compare(example()).Write(dir)
		if err != nil || len(paths) != 4 {
			t.Fatalf("%v, error %v, want a page, a table and a plot twice", paths, err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "classes.md"))
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
		table, err := os.ReadFile(filepath.Join(dir, "classes.csv"))
		if err != nil || bytes.Count(table, []byte("\n")) != 11 {
			t.Errorf("classes.csv, error %v:\n%s", err, table)
		}
	}
	if texts[0] != texts[1] {
		t.Error("the same records give other bytes the second time")
	}
	for _, want := range []string{
		"| deep | 20.", "#5 | 7.", "not to be trusted: other \\| work\\\\x1b", "not measured on this class",
		"wide is quicker than deep on A", "and slower on B", "rank correlation of -1.000",
	} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("no %q in\n%s", want, texts[0])
		}
	}
	if strings.Contains(texts[0], "\x1b") {
		t.Error("an escape sequence of a record is in the page")
	}
}

func TestOneClass(t *testing.T) {
	one := example()[:5]
	if names := Of(one); len(names) != 1 {
		t.Errorf("classes %v, want one", names)
	}
	if c := Compare(nil); len(c.Rows) != 0 || len(c.Swaps()) != 0 {
		t.Errorf("of nothing: %+v", c)
	}
}
