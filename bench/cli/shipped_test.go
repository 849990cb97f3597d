package cli

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/pocket"
)

// withShipped is an app whose list has a network with weights in the program, tiny, and one without, bare.
func withShipped(t *testing.T) *app {
	t.Helper()
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	hash := strings.Repeat("ab", 32)
	const score = `{"n_images":50,"top1_images":20,"top5_images":30}`
	all, err := pocket.Read(fstest.MapFS{"tiny.safetensors": {Data: []byte("weights")}, pocket.Index: {Data: []byte(
		`[{"network":"tiny","sha256":"` + hash + `","float32_sha256":"` + hash + `","recipe":"base","seed":1,"n_images":100,"data":"shapes",` +
			`"test":` + score + `,"float32_test":` + score + `,"part":` + score + `}]`)}})
	if err != nil {
		t.Fatal(err)
	}
	build := func(g *nn.Builder, x nn.Value) nn.Value { return g.Linear("fc", g.GlobalAvgPool(x), g.Classes) }
	list, err := zoo.NewList([]zoo.Spec{
		{Name: "tiny", Build: build, Size: 8, Classes: 100, Family: "pocket", Checkpoints: []zoo.Checkpoint{
			{Network: "tiny", Tag: pocket.Tag, SHA256: hash, Shipped: &all[0]}}},
		{Name: "bare", Build: build, Size: 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &app{list: list}
}

// TestShippedByDefault takes weights that the program contains where nothing else is asked for, and their own images.
func TestShippedByDefault(t *testing.T) {
	a := withShipped(t)
	t.Setenv("ZOOBENCH_DATA", "photographs")
	for _, test := range []struct {
		name, network, data string
		size                int
		given               string // flag
		tag, images         string // want
	}{
		{"network", "tiny", "", 0, "", "study", "shapes"},
		{"tag", "tiny.study", "", 0, "", "study", "shapes"},
		{"other images", "tiny", "own", 0, "", "study", "own"},
		{"other size", "tiny", "", 16, "", "", "photographs"},
		{"generated", "tiny", "", 0, "generated-gain", "", "photographs"},
		{"none", "bare", "", 0, "", "", "photographs"},
	} {
		b := build{imgSize: test.size, given: func(flag string) bool { return flag == test.given }}
		tasks, err := b.tasks(a, []string{test.network})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if tasks[0].Tag != test.tag {
			t.Errorf("%s: tag %q, want %q", test.name, tasks[0].Tag, test.tag)
		}
		if text, err := os.ReadFile(tasks[0].Weights); test.tag != "" && (err != nil || string(text) != "weights") {
			t.Errorf("%s: %q, error %v", test.name, text, err)
		}
		images := imageFlags{}
		images.Data = test.data
		if err := images.check(a, "eval", tasks); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if have := images.of(a, tasks[0]).Data; have != test.images {
			t.Errorf("%s: images %q, want %q", test.name, have, test.images)
		}
	}
	t.Setenv("ZOOBENCH_DATA", "")
	for network, want := range map[string]bool{"tiny": true, "bare": false} {
		b := build{given: func(string) bool { return false }}
		tasks, err := b.tasks(a, []string{network})
		if err != nil {
			t.Fatal(err)
		}
		if err := new(imageFlags).check(a, "eval", tasks); (err == nil) != want {
			t.Errorf("%s without images anywhere: error %v", network, err)
		}
	}
	if err := new(imageFlags).check(a, "pipeline", nil); err == nil {
		t.Error("pipeline without images: no error")
	}
}

// TestShippedWords lists, shows and leaves unfetched what the program contains.
func TestShippedWords(t *testing.T) {
	a := withShipped(t)
	others, contained, err := a.withoutShipped([]string{"tiny", "bare", "tiny.study", "tiny.other", "family:*"})
	if err != nil || !slices.Equal(others, []string{"bare", "tiny.other", "family:*"}) || len(contained) != 2 {
		t.Errorf("to fetch %q, contained %d, error %v", others, len(contained), err)
	}
	if _, _, err := a.withoutShipped([]string{"tinny"}); err == nil || !strings.Contains(err.Error(), "nearest") {
		t.Errorf("no such network: error %v", err)
	}
	for name, want := range map[string]float64{"tiny": 40, "bare": 0} {
		spec, err := a.list.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		row, err := newLsRow(spec)
		if err != nil || row.Shapes != want || row.Top1 != 0 {
			t.Errorf("%s: shapes %v, published %v, error %v", name, row.Shapes, row.Top1, err)
		}
		note := shippedNote(spec)
		if strings.Contains(note, "top-1 on the 50 test images of shapes is 40.00 %. It says nothing about ImageNet.") != (want > 0) {
			t.Errorf("%s: %q", name, note)
		}
		if set := a.ownSet(runner.Task{}); set != "" {
			t.Errorf("a task of no network has images %q", set)
		}
	}
}
