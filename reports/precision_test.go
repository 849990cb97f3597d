package reports

import (
	"bufio"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// halved adds to each record one in bf16: half the time and the weights, one image of 1000 fewer right.
func halved(records []record.Record) []record.Record {
	for _, r := range records {
		if r.Kind == record.KindHost {
			continue
		}
		r.JobID += "-bf16"
		r.Effective = &record.Settings{Axes: record.Axes{ISA: "avx2", Precision: "bf16"}}
		if r.Timing != nil {
			samples := make([]int64, len(r.Samples))
			for i, v := range r.Samples {
				samples[i] = v / 2
			}
			r.Timing = recordtest.Timing(samples, time.Duration(r.Span), 5)
			f := *r.Footprint
			f.WeightsBytes /= 2
			r.Footprint = &f
		}
		if r.Accuracy != nil {
			r.Accuracy = record.NewAccuracy(r.Images, r.Top1Images-1, r.Top5Images, nil)
		}
		records = append(records, r)
	}
	return records
}

// TestPrecisionTable has a line for each row of a network in several precisions, and nothing of one in a single precision.
func TestPrecisionTable(t *testing.T) {
	few := measured(zoo(t)[:4], 1)
	for i := range few {
		few[i].DatasetSHA256 = "d"
	}
	table := func(records []record.Record) []string {
		t.Helper()
		r, err := newRun(records, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		w := bufio.NewWriter(&b)
		r.writePrecisions(w)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		f, drawn := r.precisionFigure(nil, "")
		if drawn != (b.Len() > 0) {
			t.Errorf("a table of %d bytes, and a figure: %t", b.Len(), drawn)
		}
		if drawn && f.name != precisionFigureName {
			t.Errorf("figure %s", f.name)
		}
		return strings.Split(strings.TrimSpace(b.String()), "\n")
	}
	if got := table(few); len(got) != 1 || got[0] != "" {
		t.Errorf("float32 alone: %q", got)
	}
	lines := table(halved(few))
	const above = 6 // lines before the first row
	if len(lines) != above+2*3 {
		t.Fatalf("%d lines, want %d: %q", len(lines), above+2*3, lines)
	}
	for i, line := range lines[above:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 10 {
			t.Fatalf("%q: %d cells", line, len(cells))
		}
		precision, faster, gained := cells[2], cells[4], cells[9]
		if i%2 == 0 && (precision != "float32" || faster != "–" || gained != "–") {
			t.Errorf("%q: want float32 with no comparison", line)
		}
		if i%2 == 1 && (precision != "bf16" || !strings.HasPrefix(faster, "2.0") || gained != "-0.10") {
			t.Errorf("%q: want bf16, twice as fast, 0.10 points less", line)
		}
	}
}

// TestCalibrationList says once where the numbers of rows in int8 come from, and what an accuracy shares with them.
func TestCalibrationList(t *testing.T) {
	few := measured(zoo(t)[:4], 1)
	all := halved(few)
	for i := len(few); i < len(all); i++ {
		r := &all[i]
		if r.Effective == nil {
			continue
		}
		r.Effective = &record.Settings{Axes: record.Axes{ISA: "avx2", Precision: record.Int8}}
		r.Calibration = &record.Calibration{Data: "train", Images: 128, Seed: 3, SHA256: "abc", Numbers: "n"}
		if r.Accuracy != nil {
			r.Calibration.Shared = 7
		}
	}
	list := func(records []record.Record) string {
		t.Helper()
		r, err := newRun(records, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		w := bufio.NewWriter(&b)
		r.writePrecisions(w)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		_, behind, _ := strings.Cut(b.String(), "Numbers in int8:\n\n")
		return behind
	}
	const own = "quantised on 128 images of train (seed 3, hash abc); 7 of the 1000 images of the accuracy are among them.\n"
	if got := list(all); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, own) {
		t.Errorf("%q, want one line that ends in %q", got, own)
	}
	for i := range all {
		if all[i].Calibration != nil {
			all[i].Calibration = &record.Calibration{Generated: true}
		}
	}
	if got := list(all); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, ": ranges from generated images, for the times alone.\n") {
		t.Errorf("generated: %q", got)
	}
}
