package reports

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// worsened are the accuracies of a checkpoint on clean images, right of 1000, and under corruptions, each severity having
// less right.
func worsened(model string, right, step int, names ...string) []record.Record {
	one := func(corruption string, right int) record.Record {
		return with(eval(model, "x", 224, 0), func(r *record.Record) {
			r.Accuracy, r.DatasetSHA256 = record.NewAccuracy(1000, right, right, nil), "h"
			r.JobID = model + corruption
			r.Asked = &record.Settings{Axes: record.Axes{Corruption: corruption}}
			if corruption != "" {
				r.CorruptedBy = "computed here"
			}
		})
	}
	all := []record.Record{one("", right)}
	for _, name := range names {
		for s := range severities {
			all = append(all, one(fmt.Sprintf("%s:%d", name, s+1), right-step*(s+1)))
		}
	}
	return all
}

// fifteen are as many names as there are corruptions.
func fifteen() (names []string) {
	for i := range corruptions {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return names
}

func TestRobustness(t *testing.T) {
	records := append(worsened("a", 800, 50, fifteen()...), worsened("alexnet", 500, 60, fifteen()...)...)
	records = append(records, worsened("b", 700, 100, "fog", "snow")[:8]...)
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.rows) != 3 || len(r.worsened) != 157 {
		t.Errorf("%d rows of clean images and %d of corrupted ones, want 3 and 157", len(r.rows), len(r.worsened))
	}
	all := r.robust()
	if len(all) != 3 || all[0].any.Model != "a" || all[0].mean() != 65 || all[0].count() != "15 × 5" || all[0].clean.Top1 != 80 {
		t.Fatalf("%d checkpoints, the first %+v", len(all), all[0])
	}
	if b := all[1]; b.any.Model != "b" || math.Abs(b.mean()-(40+(60+50)/2.)/2) > 1e-9 || b.count() != "7" {
		t.Errorf("%s: mean %v of %s, want that of each corruption's own severities", b.any.Model, b.mean(), b.count())
	}
	// Errors of a: 25, 30, 35, 40, 45 percent, sum 175, 5 × 20 as they are; of AlexNet: 56, 62, 68, 74, 80, sum 340, 5 × 50.
	if mce, relative, ok, also := all[0].mce(all[2]); !ok || !also || math.Abs(mce-100*175./340) > 1e-9 ||
		math.Abs(relative-100*75./90) > 1e-9 {
		t.Errorf("mCE %v, relative %v, %t, %t; want %v and %v", mce, relative, ok, also, 100*175./340, 100*75./90)
	}
	if mce, relative, ok, also := all[2].mce(all[2]); !ok || !also || math.Abs(mce-100) > 1e-9 || math.Abs(relative-100) > 1e-9 {
		t.Errorf("AlexNet's mCE: %v, %v, %t, %t; want 100", mce, relative, ok, also)
	}
	for name, without := range map[string]*robustness{"no AlexNet": nil, "an AlexNet of seven settings": all[1]} {
		if _, _, ok, _ := all[0].mce(without); ok {
			t.Error("an mCE by " + name)
		}
	}
	if _, _, ok, _ := all[1].mce(all[2]); ok {
		t.Error("an mCE of seven settings")
	}
	unclean := *all[0]
	unclean.clean = nil
	if _, _, ok, also := unclean.mce(all[2]); !ok || also {
		t.Errorf("without the images as they are: mCE %t, relative %t; want the first alone", ok, also)
	}
	var screen bytes.Buffer
	if err := Print(&screen, records, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"robustness to corruptions", "computed by zoobench", "not its published files", "81.2", "51.5", "83.3",
		"rows with other corruptions or severities do not compare"} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen.String())
		}
	}
	var narrow bytes.Buffer
	if err := Print(&narrow, records, TableOptions{Width: 72}); err != nil {
		t.Fatal(err)
	}
	at := strings.Index(narrow.String(), "robustness to corruptions")
	for line := range strings.Lines(narrow.String()[at:]) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 72 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if want := "left out, because the terminal has 72 columns: mean error"; !strings.Contains(narrow.String()[at:], want) {
		t.Errorf("the narrow screen lacks %q:\n%s", want, narrow.String()[at:])
	}
	files := map[string]string{}
	for _, f := range r.files(findings.Given{}) {
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			t.Fatal(err)
		}
		files[f.name] = b.String()
	}
	for _, want := range []string{"## Robustness to corruptions", "| a.x | 15 × 5 | 80.0 | 65.0 | 81.2 | 35.0 | 15.0 | 51.5 | 83.3 |",
		"| b.x | 7 | 70.0 | 47.5 | 67.9 | 52.5 | 22.5 | – | – |", "### a.x by severity",
		"| c0 | 75.0 | 70.0 | 65.0 | 60.0 | 55.0 |", "| snow | 60.0 | 50.0 | – | – | – |", "![Accuracy by severity"} {
		if !strings.Contains(files["report.md"], want) {
			t.Errorf("report.md lacks %q", want)
		}
	}
	if !strings.Contains(files["corruption_curve.svg"], "not ImageNet-C") {
		t.Error("the plot does not say whose corruptions they are")
	}
	for _, want := range []string{`<a href="#robustness">`, "not its published files", `<td class="figure">51.5</td>`,
		`alt="Plot: accuracy by severity`} {
		if !strings.Contains(files["report.html"], want) {
			t.Errorf("report.html lacks %q", want)
		}
	}
	if got := strings.Count(files["accuracy.csv"], ",c3:"); got != 10 {
		t.Errorf("accuracy.csv has %d rows of one corruption, want 10", got)
	}
}

// TestRobustnessApart keeps apart what does not compare: other preprocessing, seeds and images.
func TestRobustnessApart(t *testing.T) {
	records := worsened("a", 800, 50, "fog")
	for i, change := range []func(r *record.Record){
		func(r *record.Record) { r.RecipeSHA256, r.ImgSize = "other", 288 },
		func(r *record.Record) { r.CorruptedBy += " by another seed" },
		func(r *record.Record) { r.DatasetSHA256 = "other" },
		func(r *record.Record) { r.Exif = "apply" },
		func(r *record.Record) { r.Answers = "10 classes" },
	} {
		for _, r := range worsened("a", 700-10*i, 50, "fog")[1:] {
			r.JobID += fmt.Sprint(i)
			change(&r)
			records = append(records, r)
		}
	}
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range r.robust() {
		got = append(got, fmt.Sprintf("%s %v %t", robustName(b, r.robust()), b.mean(), b.clean != nil))
	}
	// Another seed has the same images as they are.
	want := []string{"a.x at 224 px 65 true", "a.x at 288 px 55 false", "a.x at 224 px 54 true", "a.x at 224 px 53 false",
		"a.x at 224 px 52 false", "a.x at 224 px 51 false"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCorruptionCurve draws the lines of the only checkpoint by corruption and those of several as means over corruptions that
// were measured at every severity.
func TestCorruptionCurve(t *testing.T) {
	one := append(worsened("a", 800, 50, "fog"), worsened("a", 800, 70, "snow")[1:4]...)
	other := append(worsened("b", 700, 50, "fog"), worsened("b", 700, 70, "snow")[1:]...)
	scattered := []record.Record{worsened("c", 600, 10, "fog")[1], worsened("c", 600, 10, "snow")[5]}
	for _, tt := range []struct {
		name    string
		records []record.Record
		want    []string // line: values
		note    string
	}{
		{"one", one, []string{"fog: 0=80 1=75 2=70 3=65 4=60 5=55", "snow: 0=80 1=73 2=66 3=59"}, ""},
		{"two", slices.Concat(one, other, scattered), []string{"a.x: 0=80 1=75 2=70 3=65 4=60 5=55", "b.x: 0=70 1=64 2=58 3=52 4=46 5=40"},
			"Left out: corruptions that a checkpoint was not measured with at each of its severities."},
		{"no severity in common", slices.Concat(scattered, worsened("d", 500, 10, "fog")[1:2]), []string{"d.x: 1=49"},
			"Left out: corruptions that a checkpoint was not measured with at each of its severities."},
	} {
		r, err := newRun(tt.records, nil)
		if err != nil {
			t.Fatal(err)
		}
		l, _, note := r.corruptionLines()
		var got []string
		for _, line := range l {
			text := line.Name + ":"
			for _, v := range line.Values {
				text += fmt.Sprintf(" %g=%g", v.X, math.Round(v.Y*1e6)/1e6)
			}
			got = append(got, text)
		}
		if !slices.Equal(got, tt.want) || note != tt.note {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, got, note, tt.want, tt.note)
		}
	}
}

// TestCorruptedUnmeasured says which corrupted accuracies are missing, and does not say that nothing was measured.
func TestCorruptedUnmeasured(t *testing.T) {
	records := worsened("a", 800, 50, "fog")[1:]
	records[1].Accuracy, records[1].NotMeasured = nil, map[string]string{"n_images": "no <checkpoint>"}
	records[2].Verdict = record.Verdict{Reasons: []string{"not itself"}}
	var screen, page bytes.Buffer
	if err := Print(&screen, records, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.writeMarkdown(&page, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"accuracy of a.x with fog:2: no ", "accuracy of a.x with fog:3: not itself"} {
		if !strings.Contains(screen.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("%q is missing:\n%s\n%s", want, screen.String(), page.String())
		}
	}
	if text := screen.String() + page.String(); strings.Contains(strings.ToLower(text), "no network was measured") {
		t.Errorf("corrupted accuracies are nothing:\n%s", text)
	}
}

// A run's corrupted accuracies are compared with those of the same corruption alone.
func TestChangesCorrupted(t *testing.T) {
	changes, err := Changes(worsened("a", 800, 50, "fog")[:3], worsened("a", 700, 50, "fog")[1:4])
	if err != nil || len(changes) != 4 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	for _, c := range changes {
		switch {
		case strings.Contains(c.Settings, "fog:1"):
			if c.Top1 != 75 || c.Top1Now != 65 {
				t.Errorf("%+v", c)
			}
		case strings.Contains(c.Settings, "fog:2"):
			if c.Top1 != 70 || c.Top1Now != 60 {
				t.Errorf("%+v", c)
			}
		case strings.Contains(c.Settings, "fog:3"):
			if c.Verdict != "only after" {
				t.Errorf("%+v", c)
			}
		default:
			if c.Verdict != "only before" {
				t.Errorf("%+v", c)
			}
		}
	}
}

// Other draws of a corruption are other images.
func TestChangesOtherSeed(t *testing.T) {
	before, after := worsened("a", 800, 50, "fog")[1:2], worsened("a", 700, 50, "fog")[1:2]
	after[0].CorruptedBy = "computed with another seed"
	changes, err := Changes(before, after)
	if err != nil || len(changes) != 1 || !strings.Contains(changes[0].Note, "the corrupted images are others") {
		t.Errorf("%+v, error %v", changes, err)
	}
}

func TestNotRobust(t *testing.T) {
	r, err := newRun([]record.Record{eval("a", "x", 224, 7)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.robustTable(); ok {
		t.Error("a table of corruptions without any")
	}
	for _, text := range []string{"", "fog", "fog:0", "fog:6", "fog:x"} {
		e := record.Record{Asked: &record.Settings{Axes: record.Axes{Corruption: text}}}
		if name, severity := corruptionOf(&e); name != "" || severity != 0 {
			t.Errorf("%q: %q at %d", text, name, severity)
		}
	}
}
