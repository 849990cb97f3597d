package reports

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"zoobench/bench/record"
	"zoobench/reports/findings"
)

func TestMachineClasses(t *testing.T) {
	records := zoo(t)
	records[5].Machine.CPU = "Another\x1b[2J CPU"
	_, err := Write(t.TempDir(), records, nil, findings.Given{})
	var class *ClassError
	if !errors.As(err, &class) || len(class.Classes) != 2 {
		t.Fatalf("Write: got %v, want a ClassError of 2 classes", err)
	}
	if s := err.Error(); strings.Contains(s, "\x1b") || !strings.HasPrefix(s, "reports: records of 2 machine classes") {
		t.Errorf("error text %q", s)
	}
	if err := Print(io.Discard, records, TableOptions{}); !errors.As(err, &class) {
		t.Errorf("Print: got %v, want a ClassError", err)
	}
}

// TestMachinePeaks holds runs whose machines differ in nothing but the speed that was measured to classes of their own.
func TestMachinePeaks(t *testing.T) {
	merged := func(peaks ...float64) []record.Record {
		var records []record.Record
		for i, peak := range peaks {
			run := zoo(t)
			for k := range run {
				if run[k].RunID = fmt.Sprintf("run %d", i); run[k].Host != nil {
					h := *run[k].Host
					h.PeakGFLOPS = peak
					run[k].Host = &h
				}
			}
			records = append(records, run...)
		}
		return records
	}
	for _, test := range []struct {
		name  string
		peaks []float64
		want  string // what the error names, "" for none
	}{
		{"one", []float64{100}, ""},
		{"as quick", []float64{100, 95}, ""},
		{"not measured in one", []float64{100, 0}, ""},
		{"a slower clock", []float64{100, 99, 70}, "peak of 70 GFLOP/s a core; run 0 on "},
	} {
		var class *ClassError
		err := Print(io.Discard, merged(test.peaks...), TableOptions{})
		if test.want == "" && err != nil || test.want != "" && (!errors.As(err, &class) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := Changes(merged(100), merged(100)); err != nil {
		t.Errorf("the same peak: %v", err)
	}
}
