package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
)

const imageNetV2 = "imagenetv2 matched-frequency"

// over gives a record's accuracy and its published one their images.
func over(r record.Record, images int, dataset, id, published string) record.Record {
	a := r.Accuracy
	r.Accuracy = record.NewAccuracy(images, images*a.Top1Images/a.Images, images*a.Top5Images/a.Images, nil)
	r.Dataset, r.DatasetSHA256, r.DatasetSet = dataset, id, published
	p := *r.Published
	p.Dataset = published
	r.Published = &p
	return r
}

// mixed are the networks of the zoo, published on the validation set: the first twelve measured over 200 images of
// it, and the first and the last five on ImageNetV2, where the last has no published figure.
func mixed(t testing.TB) []record.Record {
	all := measured(zoo(t), 1)
	n := len(all) / 2
	records, evals := all[:n+1:n+1], all[n+1:]
	for i := range records {
		if p := records[i].Published; p != nil {
			p.Dataset = validation
		}
	}
	for _, e := range evals[:12] {
		records = append(records, over(e, 200, "val", "aaaaaaaaaa", validation))
	}
	for _, e := range append(evals[:1:1], evals[len(evals)-5:]...) {
		e = over(e, 1000, "imagenetv2", "bbbbbbbbbb", imageNetV2)
		e.JobID += "v2"
		e.Published.Top1 -= 12
		records = append(records, e)
	}
	records[len(records)-1].Published = &record.Published{Source: "a paper"}
	return records
}

// TestValidationName holds the set's name to that of the stored run's records, whose figures are all the validation
// set's.
func TestValidationName(t *testing.T) {
	records, _, err := record.ReadFile("testdata/default.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, r := range records {
		if r.Published != nil && r.Published.Dataset != "" {
			named++
			if text := onSet(r.Published.Dataset); text != "" {
				t.Errorf("%s: %q is not taken for the validation set", r.Model, r.Published.Dataset)
			}
		}
	}
	if named == 0 {
		t.Error("no record names its set")
	}
}

// TestPublishedBesideMeasured holds the published figure beside a measured one to its images.
func TestPublishedBesideMeasured(t *testing.T) {
	l := with(latency("a", 5), func(r *record.Record) { r.Published = &record.Published{Top1: 80, Dataset: validation, Source: "s"} })
	on := func(set string, p record.Published) record.Record {
		return with(eval("a", "x", 224, 70), func(r *record.Record) { r.DatasetSet, r.Published = set, &p })
	}
	for _, test := range []struct {
		name    string
		records []record.Record
		want    string
		page    string // where the page, whose costs are at one size, has something else
	}{
		{"not evaluated", []record.Record{l}, "80.00", ""},
		{"failed", []record.Record{l, eval("a", "x", 224, -1)}, "80.00", ""},
		{"validation", []record.Record{l, on(validation, record.Published{Top1: 81, Dataset: validation})}, "81.00", ""},
		{"ImageNetV2", []record.Record{l, on(imageNetV2, record.Published{Top1: 68.5, Dataset: imageNetV2})}, "68.50 on ImageNetV2", ""},
		{"another size", []record.Record{l, on(imageNetV2, record.Published{Top1: 68.5, ImgSize: 288, Dataset: imageNetV2})},
			"68.50 on ImageNetV2 at 288 px", "no published figure is known for this network at this size"},
		{"none on ImageNetV2", []record.Record{l, on(imageNetV2, record.Published{Source: "s"})}, "no published figure on ImageNetV2 is known",
			""},
		{"nothing published", []record.Record{l, eval("a", "x", 224, 70)}, "no published figure is known", ""},
		{"another set", []record.Record{l, on("", record.Published{Top1: 50, Dataset: "flowers"})}, "50.00 on flowers", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := newRun(test.records, nil)
			if err != nil {
				t.Fatal(err)
			}
			table := newTable(r.rows, 0)
			have := table.cells[0][slices.Index(table.heads, "published top-1 %")]
			if have.tone == missing {
				var n int
				if _, err := fmt.Sscanf(have.text, "– (%d)", &n); err != nil {
					t.Fatal(err)
				}
				have.text = table.notes[n-1]
			}
			if have.text != test.want {
				t.Errorf("the table has %q, want %q", have.text, test.want)
			}
			rows, _ := r.pageRows()
			if c, want := cellOf(t, rows[0], "published_top1"), cmp.Or(test.page, test.want); c.Text+c.Why != want {
				t.Errorf("the page has %q, want %q", c.Text+c.Why, want)
			}
			if set := onSet(rows[0].Set); set != "" && !strings.Contains(rows[0].Source, rows[0].Set) {
				t.Errorf("the source %q does not name %s", rows[0].Source, rows[0].Set)
			}
		})
	}
}

// TestOneSet holds each plot of accuracies to one set of images, and its note to the networks that it leaves out for
// that.
func TestOneSet(t *testing.T) {
	r, err := newRun(mixed(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	const v2 = "1000 images of imagenetv2"
	for _, test := range []struct {
		name     string
		over     func(*row) (string, string)
		accuracy func(*row) (float64, float64, float64, bool)
		images   string
		others   string
		points   int
	}{
		{"measured", measuredOver, measuredTop1, "200 images of val", v2, 12},
		{"published", publishedOver, publishedTop1, validation, imageNetV2, len(zoo(t)) - 1 - 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, images, note := oneSet(r.chosen(), test.over)
			if images != test.images || !strings.Contains(note, test.others) {
				t.Errorf("over %q, and %q; want those over %q, and %q told", images, note, test.images, test.others)
			}
			macs, _, _ := r.points(rows, test.accuracy)
			if len(macs) != test.points {
				t.Errorf("%d points, want %d", len(macs), test.points)
			}
			drawn := 0
			for _, f := range r.figures(nil) {
				if strings.HasPrefix(f.name, map[string]string{"measured": "accuracy_", "published": "published_"}[test.name]) {
					drawn++
					if !strings.Contains(f.Subtitle, test.images) || !strings.Contains(f.Note, test.others) {
						t.Errorf("%s: %q and %q do not name the sets", f.name, f.Subtitle, f.Note)
					}
				}
			}
			if drawn != 4 {
				t.Errorf("%d plots, want 4", drawn)
			}
		})
	}
	// Equal names do not make equal images.
	some, _, note := oneSet([]row{
		{eval: &record.Record{Model: "a", DatasetSHA256: "1111111111", Accuracy: record.NewAccuracy(10, 5, 6, nil)}},
		{eval: &record.Record{Model: "b", DatasetSHA256: "2222222222", Accuracy: record.NewAccuracy(10, 5, 6, nil)}},
	}, measuredOver)
	if len(some) != 1 || note != "Left out, because their accuracy comes from other images: b (10 images, SHA-256 22222222)." {
		t.Errorf("%d rows and %q", len(some), note)
	}
}

// TestPageSaysImages holds the page to telling two accuracies of one checkpoint apart.
func TestPageSaysImages(t *testing.T) {
	records := mixed(t)
	name := records[1].Model
	page := pageOf(t, records, nil)
	var have []string
	for _, r := range lift(t, page).Rows {
		if r.Model == name {
			have = append(have, fmt.Sprintf("%v %s %s %s", *r.Images, r.Dataset, r.DataSHA256, cellOf(t, r, "top1_over").Text))
		}
	}
	want := []string{"200 val aaaaaaaaaa 200 images of val", "1000 imagenetv2 bbbbbbbbbb 1000 images of imagenetv2"}
	if !slices.Equal(have, want) {
		t.Errorf("%s: have %q, want %q", name, have, want)
	}
	const head = `data-field="top1_over"`
	if !bytes.Contains(page, []byte(head)) {
		t.Error("the table has no column for the images")
	}
	if bytes.Contains(pageOf(t, zoo(t), nil), []byte(head)) {
		t.Error("the table has a column for the images of no accuracy")
	}
}

// cellOf is a cell of the page's table.
func cellOf(t *testing.T, r pageRow, field string) shown {
	t.Helper()
	columns := pageColumns([]pageRow{r})
	at := slices.IndexFunc(columns, func(c pageColumn) bool { return c.Field == field })
	if at < 0 {
		t.Fatalf("no column %s", field)
	}
	return columns[at].Cell(r)
}

// TestTop1Decimals holds the page's accuracies to the decimals of the other tables.
func TestTop1Decimals(t *testing.T) {
	for _, test := range []struct {
		images     int
		text, over string
	}{{200, "72.0", "65.4–77.8"}, {9999, "72.0", "71.1–72.9"}, {10000, "72.00", "71.11–72.87"}} {
		a := record.NewAccuracy(test.images, int(math.Round(0.72*float64(test.images))), test.images, nil)
		n := float64(test.images)
		c := cellOf(t, pageRow{Top1: &a.Top1, Top1Lo: &a.Top1Lo, Top1Hi: &a.Top1Hi, Images: &n}, "top1")
		if c.Text != test.text || c.Interval != test.over {
			t.Errorf("%d images: have %s and %s, want %s and %s", test.images, c.Text, c.Interval, test.text, test.over)
		}
		if in := top1Cell(&row{eval: &record.Record{Accuracy: a, Verdict: record.Verdict{Valid: true}}}, &notes{}, false); in.text != c.Text {
			t.Errorf("%d images: the table has %s, the page %s", test.images, in.text, c.Text)
		}
	}
}
