package parquet

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// A row is as Hugging Face's datasets writes labelled images.
type row struct {
	Image struct {
		Bytes []byte `parquet:"bytes,optional"`
		Path  string `parquet:"path,optional"`
	} `parquet:"image,optional"`
	Label *int64 `parquet:"label,optional"`
}

const about = `{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}`

// made are rows of images of growing size.
func made(n int) (rows []row) {
	for i := range n {
		var r row
		r.Image.Bytes = bytes.Repeat([]byte{byte(i)}, 100+i)
		r.Image.Path = fmt.Sprintf("%d.jpg", i)
		label := int64(i % 2)
		r.Label = &label
		rows = append(rows, r)
	}
	return rows
}

// write writes rows in groups of perGroup.
func write[T any](t testing.TB, rows []T, perGroup int, o ...parquet.WriterOption) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[T](f, o...)
	for group := range slices.Chunk(rows, perGroup) {
		if _, err := w.Write(group); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadsWhatDatasetsWrites(t *testing.T) {
	const n = 250
	rows := made(n)
	for _, tt := range []struct {
		name  string
		codec compress.Codec
		page  int
	}{{"plain", &parquet.Uncompressed, 1000}, {"snappy", &parquet.Snappy, 1 << 20}, {"zstd", &parquet.Zstd, 5000},
		{"gzip", &parquet.Gzip, 500}} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, rows, 100, parquet.Compression(tt.codec), parquet.PageBufferSize(tt.page),
				parquet.KeyValueMetadata("huggingface", about))
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if len(f.Labels) != n || len(f.Paths) != n || f.Label != "label" || !slices.Equal(f.Names, []string{"cat", "dog"}) {
				t.Fatalf("%d labels, %d paths, column %q, names %q", len(f.Labels), len(f.Paths), f.Label, f.Names)
			}
			check := func(i int, buf []byte) []byte {
				data, err := f.Image(i, buf)
				if err != nil {
					t.Errorf("image %d: %v", i, err)
				}
				if !bytes.Equal(data, rows[i].Image.Bytes) || f.Paths[i] != rows[i].Image.Path || f.Labels[i] != i%2 {
					t.Errorf("row %d: %d bytes, path %q, label %d", i, len(data), f.Paths[i], f.Labels[i])
				}
				return data
			}
			var buf []byte
			for i := range n { // in order
				buf = check(i, buf)
			}
			for i := range n { // from everywhere
				buf = check(i*97%n, buf)
			}
			var readers sync.WaitGroup
			for k := range 4 { // interleaved
				readers.Go(func() {
					var buf []byte
					for i := k; i < n; i += 4 {
						buf = check(i, buf)
					}
				})
			}
			readers.Wait()
			if _, err := f.Image(n, nil); err == nil {
				t.Error("a row beyond the last: no error")
			}
			if _, err := f.Image(-1, nil); err == nil {
				t.Error("a row before the first: no error")
			}
		})
	}
}

// TestOtherColumns reads images whose columns are called otherwise, and files without them.
func TestOtherColumns(t *testing.T) {
	type cifar struct {
		Img struct {
			Bytes []byte `parquet:"bytes"`
		} `parquet:"img"`
		Fine   int64 `parquet:"fine_label"`
		Coarse int64 `parquet:"coarse_label"`
	}
	var c cifar
	c.Img.Bytes, c.Fine, c.Coarse = []byte("x"), 7, 1
	f, err := Open(write(t, []cifar{c}, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Label != "fine_label" || !slices.Equal(f.Labels, []int{7}) || f.Paths[0] != "" || f.Names != nil {
		t.Errorf("column %q, labels %v, paths %q, names %q", f.Label, f.Labels, f.Paths, f.Names)
	}
	type plain struct {
		Image []byte `parquet:"image"`
		Class int32  `parquet:"class"`
	}
	if g, err := Open(write(t, []plain{{[]byte("y"), 3}}, 1)); err != nil {
		t.Error(err)
	} else if data, err := g.Image(0, nil); err != nil || string(data) != "y" || g.Labels[0] != 3 {
		t.Errorf("image %q, labels %v, error %v", data, g.Labels, err)
	}
	type text struct {
		Text  string `parquet:"text"`
		Label int64  `parquet:"label"`
	}
	type named struct {
		Image []byte `parquet:"image"`
		Label string `parquet:"label"`
	}
	type boxes struct {
		Image []byte  `parquet:"image"`
		Label []int64 `parquet:"label"`
	}
	for _, path := range []string{write(t, []text{{"a", 1}}, 1), write(t, []named{{[]byte("a"), "cat"}}, 1),
		write(t, []boxes{{[]byte("a"), []int64{1, 2}}}, 1)} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "want an image") || !strings.Contains(err.Error(), "columns ") {
			t.Errorf("error %v, want one that lists the columns", err)
		}
	}
}

// TestDamage cuts a file and turns its bytes: errors, never a panic.
func TestDamage(t *testing.T) {
	whole, err := os.ReadFile(write(t, made(60), 20, parquet.Compression(&parquet.Snappy), parquet.PageBufferSize(600)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	try := func(data []byte) (opened bool) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		for i := range min(len(f.Labels), 100) {
			_, _ = f.Image(i, nil) // an error or other bytes, as it falls
		}
		return true
	}
	if !try(whole) {
		t.Error("the whole file is refused")
	}
	for n := 0; n < len(whole); n += 1 + len(whole)/40 {
		if try(whole[:n]) {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
	for i := 0; i < len(whole); i += 1 + len(whole)/400 {
		data := bytes.Clone(whole)
		data[i] ^= 0x41
		try(data)
	}
}
