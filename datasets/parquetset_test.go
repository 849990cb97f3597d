package datasets

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// A labelled is a row as Hugging Face writes it.
type labelled struct {
	Image struct {
		Bytes []byte `parquet:"bytes"`
		Path  string `parquet:"path"`
	} `parquet:"image"`
	Label int64 `parquet:"label"`
}

// shard writes rows of a path, which is the bytes too, and a label; names are what the labels mean.
func shard(t testing.TB, file string, names string, labels map[string]int64, order ...string) {
	t.Helper()
	var rows []labelled
	for _, name := range order {
		var r labelled
		r.Image.Bytes, r.Image.Path, r.Label = []byte(name), name, labels[name]
		rows = append(rows, r)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	var o []parquet.WriterOption
	if names != "" {
		o = append(o, parquet.KeyValueMetadata("huggingface", `{"info": {"features": {"label": {"names": [`+names+`]}}}}`))
	}
	if err := parquet.WriteFile(file, rows, o...); err != nil {
		t.Fatal(err)
	}
}

func TestParquet(t *testing.T) {
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	two := map[string]int64{"a.jpg": 0, "b.jpg": 1, "c.jpg": -1}
	animals := `"cat", "dog"`
	shard(t, in("usual/data/train-00000-of-00001.parquet"), animals, two, "b.jpg")
	shard(t, in("usual/data/validation-00000-of-00002.parquet"), animals, two, "b.jpg", "a.jpg", "c.jpg")
	shard(t, in("usual/data/validation-00001-of-00002.parquet"), animals, two, "a.jpg", "a.jpg")
	shard(t, in("bare/x.parquet"), "", two, "a.jpg", "b.jpg")
	shard(t, in("fish/x.parquet"), `"goldfish, Carassius auratus", "n01440764"`, two, "a.jpg", "b.jpg")
	shard(t, in("odd/a.parquet"), animals, two, "a.jpg")
	shard(t, in("odd/b.parquet"), `"dog", "cat"`, two, "a.jpg")
	shard(t, in("test/test-00000.parquet"), animals, two, "c.jpg")
	shard(t, in("beyond/x.parquet"), animals, map[string]int64{"a.jpg": 2}, "a.jpg")
	if err := os.MkdirAll(in("damaged"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("damaged/x.parquet"), []byte("PAR1, cut off"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, root string
		o          Options
		want       []string // item, label and bytes
		reading    string
		err        string
	}{
		{"a split of several shards", "usual", Options{Split: "val", Classes: 2}, []string{"validation-00000-of-00002/b.jpg 1 b.jpg",
			"validation-00000-of-00002/a.jpg 0 a.jpg", "validation-00000-of-00002/c.jpg  c.jpg", "validation-00001-of-00002/000000/a.jpg 0 a.jpg",
			"validation-00001-of-00002/000001/a.jpg 0 a.jpg"}, "column label, by class index", ""},
		{"the folder of shards", "usual/data", Options{Split: "train"}, []string{"b.jpg 1 b.jpg"}, "by class index", ""},
		{"one shard", "usual/data/train-00000-of-00001.parquet", Options{}, []string{"b.jpg 1 b.jpg"}, "by class index", ""},
		{"a range", "usual/data/validation-{00000..00001}-of-00002.parquet", Options{Classes: 2},
			[]string{"validation-00000-of-00002/b.jpg 1 b.jpg",
				"validation-00000-of-00002/a.jpg 0 a.jpg", "validation-00000-of-00002/c.jpg  c.jpg", "validation-00001-of-00002/000000/a.jpg 0 a.jpg",
				"validation-00001-of-00002/000001/a.jpg 0 a.jpg"}, "by class index", ""},
		{"no names", "bare", Options{Classes: 1000}, []string{"a.jpg 0 a.jpg", "b.jpg 1 b.jpg"}, "by class index", ""},
		{"names of ImageNet's classes", "fish", Options{Classes: 1000}, []string{"a.jpg 1 a.jpg", "b.jpg 0 b.jpg"},
			"by the names of ImageNet-1k's", ""},
		{"names of ImageNet's classes, for two", "fish", Options{Classes: 2}, []string{"a.jpg 0 a.jpg", "b.jpg 1 b.jpg"}, "by class index", ""},
		{"a class map", "usual", Options{Split: "train", ClassMap: write(t, "dog\ncat\n")}, []string{"b.jpg 0 b.jpg"}, "by the class map", ""},
		{"no split named", "usual", Options{}, nil, "", "train, validation are splits of a dataset"},
		{"a class map without names", "bare", Options{ClassMap: write(t, "dog\ncat\n")}, nil, "", "do not name their classes"},
		{"other classes", "usual", Options{Split: "val", Classes: 1000}, nil, "", "2 classes (cat, dog), want 1000"},
		{"shards that do not agree", "odd", Options{}, nil, "", "mean different classes"},
		{"labels kept back", "test", Options{}, nil, "", "1 images without a label"},
		{"a label beyond the names", "beyond", Options{}, nil, "", "a.jpg: label 2, want 0 to 1"},
		{"a label file", "bare", Options{Labels: write(t, "a.jpg 1\n")}, nil, "", "has its labels in a column"},
		{"damaged", "damaged", Options{}, nil, "", "write its images into class folders or WebDataset's shards"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(in(tt.root), tt.o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Count(err.Error(), "datasets:") != 1 {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := describeBytes(t, f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !strings.Contains(f.Reading, tt.reading) {
				t.Errorf("reading %q, want one with %q", f.Reading, tt.reading)
			}
		})
	}
}
