package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/bench/samples"
)

// sampleFile writes a per-sample file of 100 images of 10 classes in which right says of which rank the right answer is.
func sampleFile(t *testing.T, name string, right func(i int) int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	w, err := record.NewSampleWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		label := i % 10
		top5 := []int{(label + 1) % 10, (label + 2) % 10, (label + 3) % 10, (label + 4) % 10, (label + 5) % 10}
		if rank := right(i); rank > 0 {
			top5[rank-1] = label
		}
		s := record.Sample{File: fmt.Sprintf("%02d.png", i), Labels: []int{label}, Top5: top5, Scores: []float32{5, 4, 3, 2, 1},
			LogSum: 5 + float64(i)/100}
		if i == 99 {
			s = record.Sample{File: "99.png", Labels: []int{label}, Error: "broken"}
		}
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func rankIf(right bool, rank int) int {
	if right {
		return rank
	}
	return 0
}

func TestCompare(t *testing.T) {
	good := sampleFile(t, "good.jsonl", func(i int) int { return rankIf(i < 80, 1) })
	near := sampleFile(t, "near.csv", func(i int) int { return rankIf(i >= 5 && i < 83, 1) })
	poor := sampleFile(t, "poor.jsonl", func(i int) int { return rankIf(i < 80, 1+i%2) })
	code, stdout, stderr := invoke(t, "compare", poor, good, near)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	golden(t, "compare", stdout, stderr)
	code, stdout, stderr = invoke(t, "compare", poor, good, "--metric", "top5", "--format", "json")
	var pair samples.Pair
	if err := json.Unmarshal([]byte(stdout), &pair); err != nil || code != 0 {
		t.Fatalf("exit code %d, error %v: %s", code, err, stderr)
	}
	if pair.OnlyA != 0 || pair.OnlyB != 0 || pair.P != 1 || pair.Separated || pair.MoreImages != 0 || pair.Images != 100 {
		t.Errorf("top-5 of two that agree: %+v", pair)
	}

	other := filepath.Join(t.TempDir(), "other.jsonl")
	if err := os.WriteFile(other, []byte(`{"file":"00.png","label":7,"top5":[7],"scores":[1]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{good}, "one evaluation, good, want two or more"},
		{[]string{good, other}, "image 00.png has the labels [7], elsewhere [0]"},
		{[]string{good, t.TempDir()}, "no such file"},
		{[]string{good, poor, "--metric", "top3"}, `--metric: have "top3"`},
	} {
		if code, _, stderr := invoke(t, append([]string{"compare"}, test.args...)...); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q; want 1 and %q", test.args, code, stderr, test.want)
		}
	}
}

// TestCompareOneName compares three files of one name: each pair keeps its own figures.
func TestCompareOneName(t *testing.T) {
	paths := []string{
		sampleFile(t, "out.jsonl", func(i int) int { return rankIf(i < 90, 1) }),
		sampleFile(t, "out.jsonl", func(i int) int { return rankIf(i < 89, 1) }),
		sampleFile(t, "out.jsonl", func(i int) int { return rankIf(i < 20, 1) }),
	}
	code, stdout, stderr := invoke(t, append([]string{"compare", "--format", "json"}, paths...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	names := map[string]bool{}
	for line := range strings.Lines(stdout) {
		var pair samples.Pair
		if err := json.Unmarshal([]byte(line), &pair); err != nil {
			t.Fatal(err)
		}
		names[pair.A], names[pair.B] = true, true
	}
	if len(names) != 3 {
		t.Errorf("names %v, want three", names)
	}
	_, stdout, _ = invoke(t, append([]string{"compare"}, paths...)...)
	if n := strings.Count(stdout, "<0.001"); n != 4 { // the third against both, on either side of the diagonal
		t.Errorf("%d p-values below 0.001, want 4:\n%s", n, stdout)
	}
	if n := strings.Count(stdout, " tie: "); n != 1 {
		t.Errorf("%d ties, want one:\n%s", n, stdout)
	}
}
