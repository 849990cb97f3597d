package experiment

import (
	"slices"
	"strings"
	"testing"
)

// TestPrecisions makes jobs of each precision, timed and of accuracy, with identities of their own; float32 is what a file without
// the key asks for.
func TestPrecisions(t *testing.T) {
	k := known()
	k.Precisions = []string{"float32", "bf16"}
	text := "experiments: [{name: a, question: why, models: [vgg16], precision: [float32, bf16], threads: [1, 2], latency: , accuracy: }]"
	jobs := func(text string, set ...string) (got, ids []string) {
		t.Helper()
		f, err := parseWith("e.yaml", strings.NewReader(text), k, Changes{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Jobs()
		if err != nil {
			t.Fatal(err)
		}
		if n := f.Experiments[0].count(); n != len(all) {
			t.Errorf("counted %d jobs, made %d", n, len(all))
		}
		for _, j := range all {
			what := "accuracy "
			if j.Latency != nil {
				what = "latency "
			}
			got, ids = append(got, what+j.Precision), append(ids, j.ID)
		}
		return got, ids
	}
	got, ids := jobs(text)
	want := []string{"latency ", "latency ", "latency bf16", "latency bf16", "accuracy ", "accuracy bf16"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != len(want) {
		t.Errorf("identities %q, want %d", ids, len(want))
	}
	_, plain := jobs(strings.Replace(text, "precision: [float32, bf16], ", "", 1))
	if _, named := jobs(text, "precision=float32"); !slices.Equal(plain, named) {
		t.Errorf("float32 is jobs %q, nothing is %q", named, plain)
	}
	for words, want := range map[string]string{
		"[bf17]":       `precision: unknown word "bf17", nearest is "bf16"`,
		"[bf16, bf16]": "precision: bf16 is given twice",
		"[]":           "precision: the list is empty",
		"bf16":         "precision: have the text",
		"[16]":         "precision: have the number",
	} {
		_, err := Parse("e.yaml", strings.NewReader(strings.Replace(text, "[float32, bf16]", words, 1)), k)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", words, err, want)
		}
	}
}
