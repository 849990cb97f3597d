package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/choose"
	"zoobench/zoo/weights"
)

// TestWhatIf asks of made-up answers. The table says what to doubt, other forms are rows alone.
func TestWhatIf(t *testing.T) {
	a := choose.Answers{
		Classes: []string{"cat", "dog"}, Files: []string{"0", "1", "2"}, Labels: []int{0, 1, 1}, Read: []bool{true, true, true},
		From: []choose.Answerer{
			{Name: "quick", Head: "linear probe", Latency: 1e6, Batch: 1}, {Name: "slow", Head: "linear probe", Latency: 9e6, Batch: 1},
		},
	}
	about, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := weights.WriteFile(filepath.Join(dir, choose.AnswersName), []weights.Named{
		{Name: "0", Shape: []int{3, 2}, Data: []float32{0.9996, 0.0004, 0.75, 0.25, 0.25, 0.75}}, // right, wrong, right
		{Name: "1", Shape: []int{3, 2}, Data: []float32{0.25, 0.75, 0.25, 0.75, 0.25, 0.75}},     // wrong, right, right
	}, map[string]string{"format": "zoobench answers 1", "answers": string(about)}); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := invoke(t, "whatif", dir)
	for _, want := range []string{"look better than they are", "quick → slow", "67 % 0.9996"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, want %q:\n%s%s", code, want, stdout, stderr)
		}
	}
	code, stdout, stderr = invoke(t, "whatif", dir, "--curves", "--format", "json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines {
		var w choose.WhatIf
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	// Two networks, nobody, two and all three asked, an ensemble: the first is as sure of two pictures.
	if code != 0 || len(lines) != 2+3+1 {
		t.Errorf("exit code %d, %d lines, want 6:\n%s%s", code, len(lines), stdout, stderr)
	}
}
