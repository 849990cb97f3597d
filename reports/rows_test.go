package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// latency and eval return small records; the experiment is "e".
func latency(model string, ms int64) record.Record {
	samples := make([]int64, 60)
	for i := range samples {
		samples[i] = ms*1e6 + int64(i)
	}
	return record.Record{
		Kind: record.KindLatency, RunID: "r", Time: time.Unix(1, 0),
		Model: model, Experiment: "e", Machine: machine(), ImgSize: 224, Threads: 1, Batch: 1,
		Timing: recordtest.Timing(samples, time.Second, 5), Footprint: &record.Footprint{Load: 1e6}, Verdict: record.Verdict{Valid: true},
	}
}

func eval(model, checkpoint string, size, right int) record.Record {
	r := record.Record{Kind: record.KindEval, RunID: "r", Time: time.Unix(1, 0), Model: model, Checkpoint: checkpoint, Experiment: "e",
		Machine: machine(), ImgSize: size, Verdict: record.Verdict{Valid: true}}
	if right >= 0 {
		r.Accuracy = record.NewAccuracy(100, right, right, nil)
	} else {
		r.NotMeasured = map[string]string{"n_images": "no data"}
	}
	return r
}

func with(r record.Record, edit func(*record.Record)) record.Record {
	edit(&r)
	return r
}

func TestRows(t *testing.T) {
	other := func(r *record.Record) { r.Experiment = "f" }
	file := func(r record.Record, path string) record.Record { r.JobID, r.WeightsFile = "j", path; return r }
	for _, tt := range []struct {
		name    string
		records []record.Record
		want    string // name/size/median in ms/top-1, a row each
	}{
		{"nothing", nil, ""},
		{"latency alone", []record.Record{latency("a", 5)}, "a/224/5/-"},
		{"fastest first", []record.Record{latency("a", 5), latency("b", 2)}, "b/224/2/- a/224/5/-"},
		{"one checkpoint", []record.Record{latency("a", 5), eval("a", "x", 224, 70)}, "a.x/224/5/70"},
		{"two checkpoints", []record.Record{latency("a", 5), eval("a", "y", 224, 60), eval("a", "x", 224, 70)}, "a.x/224/5/70 a.y/224/5/60"},
		{"a failed checkpoint beside a good one", []record.Record{latency("a", 5), eval("a", "x", 224, 70), eval("a", "y", 0, -1)},
			"a.x/224/5/70 a.y/224/5/-"},
		{"no checkpoint", []record.Record{latency("a", 5), eval("a", "", 0, -1)}, "a/224/5/-"},
		{"no checkpoint at first, one after resuming", []record.Record{latency("a", 5), eval("a", "", 0, -1), eval("a", "x", 224, 70)},
			"a.x/224/5/70"},
		{"another size", []record.Record{latency("a", 5), eval("a", "x", 288, 70)}, "a/224/5/- a.x/288/-/70"},
		{"another checkpoint was timed",
			[]record.Record{with(latency("a", 5), func(r *record.Record) { r.Checkpoint = "x" }),
				eval("a", "y", 224, 70)}, "a.x/224/5/- a.y/224/-/70"},
		{"accuracy alone", []record.Record{eval("a", "x", 224, 70)}, "a.x/224/-/70"},
		{"accuracy from another experiment", []record.Record{latency("a", 5), with(eval("a", "x", 224, 70), other)}, "a.x/224/5/70 a.x/224/-/70"},
		{"own experiment goes first", []record.Record{latency("a", 5), with(eval("a", "x", 224, 70), other), eval("a", "x", 224, 71)},
			"a.x/224/5/71 a.x/224/-/70"},
		{"counted alone", []record.Record{{Kind: record.KindCost, Model: "a", ImgSize: 64, Cost: &record.Cost{}}}, "a/64/-/-"},
		{"measured again", []record.Record{
			with(latency("a", 5), func(r *record.Record) { r.JobID, r.Time = "j", time.Unix(1, 0) }),
			with(latency("a", 4), func(r *record.Record) { r.JobID, r.Time = "j", time.Unix(2, 0) }),
		}, "a/224/4/-"},
		{"two files without a tag", []record.Record{
			file(latency("a", 5), "w/x.pth"), file(latency("a", 4), "w/y.pth"), file(eval("a", "", 224, 60),
				"w/x.pth"), file(eval("a", "", 224, 70), "w/y.pth"),
		}, "a.x.pth/224/5/60 a.y.pth/224/4/70"},
		{"one file of two failed",
			[]record.Record{latency("a", 5), file(eval("a", "", 224, 60), "w/x.pth"),
				file(eval("a", "", 0, -1), "w/y.pth")}, "a.x.pth/224/5/60 a.y.pth/224/5/-"},
		{"another file was timed", []record.Record{file(latency("a", 5), "w/x.pth"), file(eval("a", "", 224, 70), "w/y.pth")},
			"a.x.pth/224/5/- a.y.pth/224/-/70"},
		{"a tagged file that lies elsewhere", []record.Record{
			file(with(latency("a", 5), func(r *record.Record) { r.Checkpoint = "x" }), "u/x.pth"), file(eval("a", "x", 224, 60),
				"u/x.pth"), file(eval("a", "x", 224, 61), "w/x.pth"),
		}, "a.x/224/5/61"},
		{"threads", []record.Record{with(latency("a", 3), func(r *record.Record) { r.Threads = 2 }), latency("a", 5), latency("b", 4)},
			"a/224/5/- a/224/3/- b/224/4/-"},
		{"each precision with its own accuracy", []record.Record{
			latency("a", 5), with(latency("a", 3), bf16), eval("a", "x", 224, 70), with(eval("a", "x", 224, 69), bf16),
		}, "a.x/224/5/70 a.x/224/3/69"},
		{"failed last", []record.Record{with(latency("a", 3), func(r *record.Record) { r.Timing = nil }), latency("b", 4)},
			"b/224/4/- a/224/-/-"},
		{"too few samples", []record.Record{with(latency("a", 3),
			func(r *record.Record) { r.Timing = record.NewTiming(r.Timing.Samples[:10], 0) })}, "a/224/-/-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			rows := newRows(tt.records)
			for i := range rows {
				r := &rows[i]
				median, top1 := "-", "-"
				if p50, _, _, why := r.p50(); why == "" {
					median = fmt.Sprint(p50 / 1e6)
				}
				if a, why := r.top1(); why == "" {
					top1 = fmt.Sprintf("%.0f", a.Top1)
				}
				got = append(got, fmt.Sprintf("%s/%d/%s/%s", r.name(), r.set.ImgSize, median, top1))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), tt.want)
			}
		})
	}
}

// bf16 makes a record one of that precision.
func bf16(r *record.Record) { r.Effective = &record.Settings{Axes: record.Axes{Precision: "bf16"}} }

// TestPrecisionAxis has a column of the precision where rows differ in it, names it in the caption where they are all of another
// than float32, and is silent where all are of float32.
func TestPrecisionAxis(t *testing.T) {
	for _, tt := range []struct {
		name, column, caption string
		records               []record.Record
	}{
		{"float32", "", "", []record.Record{latency("a", 5), latency("b", 5)}},
		{"bf16", "", "bf16", []record.Record{with(latency("a", 5), bf16)}},
		{"both", "float32 bf16", "", []record.Record{latency("a", 5), with(latency("a", 3), bf16)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := newTable(newRows(tt.records), 0)
			var column []string
			if at := slices.Index(table.heads, "precision"); at >= 0 {
				for _, line := range table.cells {
					column = append(column, line[at].text)
				}
			}
			if got := strings.Join(column, " "); got != tt.column {
				t.Errorf("column %q, want %q", got, tt.column)
			}
			if says := strings.Contains(table.caption, "bf16") || strings.Contains(table.caption, "float32"); says != (tt.caption != "") {
				t.Errorf("caption %q, want it to have %q", table.caption, tt.caption)
			}
		})
	}
}

// TestWhy checks that every empty cell of a failed network and of one without data says what the record says.
func TestWhy(t *testing.T) {
	failed := record.Record{
		Kind: record.KindLatency, Model: "a", Experiment: "e", Machine: machine(),
		Verdict: record.Verdict{Reasons: []string{"panic: index out of range"}},
	}
	rows := newRows([]record.Record{failed, latency("b", 4), eval("b", "", 0, -1)})
	table := newTable(rows, 0)
	want := []string{"not asked for", "no data", "no published figure is known", "panic: index out of range"}
	got := slices.Clone(table.notes)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("notes %q lack %q", got, w)
		}
	}
	for i, line := range table.cells {
		for j, c := range line {
			if c.text == "" {
				t.Errorf("row %d, %s: empty", i, table.heads[j])
			}
			if c.tone == missing && !strings.HasPrefix(c.text, "– (") {
				t.Errorf("row %d, %s: %q has no mark", i, table.heads[j], c.text)
			}
		}
	}
}

// TestPublishedIsNotMeasured checks that a published figure is nowhere but in its own column and its own plots.
func TestPublishedIsNotMeasured(t *testing.T) {
	r, err := newRun(zoo(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	table := newTable(r.rows, 0)
	for _, line := range table.cells {
		for j, c := range line {
			if own := table.heads[j] == "published top-1 %"; own != (c.tone == published) {
				t.Errorf("%s: %q, published %v", table.heads[j], c.text, c.tone == published)
			}
		}
	}
	for _, f := range r.figures(nil) {
		accuracy := strings.Contains(f.name, "accuracy")
		hollow := slices.ContainsFunc(texts(t, f), func(w written) bool { return w.text == "published, not" }) // so says the legend
		if accuracy != hollow || accuracy != strings.Contains(f.Title, "not measured here") ||
			accuracy != strings.HasPrefix(f.name, "published_") {
			t.Errorf("%s: title %q, hollow %v", f.name, f.Title, hollow)
		}
	}
}

// TestPublishedAtAnotherSize keeps a figure for 288 pixels off a plot whose costs are those at 224.
func TestPublishedAtAnotherSize(t *testing.T) {
	records := zoo(t)[1:5]
	records[0].Published.ImgSize = 288
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	macs, timed, out := r.points(r.chosen(), publishedTop1)
	if len(macs) != 3 || len(timed) != 3 || !slices.Equal(out, []string{"alexnet"}) {
		t.Errorf("%d and %d points, left out %v; want 3, 3 and alexnet", len(macs), len(timed), out)
	}
	table := newTable(r.rows, 0)
	if last := table.cells[0][len(table.heads)-1].text; !strings.HasSuffix(last, " at 288 px") {
		t.Errorf("the cell %q does not name the size", last)
	}
}

func TestChosenSettings(t *testing.T) {
	two := func(r *record.Record) { r.Threads = 2 }
	r, err := newRun([]record.Record{
		latency("a", 5), latency("b", 6), with(latency("a", 3), two), with(latency("b", 3), two), with(latency("c", 3), two),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.chosen()); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	for _, one := range r.chosen() {
		if one.set.Threads != 2 {
			t.Errorf("%s with %d threads among those of the most networks", one.name(), one.set.Threads)
		}
	}
}

// TestScenarioOfRow tells that what a query is, is part of a row's settings.
func TestScenarioOfRow(t *testing.T) {
	at := func(rate float64, streams int) settings {
		return settingsOf(&record.Record{Scenario: "server",
			Effective: &record.Settings{Axes: record.Axes{Scenario: "server"}, Rate: rate, Streams: streams}})
	}
	if a, b := at(5, 0), at(50, 0); a == b || a.scenario() != "server at 5 images/s" {
		t.Errorf("two rates: %+v and %+v", a, b)
	}
	if a, b := at(0, 8), at(0, 4); a == b || a.scenario() != "server of 8 images" {
		t.Errorf("two sizes of query: %+v and %+v", a, b)
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "resnet50 – 3×3 é 網", "resnet50 – 3×3 é 網"},
		{"escape sequence", "\x1b]0;title\a", `\x1b]0;title\a`},
		{"C1 control", "\u009b31m", `\u009b31m`},
		{"newlines", "a\r\nb\u2028c", `a\r\nb\u2028c`},
		{"bidirectional", "a\u202eb", `a\u202eb`},
		{"not UTF-8", "a\xff\xfeb", `a\xff\xfeb`},
		{"replacement character itself", "\ufffd", "\ufffd"},
		{"odd blanks", "a\u00a0b\u3000c", "a b c"},
		{"private and unassigned", "\ue000\U000e0001", `\ue000\U000e0001`},
		{"long", strings.Repeat("x", maxText+5), strings.Repeat("x", maxText) + "…"},
	} {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"resnext50_32x4d", "resnext50_32x4d"},
		{"_a_ *b*", `\_a\_ \*b\*`},
		{"a|b", `a\|b`},
		{"<img onerror=x>", "&lt;img onerror=x&gt;"},
		{"[x](javascript:y)", `\[x\](javascript:y)`},
		{"a & b `c` \\", "a &amp; b \\`c\\` \\\\"},
	} {
		if got := markdown(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDigits(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{{0.004, "0.004"}, {3.9334, "3.933"}, {21.952, "21.95"}, {319.66, "319.7"}, {2318.2, "2318"}} {
		if got := fixed(tt.v, digits(tt.v)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("resnet50")
	f.Add("\x1b[2J|<&`\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range clean(s) {
			if c < ' ' || c >= 0x7f && c < 0xa0 {
				t.Fatalf("%q leaves control character %q", s, c)
			}
		}
		if cell := markdown(clean(s)); strings.ContainsAny(cell, "<>\n") || strings.Contains(strings.ReplaceAll(cell, `\|`, ""), "|") &&
			!strings.Contains(cell, `\\`) {
			t.Fatalf("%q breaks out of a cell: %q", s, cell)
		}
	})
}

// TestVerdict holds the machine's verdict to every measurement of it, before and after, and the lines to both.
func TestVerdict(t *testing.T) {
	before, after := zoo(t)[0], zoo(t)[0]
	after.Time = before.Time.Add(time.Minute)
	after.Host = &record.Host{NoisePercent: 12, DriftPercent: 7, AAPercent: 0.2}
	after.Verdict.Warnings = []string{"noisy host: the same work spreads over 12.0 %"}
	for _, test := range []struct {
		name    string
		records []record.Record
		want    string
		lines   []string
	}{
		{"none", nil, "", nil},
		{"steady", []record.Record{before}, "valid", []string{"noise", "drift", "verdict"}},
		{"noisy after", []record.Record{after, before}, "noisy: the same work spreads over 12.0 %",
			[]string{"noise before", "noise after", "drift", "verdict"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := newRun(test.records, nil)
			if err != nil {
				t.Fatal(err)
			}
			if have := r.verdict(); have != test.want {
				t.Errorf("have %q, want %q", have, test.want)
			}
			have := map[string]string{}
			for _, l := range r.machineLines() {
				have[l[0]] = l[1]
			}
			for _, name := range test.lines {
				if have[name] == "" {
					t.Errorf("no line %s in %v", name, have)
				}
			}
			if len(test.records) > 1 && !strings.Contains(have["noise before"], "1.2 %") {
				t.Errorf("noise before: %q, want the earlier record's", have["noise before"])
			}
		})
	}
}

// TestNoReasonOfAnother holds a row whose times are not to be trusted to saying nothing of its accuracy, which nobody asked
// for.
func TestNoReasonOfAnother(t *testing.T) {
	r := zoo(t)[1]
	r.NotMeasured = nil
	r.Verdict = record.Verdict{Reasons: []string{"noise"}}
	one := row{latency: &r}
	if _, why := one.top1(); why != "not asked for" {
		t.Errorf("have %q, want that it was not asked for", why)
	}
}

// TestCosts shows what a million images cost wherever speeds are shown, and no column where no row has a price.
func TestCosts(t *testing.T) {
	priced := with(latency("resnet18", 20), func(r *record.Record) {
		r.ImagesPerSec, r.Asked = 50, &record.Settings{PricePerHour: 0.04}
	})
	free := latency("resnet50", 60)
	for _, test := range []struct {
		name    string
		records []record.Record
		want    []string // in the terminal; nil for no column
	}{
		{"price", []record.Record{priced, free}, []string{"cost of 1M", "0.222", "(4) no price was given", "at the price of the machine"}},
		{"no price", []record.Record{free}, nil},
		{"price of a row that was not timed", []record.Record{with(priced, func(r *record.Record) { r.Timing = nil })}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := Print(&out, test.records, TableOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, out.String())
				}
			}
			run, err := newRun(test.records, nil)
			if err != nil {
				t.Fatal(err)
			}
			rows, _ := run.pageRows()
			column := slices.ContainsFunc(pageColumns(rows), func(c pageColumn) bool { return c.Field == "cost_per_million" })
			if has := test.want != nil; column != has || strings.Contains(out.String(), "cost of 1M") != has {
				t.Errorf("on the page %v, want %v; in the terminal:\n%s", column, has, out.String())
			}
		})
	}
}
