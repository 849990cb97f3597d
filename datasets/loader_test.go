package datasets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/datasets/internal/golden"
	"zoobench/datasets/preprocess"
)

// memory is a source of files held in memory.
type memory struct {
	names []string
	files map[string][]byte
}

func (m memory) Len() int        { return len(m.names) }
func (m memory) Item(i int) Item { return Item{Name: m.names[i], Labels: []int{i % 3}} }
func (m memory) Read(i int, buf []byte) ([]byte, error) {
	data, ok := m.files[m.names[i]]
	if !ok {
		return nil, errors.New("gone")
	}
	return append(buf[:0], data...), nil
}

// made is the made images, n times over, with one that is cut off, one that
// is none and one that is gone.
func made(t testing.TB, n int) memory {
	m := memory{files: map[string][]byte{}}
	for _, im := range golden.Read(t, golden.Made()).Images {
		if im.Width*im.Height < 1<<17 {
			m.names = append(m.names, im.File)
			m.files[im.File] = golden.File(t, golden.Made(), im.File)
		}
	}
	data := m.files["in/s420.jpg"]
	m.files["cut.jpg"] = data[:len(data)/2]
	m.files["text.jpg"] = []byte("no picture")
	m.names = append(m.names, "cut.jpg", "text.jpg", "gone.jpg")
	m.names = slices.Repeat(m.names, n)
	return m
}

func TestLoaderDeliversInOrder(t *testing.T) {
	src := made(t, 3)
	recipe := preprocess.Recipe{Size: 32}
	p, err := preprocess.New(recipe, preprocess.HWC)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, p.Len())
	hashes := map[string]bool{}
	for _, o := range []LoadOptions{{}, {Batch: 4, Workers: 3}, {Batch: 7, Workers: 1, Ahead: 5}, {Batch: 1000, Workers: 2}} {
		name := fmt.Sprintf("%+v", o)
		l, err := NewLoader(src, recipe, o)
		if err != nil {
			t.Fatal(err)
		}
		if l.Hash() != "" {
			t.Errorf("%s: a hash before the first item", name)
		}
		next, failed := 0, 0
		for b, err := range l.Batches(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if b.First != next || len(b.Items) != len(b.Errs) || len(b.Tensor) != len(b.Items)*p.Len() {
				t.Fatalf("%s: batch at %d with %d items, %d errors, %d values, want it at %d", name, b.First, len(b.Items), len(b.Errs),
					len(b.Tensor), next)
			}
			for i, item := range b.Items {
				if item.Name != src.names[next+i] {
					t.Errorf("%s: item %d is %s, want %s", name, next+i, item.Name, src.names[next+i])
				}
				clear(want)
				data, wantErr := src.Read(next+i, nil)
				if wantErr == nil {
					wantErr = p.File(data, want)
				}
				if (b.Errs[i] == nil) != (wantErr == nil) {
					t.Errorf("%s: %s: error %v, want %v", name, item.Name, b.Errs[i], wantErr)
				}
				if wantErr != nil {
					clear(want)
					failed++
				}
				if !slices.Equal(b.Tensor[i*p.Len():][:p.Len()], want) {
					t.Errorf("%s: %s: another tensor", name, item.Name)
				}
			}
			next += len(b.Items)
		}
		if next != src.Len() || failed != 9 {
			t.Errorf("%s: %d items, %d failed, want %d and 9", name, next, failed, src.Len())
		}
		hashes[l.Hash()] = true
	}
	if len(hashes) != 1 || hashes[""] {
		t.Errorf("content hashes %v, want one for all ways of loading", hashes)
	}
}

func TestLoaderHashTellsContents(t *testing.T) {
	hash := func(src Source) string {
		l, err := NewLoader(src, preprocess.Recipe{Size: 8}, LoadOptions{Batch: 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range l.Batches(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
		}
		return l.Hash()
	}
	src := made(t, 1)
	whole := hash(src)
	if part := hash(First(src, src.Len()-1)); part == whole {
		t.Error("the hash of a part is the whole's")
	}
	src.files["text.jpg"] = []byte("no image either")
	if other := hash(src); other == whole {
		t.Error("another file's bytes leave the hash as it was")
	}
}

func TestLoaderStops(t *testing.T) {
	src := made(t, 20)
	before := runtime.NumGoroutine()
	within(t, 20*time.Second, func() {
		l, err := NewLoader(src, preprocess.Recipe{Size: 32}, LoadOptions{Batch: 3, Workers: 4})
		if err != nil {
			t.Error(err)
			return
		}
		for range l.Batches(context.Background()) {
			break
		}
		if l.Hash() != "" {
			t.Error("a hash of a source that was not read to its end")
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		batches := 0
		var last error
		for _, err := range l.Batches(ctx) {
			batches++
			last = err
			cancel()
		}
		if batches != 2 || !errors.Is(last, context.Canceled) || !strings.Contains(last.Error(), "after 3 of") {
			t.Errorf("after a cancel: %d values, the last error %v, want 2 and one of the context", batches, last)
		}
	})
	if after := runtime.NumGoroutine(); after > before+1 {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

func TestLoaderBadOptions(t *testing.T) {
	if _, err := NewLoader(memory{}, preprocess.Recipe{Size: 224}, LoadOptions{Batch: -1}); err == nil {
		t.Error("no error for a batch of -1")
	}
	if _, err := NewLoader(memory{}, preprocess.Recipe{}, LoadOptions{}); err == nil || !strings.Contains(err.Error(), "size 0") {
		t.Errorf("no size: error %v", err)
	}
	l, err := NewLoader(memory{}, preprocess.Recipe{Size: 224}, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range l.Batches(context.Background()) {
		t.Error("a batch of an empty source")
	}
}

// TestRealPhotographs opens and decodes photographs of ILSVRC-2012: a sample,
// or all of them with ZOO_LONG=1.
func TestRealPhotographs(t *testing.T) {
	root := golden.Outside(t, "ZOO_REAL", "real")
	if root == "" {
		t.Skip("no photographs to test with")
	}
	for _, tt := range []struct {
		name, labels string
		items        int
	}{{"val", filepath.Join(root, "val_labels.txt"), 900}, {"train", "", 300}} {
		t.Run(tt.name, func(t *testing.T) {
			files, err := Open(filepath.Join(root, tt.name), Options{Labels: tt.labels, Classes: 1000, Answers: AllAnswers})
			if err != nil {
				t.Fatal(err)
			}
			if files.Len() != tt.items || len(files.Warnings) > 0 {
				t.Errorf("%d items, warnings %q, want %d and none", files.Len(), files.Warnings, tt.items)
			}
			var src Source = files
			if os.Getenv("ZOO_LONG") != "1" {
				src = Sample(files, 40, 1)
			}
			l, err := NewLoader(src, preprocess.Recipe{Size: 224}, LoadOptions{Batch: 8})
			if err != nil {
				t.Fatal(err)
			}
			var read, prepare time.Duration
			for b, err := range l.Batches(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				for i, err := range b.Errs {
					if err != nil {
						t.Errorf("%s: %v", b.Items[i].Name, err)
					}
				}
				read, prepare = read+b.Read, prepare+b.Prepare
			}
			n := time.Duration(src.Len())
			t.Logf("%d images: %v to read and %v to prepare each, content hash %s", n, read/n, prepare/n, l.Hash())
		})
	}
}

func Example() {
	files, err := Open("testdata/preprocess", Options{Labels: "testdata/labels.txt", Classes: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := NewLoader(files, preprocess.Recipe{Size: 224}, LoadOptions{Batch: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	for batch, err := range l.Batches(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, item := range batch.Items {
			fmt.Println(item.Name, item.Labels, batch.Errs[i])
		}
		fmt.Println(len(batch.Tensor), "values")
	}
	// Output:
	// in/s420.jpg [207] <nil>
	// in/rgb.png [0] <nil>
	// 301056 values
}

func BenchmarkLoader(b *testing.B) {
	data := golden.Photograph(b)
	src := memory{names: slices.Repeat([]string{"photograph.jpg"}, 64), files: map[string][]byte{"photograph.jpg": data}}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d/size=224", workers), func(b *testing.B) {
			l, err := NewLoader(src, preprocess.Recipe{Size: 224}, LoadOptions{Batch: 8, Workers: workers})
			if err != nil {
				b.Fatal(err)
			}
			images := 0
			for b.Loop() {
				for batch, err := range l.Batches(context.Background()) {
					if err != nil {
						b.Fatal(err)
					}
					images += len(batch.Items)
				}
			}
			b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
