package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/record"
)

const inInt8 = `
experiments:
  - name: int8
    question: What does int8 cost?
    models: [tiny]
    precision: [float32, int8]
    latency: {min_duration: 20ms}
    accuracy: {}
`

// TestCalibration runs an experiment in int8: one quantising for its timed row and its accuracy, whose numbers resume, shards and
// verify come to again.
func TestCalibration(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ZOOBENCH_CACHE", cache)
	shown := images(t)
	learned := images(t)
	for _, name := range []string{"0/a.png", "1/b.png"} { // the same images under other names, and none that is broken
		if err := os.Rename(filepath.Join(learned, name), filepath.Join(learned, filepath.Dir(name), "c.png")); err != nil {
			t.Fatal(err)
		}
	}
	broken := filepath.Join(learned, "1", "broken.jpg")
	file := filepath.Join(cache, "weights", "tiny.one.safetensors")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	writeWeights(t, file, 2)
	run := func(text string, change func(*Options)) (Summary, Options) {
		t.Helper()
		o := options(t, text)
		o.Cache, o.Data = Cache{cache}, shown
		if change != nil {
			change(&o)
		}
		s, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s, o
	}
	find := func(s Summary, kind record.Kind) *record.Record {
		t.Helper()
		for i := range s.Records {
			if r := &s.Records[i]; r.Kind == kind && r.RanWith().Precision == record.Int8 {
				return r
			}
		}
		t.Fatalf("no %s row in int8", kind)
		return nil
	}

	s, _ := run(inInt8, nil)
	if why := find(s, record.KindEval).Why("top1"); !strings.Contains(why, "add calibration: {data: DIR}") {
		t.Errorf("without images to quantise on: %q", why)
	}
	if c := find(s, record.KindLatency).Calibration; c == nil || !c.Generated || c.Data != "" {
		t.Errorf("without images to quantise on, timed with %+v", c)
	}
	text := inInt8 + "    calibration: {data: " + learned + ", images: 3}\n"
	s, _ = run(text, nil)
	if r := find(s, record.KindEval); r.Verdict.Valid || !strings.Contains(strings.Join(r.Verdict.Reasons, ""), "1/broken.jpg") {
		t.Errorf("with a broken image: %+v", r.Verdict)
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}

	s, o := run(text, nil)
	eval, timed := find(s, record.KindEval), find(s, record.KindLatency)
	of := eval.Calibration
	if of == nil || of.Generated || of.InFile || of.Data != learned || of.Images != 2 || len(of.SHA256) != 64 || of.Rule == "" ||
		len(of.Numbers) != 32 {
		t.Fatalf("the accuracy's calibration: %+v", of)
	}
	if of.Shared != 2 ||
		!strings.Contains(strings.Join(eval.Verdict.Warnings, ";"), "2 of the images are among those that the network was quantised on") {
		t.Errorf("quantised on its own images: %d shared, warnings %q", of.Shared, eval.Verdict.Warnings)
	}
	if c := timed.Calibration; c == nil || c.Numbers != of.Numbers || timed.Recheck.Text() != "checked 2 of 2 same" {
		t.Errorf("timed with %+v, %q; want the accuracy's numbers", timed.Calibration, timed.Recheck.Text())
	}
	kept, err := filepath.Glob(filepath.Join(cache, "int8", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("files of numbers: %q, error %v; want one", kept, err)
	}

	o.Resume = true
	if again, err := Run(t.Context(), o); err != nil || again.Kept != 4 || again.Measured != 0 {
		t.Errorf("resumed: %d kept, %d measured, error %v; want 4 and none", again.Kept, again.Measured, err)
	}
	if err := os.WriteFile(kept[0], []byte("no numbers"), 0o666); err != nil {
		t.Fatal(err)
	}
	task, err := Again(misbehaving(), eval, Places{})
	if err != nil {
		t.Fatal(err)
	}
	now, err := testWorker().Row(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	if v := Judge(eval, now); v.Verdict != Holds || len(v.Why) > 0 || now.Calibration.Numbers != of.Numbers {
		t.Errorf("verified: %+v, numbers %s, were %s", v, now.Calibration.Numbers, of.Numbers)
	}
	if info, err := os.Stat(kept[0]); err != nil || info.Size() < 1000 {
		t.Errorf("a damaged file of numbers was not replaced: %v, error %v", info, err)
	}

	elsewhere := *now
	c := *now.Calibration
	c.Numbers, c.SHA256 = "0", "1"
	elsewhere.Calibration = &c
	if v := Judge(eval, &elsewhere); v.Verdict != Undecided ||
		!strings.Contains(strings.Join(v.Why, ""), "quantised on other images: 1, they were") {
		t.Errorf("quantised on other images: %+v", v)
	}
	c.SHA256 = of.SHA256
	if v := Judge(eval, &elsewhere); v.Verdict != Holds || !strings.Contains(strings.Join(v.Why, ""), "other numbers in int8: 0, they were") {
		t.Errorf("with other numbers: %+v", v)
	}
}

// TestPartsOfNumbers refuses to join parts of an evaluation that have other numbers in int8, and adds up what they share with the
// calibration.
func TestPartsOfNumbers(t *testing.T) {
	part := func(from int, numbers string, shared int) record.Record {
		return record.Record{
			Kind: record.KindEval, Model: "tiny", Part: &record.Part{From: from, To: from + 1, Of: 2, ItemDigests: make([]byte, 32)},
			Accuracy: record.NewAccuracy(1, 1, 1, nil), Footprint: &record.Footprint{},
			Calibration: &record.Calibration{Numbers: numbers, Shared: shared},
		}
	}
	joined, err := JoinParts([]record.Record{part(0, "a", 1), part(1, "a", 1)})
	if err != nil || joined.Calibration.Shared != 2 || len(joined.Verdict.Warnings) == 0 {
		t.Errorf("joined: %+v, error %v; want 2 shared images and a warning", joined, err)
	}
	if _, err := JoinParts([]record.Record{part(0, "a", 0), part(1, "b", 0)}); err == nil ||
		!strings.Contains(err.Error(), "differ in their numbers in int8") {
		t.Errorf("of other numbers: error %v", err)
	}
}
