package datasets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/datasets/decode"
	"zoobench/datasets/shapes"
)

// TestOpenShapes reads computed images as the package draws them.
func TestOpenShapes(t *testing.T) {
	for _, test := range []struct {
		word, split string
		images      int
		size        int
		part        shapes.Part
	}{
		{"shapes", "", 5000, 32, shapes.Test},
		{"shapes", "validation", 2000, 32, shapes.Val},
		{"shapes-33", "train", 20000, 33, shapes.Train},
	} {
		f, err := Open(test.word, Options{Split: test.split, Classes: 100})
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != test.images || f.Set != test.word || len(f.Classes) != 100 || f.Split != string(test.part) {
			t.Errorf("%s: %d images, set %q, %d classes, split %q", test.word, f.Len(), f.Set, len(f.Classes), f.Split)
		}
		set := shapes.Default()
		set.Size = test.size
		var buf []byte
		for _, i := range []int{0, 7, test.images - 1} {
			item := f.Item(i)
			if want := shapes.Name(i) + ".bmp"; item.Name != want || item.Labels[0] != i%100 {
				t.Errorf("%s: item %d is %+v", test.word, i, item)
			}
			if buf, err = f.Read(i, buf); err != nil {
				t.Fatal(err)
			}
			m, err := decode.Decode(buf)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m.Pix, set.Image(test.part, i, nil)) {
				t.Errorf("%s: image %d has other pixels than are drawn", test.word, i)
			}
		}
	}
	for _, test := range []struct {
		word string
		o    Options
		want string
	}{
		{"shapes-x", Options{}, "shapes-x: want shapes, or a size behind it as in shapes-64"},
		{"shapes-4", Options{}, "images of 4 pixels, want 8 to 1024"},
		{"shapes", Options{Classes: 1000}, "the set has 100 classes, the network has 1000"},
		{"shapes", Options{Split: "dev2"}, "no split dev2, want one of train, val, test"},
		{"shapes", Options{Labels: "l.txt"}, "the set has its own labels"},
		{"cifar10", Options{Sets: t.TempDir()}, "fetch it with zoobench pull data cifar10"},
	} {
		if _, err := Open(test.word, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, %+v: error %v, want %q", test.word, test.o, err, test.want)
		}
	}
}

// writeCIFAR writes a small set in a form's layout: n records a file, record i of class 3·i and pixels of i, i+1 and i+2.
func writeCIFAR(t *testing.T, folder string, c *cifar, n int) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for i := range c.classes {
		fmt.Fprintf(&names, "class%02d\n", i)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(c.names, []byte(names.String()+"\n"))
	var records []byte
	for i := range n {
		head := []byte{99, byte(3 * i % c.classes)} // the coarse label counts for nothing
		records = append(records, head[2-c.labels:]...)
		for channel := range 3 {
			records = append(records, bytes.Repeat([]byte{byte(i + channel)}, cifarEdge*cifarEdge)...)
		}
	}
	for _, name := range append(slices.Clone(c.train), c.test) {
		write(name, records)
	}
}

func TestOpenCIFAR(t *testing.T) {
	for _, c := range cifars {
		sets := t.TempDir()
		folder := filepath.Join(sets, c.folder)
		writeCIFAR(t, folder, c, 5)
		for _, test := range []struct {
			root, split string
			images      int
		}{{c.set, "", 5}, {folder, "test", 5}, {folder, "train", 5 * len(c.train)}} {
			f, err := Open(test.root, Options{Sets: sets, Split: test.split, Classes: c.classes})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Len() != test.images || f.Set != c.set || len(f.Classes) != c.classes {
				t.Errorf("%s: %d images, set %q, %d classes", test.root, f.Len(), f.Set, len(f.Classes))
			}
			i := test.images - 2 // record 3 of the last file
			if item := f.Item(i); item.Labels[0] != 9 || !strings.HasPrefix(item.Name, "class09/") || !strings.HasSuffix(item.Name, "_00003.bmp") {
				t.Errorf("%s: item %+v", test.root, item)
			}
			data, err := f.Read(i, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := decode.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if want := bytes.Repeat([]byte{3, 4, 5}, 32*32); !bytes.Equal(m.Pix, want) {
				t.Errorf("%s: pixels begin with %v, want 3, 4, 5", test.root, m.Pix[:6])
			}
		}
	}
}

// TestBrokenCIFAR holds damaged files to errors that name the file and what is wrong.
func TestBrokenCIFAR(t *testing.T) {
	c := cifarOf(CIFAR10)
	for _, test := range []struct {
		name   string
		damage func(folder string) error
		split  string
		want   string
	}{
		{"cut off", func(d string) error { return os.Truncate(filepath.Join(d, c.test), 3*c.record()-1) }, "test",
			"test_batch.bin: 9218 bytes, want whole records of 3073"},
		{"empty", func(d string) error { return os.Truncate(filepath.Join(d, c.test), 0) }, "test", "0 bytes, want whole records"},
		{"label", func(d string) error {
			return os.WriteFile(filepath.Join(d, c.test), append(make([]byte, 3073), bytes.Repeat([]byte{10}, 3073)...), 0o666)
		}, "test", "test_batch.bin: record 1: label 10, want less than 10"},
		{"a batch missing", func(d string) error { return os.Remove(filepath.Join(d, c.train[2])) }, "train", "data_batch_3.bin"},
		{"names missing", func(d string) error { return os.WriteFile(filepath.Join(d, c.names), []byte("cat dog"), 0o666) }, "test",
			"batches.meta.txt: 2 names of classes, want 10"},
		{"a name with a slash", func(d string) error {
			return os.WriteFile(filepath.Join(d, c.names), []byte("a b c d e f g h i ../j"), 0o666)
		}, "test", `class name "../j"`},
	} {
		folder := filepath.Join(t.TempDir(), "set")
		writeCIFAR(t, folder, c, 4)
		if err := test.damage(folder); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(folder, Options{Split: test.split}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}
