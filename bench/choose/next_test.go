package choose

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
)

// TestNext says what to type: with the head that was saved, how to save it where it was not, and how to go on where nothing
// was picked.
func TestNext(t *testing.T) {
	pick := &Row{Name: "net.it's mine", Head: headProbe}
	for _, test := range []struct {
		name string
		r    Result
		want []string
	}{
		{"saved", Result{Pick: pick, HeadFile: "heads/net.head"},
			[]string{"    zoobench predict net --weights 'it'\\''s mine' --head heads/net.head IMAGE...", "    zoobench whatif 'a folder'"}},
		{"not saved", Result{Pick: pick},
			[]string{"Repeat the command with --save heads",
				"    zoobench predict net --weights 'it'\\''s mine' --head 'heads/net.it'\\''s mine.head.safetensors' IMAGE..."}},
		{"of an ONNX file", Result{Pick: pick, HeadFile: "heads/net.head", ONNXFile: "heads/net.onnx",
			Task: runner.Task{Job: experiment.Job{Model: "files/own.onnx"}}},
			[]string{"    zoobench predict files/own.onnx --head heads/net.head IMAGE...", "    zoobench export files/own.onnx --out "}},
		{"nothing fits", Result{Changes: []pickChange{{}}}, []string{"Loosen the limits", "    zoobench whatif"}},
		{"nothing fits, nor would", Result{}, []string{"    zoobench whatif"}},
	} {
		test.r.Candidates = []*Candidate{{Name: "net.it's mine", Network: "net"}}
		if test.r.Pick != nil {
			test.r.PickName = pick.Name
		}
		lines := strings.Join(test.r.NextLines("a folder"), "\n")
		p := &page{}
		test.r.nextSection(p, "a folder")
		var md, html bytes.Buffer
		if err := errors.Join(p.markdown(&md), p.html(&html)); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(lines, want) || !strings.Contains(md.String(), want) {
				t.Errorf("%s: %q is missing in\n%s\nor in\n%s", test.name, want, lines, md.String())
			}
		}
	}
}

// TestAbsentIsOneLine names three of many checkpoints that are not there, none that is large if others are not.
func TestAbsentIsOneLine(t *testing.T) {
	r := &Result{}
	if r.absentLine() != "" {
		t.Error("a line of nothing")
	}
	large := absentCheckpoint{Name: "large.a", Bytes: 900e6}
	r.Absent = []absentCheckpoint{large}
	if got := r.pullCommand(); got != "zoobench pull large.a" {
		t.Errorf("got %q", got)
	}
	for _, name := range []string{"a.x", "b.x", "c.x", "d.x"} {
		r.Absent = append(r.Absent, absentCheckpoint{Name: name, Bytes: 100e6})
	}
	p := &page{}
	r.nextSection(p, "out")
	var md bytes.Buffer
	if err := p.markdown(&md); err != nil {
		t.Fatal(err)
	}
	if text := md.String(); !strings.Contains(text, "5 published checkpoints (1.3 GB) are not on this machine") ||
		!strings.Contains(text, "    zoobench pull a.x b.x c.x\n") || strings.Contains(text, "d.x") {
		t.Errorf("the page:\n%s", text)
	}
}

// TestTablesAreNarrow holds the page's tables to the columns that fit a screen of 1,280 pixels.
func TestTablesAreNarrow(t *testing.T) {
	c := decided(3)
	if err := c.decide(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, block := range c.page("out").blocks {
		if table, ok := block.(*tableBlock); ok && len(table.title) > 10 {
			t.Errorf("%d columns: %q", len(table.title), table.title)
		}
	}
}
