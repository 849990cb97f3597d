package cli

import (
	"testing"

	"zoobench/reports/findings"
	"zoobench/zoo"
)

// TestCountedFindings holds the verdicts of what is counted to the zoo's graphs.
func TestCountedFindings(t *testing.T) {
	networks := counted(zoo.Default())
	if have, want := len(networks), len(zoo.Default().All()); have != want {
		t.Fatalf("%d networks counted, want %d", have, want)
	}
	want := map[string]findings.Verdict{
		"stacked-3x3":               findings.Confirmed,
		"depthwise-separable-ratio": findings.Confirmed,
		"se-cost-counted":           findings.Confirmed,
		"resnet-v2-equal-cost":      findings.Confirmed,
		"resnet152-under-vgg16":     findings.Confirmed,
		"bottleneck-block":          findings.Confirmed,
		"vgg19-is-vgg16-with-more":  findings.Confirmed,
		"factorised-inception":      findings.Confirmed,
		"inception-v1-parameters":   findings.Refuted, // 9.1 times
		"compound-scaling":          findings.Confirmed,
		"vgg-first-linear":          findings.Confirmed,
		"gates-in-the-zoo":          findings.Described,
		"years":                     findings.Described,
	}
	for _, f := range findings.Test(nil, findings.Given{Networks: networks}) {
		if f.Tier != findings.Counted {
			continue
		}
		t.Logf("%s: %s: %s %v", f.ID, f.Verdict, f.Summary, f.Missing)
		if f.Verdict != want[f.ID] {
			t.Errorf("%s: have %q, want %q: %v", f.ID, f.Verdict, want[f.ID], f.Rows)
		}
		delete(want, f.ID)
	}
	for id := range want {
		t.Errorf("%s: no such finding", id)
	}
}
