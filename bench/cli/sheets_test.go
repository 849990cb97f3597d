package cli

import (
	"image"
	"slices"
	"testing"

	"zoobench/bench/record"
)

// TestSheet shows computed images where records are about them: one of each shape and texture, in their places.
func TestSheet(t *testing.T) {
	if all := sheets([]record.Record{{Dataset: "/data/val"}}); all != nil {
		t.Errorf("%d sheets of photographs", len(all))
	}
	all := sheets([]record.Record{{Dataset: "/data/val"}, {Dataset: "shapes-64"}})
	if len(all) != 1 || len(all[0].Rows) != 10 || len(all[0].Columns) != 10 || len(all[0].Images) != 100 {
		t.Fatalf("%d sheets", len(all))
	}
	if s := all[0]; s.Rows[0] != "arrow" || s.Columns[9] != "stripes" ||
		slices.Equal(s.Images[0].(*image.RGBA).Pix, s.Images[99].(*image.RGBA).Pix) {
		t.Errorf("rows %q, columns %q", s.Rows, s.Columns)
	}
}
