package samples

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
)

func TestCompare(t *testing.T) {
	good := made("good", func(i int) int { return rankIf(i < 80, 1) })
	near := made("near", func(i int) int { return rankIf(i >= 5 && i < 83, 1) })
	poor := made("poor", func(i int) int { return rankIf(i < 80, 1+i%2) })
	c, err := Compare([]Evaluation{poor, good, near}, Top1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var ranks []int
	for _, r := range c.Ranks {
		names, ranks = append(names, r.Model), append(ranks, r.Rank)
	}
	if !slices.Equal(names, []string{"good", "near", "poor"}) || !slices.Equal(ranks, []int{1, 1, 3}) {
		t.Errorf("ranks %v of %v", ranks, names)
	}
	// By place, whichever comes first: each pair keeps its own figures.
	for _, test := range []struct {
		a, b        int
		fewer, more int // images that one alone got right
		separated   bool
	}{{0, 1, 3, 5, false}, {0, 2, 0, 40, true}, {1, 2, 3, 41, true}} {
		a, b := c.Ranks[test.a], c.Ranks[test.b]
		pair := c.Pair(a, b)
		if c.Pair(b, a) != pair {
			t.Errorf("%s and %s: another pair the other way round", a.Model, b.Model)
		}
		fewer, more := min(pair.OnlyA, pair.OnlyB), max(pair.OnlyA, pair.OnlyB)
		if fewer != test.fewer || more != test.more || pair.Separated != test.separated {
			t.Errorf("%s and %s: %+v", a.Model, b.Model, pair)
		}
	}
	if c, err = Compare([]Evaluation{poor, good}, Top5); err != nil {
		t.Fatal(err)
	}
	if pair := c.Pairs[0]; pair.OnlyA != 0 || pair.OnlyB != 0 || pair.P != 1 || pair.Separated || pair.MoreImages != 0 || pair.Images != 100 {
		t.Errorf("top-5 of two that agree: %+v", pair)
	}
}

// TestCompareMoreImages compares eight checkpoints on 1000 images: four get 700 right, the other four 670, and 60 and 30 are those
// that one of two alone gets right (p = 0.002). Of 28 pairs that is a tie, though 1000 images are more than 5 % would take.
func TestCompareMoreImages(t *testing.T) {
	var all []Evaluation
	for i := range 8 {
		e := Evaluation{Name: fmt.Sprint(i)}
		for n := range 1000 {
			class := 0
			if i < 4 && n < 700 || i >= 4 && n >= 60 && n < 730 {
				class = 1
			}
			e.Samples = append(e.Samples, record.Sample{File: fmt.Sprint(n), Labels: []int{1}, Top5: []int{class}})
		}
		all = append(all, e)
	}
	c, err := Compare(all, Top1)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range c.Pairs {
		want := Pair{A: pair.A, B: pair.B, Metric: Top1, Images: 1000, P: 1, PHolm: 1}
		if pair.A < "4" && pair.B >= "4" {
			want.OnlyA, want.OnlyB, want.Difference, want.P, want.PHolm, want.MoreImages = 60, 30, 3, pair.P, pair.PHolm, 570
		}
		if pair != want || pair.PHolm < 0.05 || pair.P < 1 && math.Abs(pair.P-0.00207) > 1e-4 {
			t.Errorf("got %+v, want %+v", pair, want)
		}
	}
	// Pairs that are separated take nothing of the rate from one that ties.
	near := made("near", func(i int) int { return rankIf(i >= 5 && i < 83, 1) })
	poor := made("poor", func(i int) int { return rankIf(i < 10, 1) })
	if c, err = Compare([]Evaluation{made("good", func(i int) int { return rankIf(i < 80, 1) }), near, poor}, Top1); err != nil {
		t.Fatal(err)
	}
	alone, err := Compare([]Evaluation{made("good", func(i int) int { return rankIf(i < 80, 1) }), near}, Top1)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.pair(0, 1).MoreImages; got != 1468 || alone.Pairs[0].MoreImages != 1468 {
		t.Errorf("%d more images beside two pairs that are separated, %d alone; want 1468 for both", got, alone.Pairs[0].MoreImages)
	}
}

// TestCompareCommon compares evaluations of different images: those that all have and that have a right answer count.
func TestCompareCommon(t *testing.T) {
	one, other := made("one", func(int) int { return 1 }), made("other", func(int) int { return 1 })
	one.Samples = one.Samples[:60]
	other.Samples = other.Samples[10:]
	one.Samples[20].Labels, other.Samples[10].Labels = nil, nil
	c, err := Compare([]Evaluation{one, other}, Top1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Ranks[0].Images != 49 || c.Pairs[0].Images != 49 {
		t.Errorf("ranks %+v, pairs %+v; want 49 images", c.Ranks, c.Pairs)
	}
	if len(c.Notes) != 2 || !strings.HasPrefix(c.Notes[0], "one: 49 of its 60 images") {
		t.Errorf("notes %q", c.Notes)
	}
	for _, test := range []struct {
		name   string
		change func(s []record.Sample) []record.Sample
		want   string
	}{
		{"twice", func(s []record.Sample) []record.Sample { return append(s, s[0]) }, "other: image 10.png occurs twice"},
		{"labels", func(s []record.Sample) []record.Sample { s[0].Labels = []int{7}; return s },
			"image 10.png has the labels [7], elsewhere [0]"},
		{"none", func(s []record.Sample) []record.Sample { return s[60:] }, "the 2 evaluations have no labelled image in common"},
	} {
		changed := other
		changed.Samples = test.change(slices.Clone(other.Samples))
		if _, err := Compare([]Evaluation{one, changed}, Top1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// Right answers among other classes are not the same metric.
func TestCompareAnswers(t *testing.T) {
	one, other := made("one", func(int) int { return 1 }), made("other", func(int) int { return 1 })
	one.Record, other.Record = &record.Record{}, &record.Record{Answers: "imagenet-r, 200 of 1000 classes"}
	want := "answers of one were chosen among all classes, those of other among imagenet-r, 200 of 1000 classes"
	if _, err := Compare([]Evaluation{one, other}, Top1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestBesidePublished(t *testing.T) {
	for _, test := range []struct {
		name      string
		top1      int
		published float64
		size      int
		set       string // of the images
		want      string
	}{
		{"inside", 700, 71, 224, "validation", "inside the interval"},
		{"outside", 600, 71, 224, "validation", "outside by 8.01 points; zoobench audit net.tag --observed 60.00"},
		{"another size", 600, 71, 256, "validation", "published at 256 pixels"},
		{"other images", 600, 71, 224, "", "published for validation"},
		{"not published", 600, 0, 224, "validation", ""},
	} {
		r := &record.Record{Model: "net", Checkpoint: "tag", ImgSize: 224, Accuracy: record.NewAccuracy(1000, test.top1, 900, nil),
			DatasetSet: test.set, Published: &record.Published{Top1: test.published, ImgSize: test.size, Dataset: "validation"}}
		if _, got := besidePublished(r, Top1); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
