package choose

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/datasets/corrupt"
)

// TestCorrupted tests heads on corrupted images besides: with the same images and seed the same again and from the cache, and
// with no part in the scores that the pick is by.
func TestCorrupted(t *testing.T) {
	o := options(t, images(t, 20))
	plain, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	// Snow at its worst takes away most of the hues that are the classes; the first severity of JPEG leaves them.
	o.Corruptions = []corrupt.Corruption{{}, {Name: "snow", Severity: 5}, {Name: "jpeg_compression", Severity: 1}}
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Corruptions, []string{"snow:5", "jpeg_compression:1"}) || plain.Corruptions != nil {
		t.Errorf("corruptions %v, without any %v", r.Corruptions, plain.Corruptions)
	}
	for _, row := range r.Rows {
		mean, ok := row.CorruptedMean()
		if !ok || len(row.Corrupted) != 2 || mean != (row.Corrupted[0].Accuracy+row.Corrupted[1].Accuracy)/2 {
			t.Fatalf("%s with %s: %v of %+v", row.Name, row.Head, mean, row.Corrupted)
		}
		if score := sameRow(plain, row).Score; row.Score != score {
			t.Errorf("%s with %s: %+v, without corruptions %+v", row.Name, row.Head, row.Score, score)
		}
		if poor, good := row.Corrupted[0], row.Corrupted[1]; row.Score.Accuracy.Value != 1 || poor.Accuracy > 0.7 || good.Accuracy < 0.9 {
			t.Errorf("%s with %s: %v as they are, %+v", row.Name, row.Head, row.Score.Accuracy.Value, row.Corrupted)
		}
	}
	if _, ok := plain.Rows[0].CorruptedMean(); ok {
		t.Error("an accuracy on corrupted images that nobody asked for")
	}

	folder := filepath.Join(o.Cache.Dir, "choose")
	const except = "timings.jsonl" // timings that other work disturbed are measured again
	before := sizes(t, folder, except)
	again, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if after := sizes(t, folder, except); after != before {
		t.Errorf("the cache has changed from\n%s to\n%s", before, after)
	}
	for _, row := range r.Rows {
		other := sameRow(again, row)
		if !slices.Equal(row.Corrupted, other.Corrupted) {
			t.Errorf("%s with %s: %+v, again %+v", row.Name, row.Head, row.Corrupted, other.Corrupted)
		}
	}

	var md, html bytes.Buffer
	page := r.page(t.TempDir())
	if err := page.markdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := page.html(&html); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Accuracy on corrupted images", "not ImageNet-C", "share that is left", "snow:5"} {
		if !strings.Contains(md.String(), want) || !strings.Contains(html.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if legend := strings.Join(r.Legend(), "\n"); !strings.Contains(legend, "corrupted: accuracy on the same images with snow:5, jpeg") {
		t.Errorf("legend:\n%s", legend)
	}
	if strings.Contains(strings.Join(plain.Legend(), "\n"), "corrupted") {
		t.Error("a legend of a column that is not there")
	}
}

// sameRow is the row of the same network and head.
func sameRow(r *Result, like *Row) *Row {
	return r.Rows[slices.IndexFunc(r.Rows, func(row *Row) bool { return row.Name == like.Name && row.Head == like.Head })]
}
