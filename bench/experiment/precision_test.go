package experiment

import (
	"slices"
	"strings"
	"testing"
)

// TestPrecisions makes jobs of each precision, timed and of accuracy, with identities of their own; float32 is what a file without
// the key asks for.
func TestPrecisions(t *testing.T) {
	k := known()
	k.Precisions = []string{"float32", "bf16"}
	text := "experiments: [{name: a, question: why, models: [vgg16], precision: [float32, bf16], threads: [1, 2], latency: , accuracy: }]"
	jobs := func(text string, set ...string) (got, ids []string) {
		t.Helper()
		f, err := parseWith("e.yaml", strings.NewReader(text), k, Changes{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Jobs()
		if err != nil {
			t.Fatal(err)
		}
		if n := f.Experiments[0].count(); n != len(all) {
			t.Errorf("counted %d jobs, made %d", n, len(all))
		}
		for _, j := range all {
			what := "accuracy "
			if j.Latency != nil {
				what = "latency "
			}
			got, ids = append(got, what+j.Precision), append(ids, j.ID)
		}
		return got, ids
	}
	got, ids := jobs(text)
	want := []string{"latency ", "latency ", "latency bf16", "latency bf16", "accuracy ", "accuracy bf16"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != len(want) {
		t.Errorf("identities %q, want %d", ids, len(want))
	}
	_, plain := jobs(strings.Replace(text, "precision: [float32, bf16], ", "", 1))
	if _, named := jobs(text, "precision=float32"); !slices.Equal(plain, named) {
		t.Errorf("float32 is jobs %q, nothing is %q", named, plain)
	}
	for words, want := range map[string]string{
		"[bf17]":       `precision: unknown word "bf17", nearest is "bf16"`,
		"[bf16, bf16]": "precision: bf16 is given twice",
		"[]":           "precision: the list is empty",
		"bf16":         "precision: have the text",
		"[16]":         "precision: have the number",
	} {
		_, err := Parse("e.yaml", strings.NewReader(strings.Replace(text, "[float32, bf16]", words, 1)), k)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", words, err, want)
		}
	}
}

// TestCalibration gives jobs in int8 the images that the file names, or those that a network learned from, and reads the section
// strictly.
func TestCalibration(t *testing.T) {
	k := known()
	k.Precisions = []string{"float32", "int8"}
	text := "experiments: [{name: a, question: why, models: [vgg16], precision: [float32, int8], latency: , accuracy: , " +
		"calibration: {data: /train, images: 64, seed: 3}}]"
	parse := func(text string, set ...string) ([]Job, error) {
		f, err := parseWith("/e.yaml", strings.NewReader(text), k, Changes{Set: set})
		if err != nil {
			return nil, err
		}
		return f.Jobs()
	}
	jobs, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := Calibration{Data: "/train", Images: 64, Seed: 3}
	for _, j := range jobs {
		if got := j.Calibration; (got != nil) != (j.Precision == "int8") || got != nil && *got != want {
			t.Errorf("%s %q: calibration %+v, want %+v in int8 alone", j.Model, j.Precision, got, want)
		}
	}
	other, err := parse(text, "calibration.seed=4")
	if err != nil {
		t.Fatal(err)
	}
	for i := range jobs {
		if (jobs[i].ID == other[i].ID) != (jobs[i].Precision == "") {
			t.Errorf("%s %q: identities %s and %s with two seeds", jobs[i].Model, jobs[i].Precision, jobs[i].ID, other[i].ID)
		}
	}

	jobs, err = parse("experiments: [{name: a, question: why, models: [vgg16], precision: [float32, int8], train: {data: /d}}]")
	if err != nil {
		t.Fatal(err)
	}
	want = Calibration{Data: "/d", Images: CalibrationImages, Ranks: true, HeldOut: defaultHeldOut, HeldOutSeed: 1}
	if last := jobs[len(jobs)-1]; last.Precision != "int8" || last.Calibration == nil || *last.Calibration != want {
		t.Errorf("of a trained network: %q, calibration %+v, want %+v", last.Precision, last.Calibration, want)
	}

	for section, want := range map[string]string{
		"{images: 64}":               `calibration: no "data"`,
		"{data: d, images: 0}":       `images: have "0", want 1 to 10000`,
		"{data: d, image: 1}":        `calibration: unknown key "image", nearest is "images"`,
		"{data: d, seed: -1}":        `seed: have "-1"`,
		"[d]":                        "calibration: have a list, want keys and values",
		"{data: [d]}":                "data: have a list",
		"{data: d, data: d}":         "given twice",
		"{data: d, limit: 1}":        `unknown key "limit"`,
		"{data: d, split: ''}":       "split: the text is empty",
		"{data: d, images: 1000000}": "want 1 to 10000",
	} {
		_, err := parse(strings.Replace(text, "{data: /train, images: 64, seed: 3}", section, 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", section, err, want)
		}
	}
}
