package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"zoobench/zoo"
	"zoobench/zoo/pocket"
)

// contained is a list whose network tiny has weights in the program.
func contained(t *testing.T) (*zoo.List, []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 100)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const score = `{"n_images":5,"top1_images":1,"top5_images":3}`
	hash := strings.Repeat("ab", 32)
	index := `[{"network":"tiny","sha256":"` + hash + `","float32_sha256":"` + hash + `","recipe":"base","data":"shapes","test":` + score +
		`,"float32_test":` + score + `,"part":` + score + `}]`
	all, err := pocket.Read(fstest.MapFS{pocket.Index: {Data: []byte(index)}, "tiny.safetensors": {Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := misbehaving().Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	own := *spec
	own.Checkpoints = []zoo.Checkpoint{{Network: "tiny", Tag: pocket.Tag, SHA256: hash, Shipped: &all[0]}}
	list, err := zoo.NewList([]zoo.Spec{own})
	if err != nil {
		t.Fatal(err)
	}
	return list, data
}

// TestShippedWeights finds weights that the program contains in a cache folder that does not exist yet, puts a damaged file right,
// and prefers a file that somebody has put there.
func TestShippedWeights(t *testing.T) {
	list, data := contained(t)
	spec, err := list.Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	c := Cache{filepath.Join(t.TempDir(), "new")}
	if tags, err := c.Tags(spec); err != nil || !slices.Equal(tags, []string{pocket.Tag}) {
		t.Errorf("tags %v, error %v", tags, err)
	}
	for _, before := range []string{"", "damaged"} {
		path, err := c.Find(spec, pocket.Tag)
		if err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(path); err != nil || !slices.Equal(have, data) {
			t.Errorf("%q: %d bytes, error %v, want %d", before, len(have), err, len(data))
		}
		if err := os.WriteFile(path, []byte("damaged"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if tag, file, err := c.Resolve(spec, pocket.Tag); err != nil || tag != pocket.Tag || filepath.Base(file) != "tiny.study.safetensors" {
		t.Errorf("as --weights study: %s, %s, error %v", tag, file, err)
	}
	if err := os.MkdirAll(c.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(c.Weights(), "tiny.study.pth")
	if err := os.WriteFile(own, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if path, err := c.Find(spec, pocket.Tag); err != nil || path != own {
		t.Errorf("have %s, error %v, want %s", path, err, own)
	}
}

// TestShippedInExperiment evaluates weights that the program contains on their own set, whatever other images a run names.
func TestShippedInExperiment(t *testing.T) {
	o := options(t, `
experiments:
  - name: accuracy
    question: How accurate?
    models: [tiny]
    accuracy: {limit: 100}
`)
	o.List, _ = contained(t)
	o.Data = images(t)
	s, err := Run(t.Context(), o)
	if err != nil || s.Measured != 1 {
		t.Fatalf("%d measured, error %v, want 1: %+v", s.Measured, err, s.Records)
	}
	r := s.Records[0]
	if r.Name() != "tiny.study" || r.DatasetSet != "shapes" || r.Split != "test" || r.Images != 100 {
		t.Errorf("%s on %s, split %s, %d images", r.Name(), r.DatasetSet, r.Split, r.Images)
	}
}
