package reports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/reports/findings"
)

// timedAs returns records of one network with medians of these milliseconds, each under another number of threads; their four
// processes are one percent apart.
func timedAs(ms ...float64) []record.Record {
	var records []record.Record
	for i, v := range ms {
		samples := make([]int64, 64)
		for j := range samples {
			samples[j] = int64(v * 1e6 * (1 + 0.0005*float64(j-32) + 0.01*float64(j/16%2)))
		}
		records = append(records, record.Record{
			Schema: record.Schema, Kind: record.KindLatency, RunID: "r", Experiment: "e", Time: time.Unix(int64(i), 0),
			Machine: machine(), Model: "resnet18",
			ImgSize: 224, Batch: 1, Threads: i + 1, Scenario: "single_stream", Cost: &record.Cost{},
			Timing:    recordtest.Timing(samples, time.Second, 4),
			Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
		})
	}
	return records
}

func TestChanges(t *testing.T) {
	before, after := timedAs(10, 10, 10, 10, 10), timedAs(8, 12, 10.05, 10)[:4]
	for i := range after {
		after[i].RunID = "s"
	}
	after[3].Verdict = record.Verdict{Reasons: []string{"drift"}}
	changes, err := Changes(before, after)
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []string
	for _, c := range changes {
		verdicts = append(verdicts, c.Verdict)
	}
	want := []string{"faster", "slower", "no clear difference", "not comparable", "only before"}
	if !slices.Equal(verdicts, want) {
		t.Errorf("have %q, want %q", verdicts, want)
	}
	if c := changes[0]; c.Settings != "224 px · batch 1 · 1 thread · single_stream · avx2" || c.Times < 0.79 || c.Times > 0.81 ||
		c.TimesLo > c.Times || c.TimesHi < c.Times {
		t.Errorf("have %+v", c)
	}
	if changes, err := Changes(after, before); err != nil || changes[4].Verdict != "only after" {
		t.Errorf("have %v and %v, want a row that is only after", changes, err)
	}
	after[0].Machine.CPU = "Other CPU"
	var class *ClassError
	if _, err := Changes(before, after); !errors.As(err, &class) {
		t.Errorf("have %v, want a ClassError", err)
	}
}

// TestChangesTop1 holds accuracies side by side to being valid and of the same images.
func TestChangesTop1(t *testing.T) {
	accuracy := func(right, images int, id string) []record.Record {
		return []record.Record{latency("a", 5), with(eval("a", "x", 224, right), func(r *record.Record) {
			r.Accuracy, r.DatasetSHA256 = record.NewAccuracy(images, right, right, nil), id
		})}
	}
	among := func(records []record.Record, answers string) []record.Record {
		records[len(records)-1].Answers = answers
		return records
	}
	invalid := accuracy(71, 100, "h")
	invalid[1].Verdict = record.Verdict{Reasons: []string{"two images of one name"}}
	untimed := accuracy(0, 100, "h")[1:]
	for _, test := range []struct {
		name          string
		before, after []record.Record
		top1          [2]float64
		verdict, note string
	}{
		{"the same images", accuracy(70, 100, "h"), accuracy(72, 100, "h"), [2]float64{70, 72}, "no clear difference", ""},
		{"other images", accuracy(70, 100, "h"), accuracy(72, 100, "i"), [2]float64{}, "no clear difference",
			"the accuracies come from different images"},
		{"more images", accuracy(70, 100, "h"), accuracy(72, 200, "h"), [2]float64{}, "no clear difference",
			"the accuracies come from different images"},
		{"other answers", accuracy(70, 100, "h"), among(accuracy(72, 100, "h"), "imagenet-a, 200 of 1000 classes"), [2]float64{},
			"no clear difference", "answers were chosen among different classes"},
		{"the same answers", among(accuracy(70, 100, "h"), "x"), among(accuracy(72, 100, "h"), "x"), [2]float64{70, 72},
			"no clear difference", ""},
		{"unknown images", accuracy(70, 100, ""), accuracy(72, 100, ""), [2]float64{}, "no clear difference",
			"the accuracies come from different images"},
		{"not valid", accuracy(70, 100, "h"), invalid, [2]float64{}, "no clear difference", "accuracy not to be trusted: two images of one name"},
		{"only before", accuracy(70, 100, "h"), []record.Record{with(latency("a", 5), func(r *record.Record) { r.Checkpoint = "x" })},
			[2]float64{}, "no clear difference", "only one of the runs has an accuracy"},
		{"not timed, none right", untimed, untimed, [2]float64{}, "accuracy only", ""},
		{"not timed, other images", untimed, accuracy(1, 100, "i")[1:], [2]float64{}, "not comparable",
			"not timed in this experiment; the accuracies come from different images"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changes, err := Changes(test.before, test.after)
			if err != nil || len(changes) != 1 {
				t.Fatalf("have %+v and %v, want one change", changes, err)
			}
			if c := changes[0]; [2]float64{c.Top1, c.Top1Now} != test.top1 || c.Verdict != test.verdict || c.Note != test.note {
				t.Errorf("have %v and %v, %q, %q; want %v, %q, %q", c.Top1, c.Top1Now, c.Verdict, c.Note, test.top1, test.verdict, test.note)
			}
		})
	}
}

// TestChangesAnswers compares untimed rows with those of their own answer space alone.
func TestChangesAnswers(t *testing.T) {
	among := func(right int, answers string) record.Record {
		return with(eval("a", "x", 224, right), func(r *record.Record) { r.DatasetSHA256, r.Answers = "h", answers })
	}
	later := with(among(71, "b"), func(r *record.Record) { r.Experiment = "f" })
	changes, err := Changes([]record.Record{among(70, "b")}, []record.Record{among(90, "a"), later})
	if err != nil || len(changes) != 2 {
		t.Fatalf("have %+v and %v, want two changes", changes, err)
	}
	if c := changes[0]; c.Top1 != 70 || c.Top1Now != 71 || c.Verdict != "accuracy only" {
		t.Errorf("have %+v, want the two among b compared", c)
	}
	if c := changes[1]; c.Verdict != "only after" || !strings.HasSuffix(c.Settings, "a") {
		t.Errorf("have %+v, want the one among a alone", c)
	}
}

// TestLaTeX holds the tables to golden texts, the hostile ones to being escaped.
func TestLaTeX(t *testing.T) {
	for _, test := range []struct {
		name    string
		records []record.Record
	}{{"tables.tex", troubled(measured(zoo(t), 3))}, {"tables_hostile.tex", hostilePage(t)[:4]}} {
		r, err := newRun(test.records, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.writeLaTeX(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, test.name, b.Bytes())
		for line := range strings.Lines(b.String()) {
			if body, _, ok := strings.Cut(line, ` \\`); ok && strings.Count(body, " & ") < 5 {
				t.Errorf("%s: a line of few columns: %s", test.name, line)
			}
		}
	}
}

func TestModelIndex(t *testing.T) {
	records := measured(zoo(t), 3)
	dir := t.TempDir()
	if _, err := Write(dir, records, nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, modelIndex)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, modelIndex, text)
	if _, err := Write(dir, zoo(t), nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there without an accuracy: %v", modelIndex, err)
	}
	// Files without a tag, and one checkpoint's accuracies over other images, are results of their own.
	some := []record.Record{eval("a", "", 224, 60), eval("a", "", 224, 70), eval("a", "x", 224, 71), eval("a", "x", 288, 72)}
	for i := range some {
		some[i].DatasetSHA256 = fmt.Sprint("h", i)
	}
	some[0].WeightsFile, some[1].WeightsFile = "u.pth", "v.pth"
	r, err := newRun(some, nil)
	if err != nil {
		t.Fatal(err)
	}
	if have := r.evaluated(); len(have) != len(some) {
		t.Errorf("%d results, want %d", len(have), len(some))
	}
}
