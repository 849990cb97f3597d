package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/datasets"
	"zoobench/datasets/shapes"
)

// TestDataMake writes a small set and reads it as any folder of images: classes, labels and pixels are those of the set that is
// opened by name.
func TestDataMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	code, stdout, stderr := invoke(t, "data", "make", "shapes", dir, "--train", "110", "--val", "0", "--test", "1", "--format", "json")
	if code != 0 {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	var rows []madeRow
	for line := range strings.Lines(stdout) {
		var row madeRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if len(rows) != 2 || rows[0] != (madeRow{"train", 110, 32, 1, filepath.Join(dir, "train")}) {
		t.Errorf("rows %+v", rows)
	}
	f, err := datasets.Open(dir, datasets.Options{Split: "train"})
	if err != nil {
		t.Fatal(err)
	}
	named, err := datasets.Open("shapes", datasets.Options{Split: "train"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 110 || !slices.Equal(f.Classes, named.Classes) {
		t.Errorf("%d images, classes %v", f.Len(), f.Classes)
	}
	data, err := f.Read(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want := shapes.Default().Image(shapes.Train, 0, nil) // the first class's first image is the part's
	r, g, b, _ := m.At(0, 0).RGBA()
	have := [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}
	if f.Item(0).Name != shapes.Name(0)+".png" || m.Bounds().Dx() != 32 || have != [3]byte(want[:3]) {
		t.Errorf("%s: pixel %v, want %v", f.Item(0).Name, have, want[:3])
	}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"not empty; name a new folder", []string{"shapes", dir}},
		{`have "clouds", want shapes`, []string{"clouds", dir}},
		{"have 1 argument, want: zoobench data make shapes DIR", []string{"shapes"}},
		{"images of 4 pixels, want 8 to 1024", []string{"shapes", dir + "2", "--size", "4"}},
		{"--val -1: want 0 to", []string{"shapes", dir + "2", "--val", "-1"}},
		{"--nuisance fog: want a name and a whole number", []string{"shapes", dir + "2", "--nuisance", "fog"}},
		{`nuisance "fog", want least-width`, []string{"shapes", dir + "2", "--nuisance", "fog=1"}},
		{"noise 900, want 0 to 128", []string{"shapes", dir + "2", "--nuisance", "noise=900"}},
	} {
		code, _, stderr := invoke(t, append([]string{"data", "make"}, test.args...)...)
		if code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q; want 1 and %q", test.args, code, stderr, test.want)
		}
	}
	if _, err := os.Stat(dir + "2"); err == nil {
		t.Error("a refused command has made a folder")
	}
}

// TestUnpack unpacks the files of one folder, and nothing that leads out of it; what is damaged leaves no folder.
func TestUnpack(t *testing.T) {
	pack := func(names ...string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, name := range names {
			if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 3}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("abc")); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	whole := pack("set/a.bin", "set/b.txt", "../set/c", "set/../../d", "set/deep/e", "other/f", "/set/g")
	for _, test := range []struct {
		name string
		data []byte
		want string // the error
	}{
		{"whole", whole, ""},
		{"cut off", whole[:len(whole)/2], "unexpected EOF"},
		{"no gzip", []byte("no archive"), "gzip: invalid header"},
		{"another folder", pack("other/f"), "no files in a folder set"},
	} {
		dir := t.TempDir()
		archive := filepath.Join(dir, "a.tar.gz")
		if err := os.WriteFile(archive, test.data, 0o666); err != nil {
			t.Fatal(err)
		}
		err := unpack(archive, dir, "set")
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		var have []string
		err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				path, err = filepath.Rel(dir, path)
				have = append(have, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"a.tar.gz"}
		if test.want == "" {
			want = append(want, "set/a.bin", "set/b.txt")
		}
		if !slices.Equal(have, want) {
			t.Errorf("%s: files %q, want %q", test.name, have, want)
		}
	}
}
