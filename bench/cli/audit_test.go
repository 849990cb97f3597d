package cli

import (
	"encoding/json"
	"image/color"
	"math"
	"strings"
	"testing"

	"zoobench/bench/runner"
	"zoobench/zoo"
)

func TestDiagnosis(t *testing.T) {
	spec, err := zoo.Find("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	r := &runner.AuditResult{Images: 1000, Network: &runner.Network{Ready: &runner.Ready{Spec: spec}}, Rows: []runner.AuditRow{
		{Name: "as published", Top1: 800, Top5: 950, P: 1},
		{Name: "interpolation", Detail: "nearest", Top1: 770, OnlyHere: 10, OnlyRef: 40, P: 0.001},
		{Name: "range", Detail: "0 to 255", Top1: 300, OnlyHere: 0, OnlyRef: 500, P: 0},
	}}
	for _, test := range []struct {
		published, observed float64
		want                string
	}{
		{0, 79.8, "79.80 % fits the published preprocessing (80.00 %); figures in brackets were measured on these images"},
		{76.1, 73, "73.00 % fits interpolation: nearest (73.10 %); figures in brackets are the published 76.10 % plus the points"},
		{76.1, 26, "26.00 % fits range: 0 to 255 (26.10 %); figures in brackets are the published 76.10 % plus the points"},
		{76.1, 50,
			"50.00 % fits none of these; the nearest is interpolation: nearest (73.10 %); " +
				"figures in brackets are the published 76.10 % plus the points"},
	} {
		rows := auditRows(r, test.published, test.observed)
		if got := diagnosis(rows, test.published, test.observed); !strings.Contains(got, test.want) {
			t.Errorf("observed %v: got %q, want %q", test.observed, got, test.want)
		}
	}
	rows := auditRows(r, 0, 0)
	if rows[1].Mistake != "range" || rows[1].Difference != -50 ||
		math.Abs(rows[2].Lo+4.3786) > 1e-4 || math.Abs(rows[2].Hi+1.6095) > 1e-4 || rows[0].Lo != 0 || rows[0].Hi != 0 {
		t.Errorf("rows: %+v, want the greatest loss first", rows)
	}
}

func TestAuditUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"audit", "alexnet", "--data", "."}, "no checkpoint"},
		{[]string{"audit", "alexnet", "--weights", "audit_test.go"}, "no images"},
		{[]string{"audit", "alexnet", "--weights", "audit_test.go", "--data", ".", "--observed", "120"}, "--observed 120"},
	} {
		if code, _, stderr := invoke(t, test.args...); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q; want 1 and %q", test.args, code, stderr, test.want)
		}
	}
}

// TestPrintAudit prints the corrected p-value and the interval, neither of the published way.
func TestPrintAudit(t *testing.T) {
	spec, err := zoo.Find("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	a := &app{stdout: &out, format: "table"}
	r := &runner.AuditResult{Images: 1000, Network: &runner.Network{Ready: &runner.Ready{Spec: spec}}, Rows: []runner.AuditRow{
		{Name: "as published", Top1: 800, Top5: 950, P: 1, PHolm: 1},
		{Name: "crop", Top1: 786, OnlyHere: 10, OnlyRef: 24, P: 0.0243, PHolm: 0.0729},
	}}
	if err := a.printAudit(r, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"", "80.00 %      –              –     – 95.00 %", "78.60 %  -1.40 -2.55 to -0.24 0.073 ", "", "1000 images",
		"p: McNemar's exact test against the published preprocessing, with Holm's correction for all mistakes"} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d: want %q in:\n%s", i, want, out.String())
		}
	}
}

// TestAuditInt8 lists the layers of a checkpoint in int8, the worst first, as a table and as JSON, and refuses other precisions.
func TestAuditInt8(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"0": {20, 40, 230, 255}, "1": {30, 220, 40, 255}}, 2)
	args := []string{"audit", "squeezenet1_1.made", "--data", data, "--precision", "int8", "--img-size", "64"}
	code, stdout, stderr := invoke(t, append(args, "--format", "json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	before, kept := 0.0, 0
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines {
		var row auditLayer
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Logits < before || row.Output < 10 || row.Output > 80 || row.Model != "squeezenet1_1.made" || row.MACs == 0 {
			t.Errorf("behind a layer with %.1f dB at the logits: %+v", before, row)
		}
		if before = row.Logits; row.Precision == "float32" {
			if kept++; !strings.Contains(row.Why, "times a layer's mean squared error at the logits") {
				t.Errorf("%s is in float32: %q", row.Layer, row.Why)
			}
		}
	}
	if len(lines) != 26 || kept == 0 {
		t.Errorf("%d layers, %d of them in float32; want 26 and some", len(lines), kept)
	}
	code, stdout, _ = invoke(t, append(args, "--limit", "1")...)
	if code != 0 || !strings.HasPrefix(strings.TrimSpace(stdout), "layer") || !strings.Contains(stdout, "signal to noise on 1 of 1 images") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	args[len(args)-3] = "int8,bf16"
	if code, _, stderr := invoke(t, args...); code != 1 || !strings.Contains(stderr, "want int8") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
