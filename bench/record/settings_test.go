package record

import (
	"strings"
	"testing"
	"time"
)

func TestNamed(t *testing.T) {
	for want, a := range map[string]Axes{
		"vgg16":                    {Threads: 2, ISA: "avx2"},
		"vgg16 in bf16":            {Precision: "bf16"},
		"vgg16 with fog:3":         {Corruption: "fog:3"},
		"vgg16 in int8 with fog:3": {Precision: "int8", Corruption: "fog:3"},
	} {
		if got := a.Named("vgg16"); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

// TestPrecisionColumn has the column only where a row of the table is of another precision than float32.
func TestPrecisionColumn(t *testing.T) {
	plain, other := sample(), sample()
	other.Effective = &Settings{Axes: Axes{Precision: "bf16"}}
	eval := Record{Kind: KindEval, RunID: "r", Time: time.Now(), Model: "vgg16", Effective: other.Effective}
	for _, tt := range []struct {
		name string
		rows []Record
		want []string // last cells, "" where there is no such column
	}{
		{"float32 alone", []Record{plain, plain}, []string{"", "", ""}},
		{"another table's", []Record{plain, eval}, []string{"", ""}},
		{"both", []Record{plain, other}, []string{"precision", "float32", "bf16"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := WriteLatencyCSV(&b, tt.rows); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(b.String()), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("%d lines, want %d", len(lines), len(tt.want))
			}
			for i, want := range tt.want {
				last := lines[i][strings.LastIndexByte(lines[i], ',')+1:]
				has := last == "precision" || last == Float32 || last == "bf16"
				if has != (want != "") || has && last != want {
					t.Errorf("line %d ends with %q, want %q", i, last, want)
				}
			}
		})
	}
	var b strings.Builder
	if err := WriteGoBench(&b, []Record{other}); err != nil || !strings.Contains(b.String(), "/precision=bf16/isa=") {
		t.Errorf("Go benchmark text %q, error %v", b.String(), err)
	}
}
