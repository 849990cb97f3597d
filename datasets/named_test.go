package datasets

import (
	"bytes"
	"fmt"
	"maps"
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

// TestClassRange reads a part of a set's classes, of a set without files and of folders.
func TestClassRange(t *testing.T) {
	folder := t.TempDir()
	for _, class := range []string{"a", "b", "c"} {
		for i := range 3 {
			path := filepath.Join(folder, class, fmt.Sprintf("%d.png", i))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(class+fmt.Sprint(i)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		root     string
		from, to int
	}{{Shapes, 50, 60}, {folder, 1, 3}} {
		all, err := Open(c.root, Options{Ranks: true})
		if err != nil {
			t.Fatal(err)
		}
		some, err := Open(c.root, Options{Ranks: true, Classes: c.to - c.from, ClassRange: [2]int{c.from, c.to}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(some.Classes, all.Classes[c.from:c.to]) {
			t.Errorf("%s: classes %q, want %q", c.root, some.Classes, all.Classes[c.from:c.to])
		}
		at := 0
		for i := range all.Len() {
			label := all.Item(i).Labels[0]
			if label < c.from || label >= c.to {
				continue
			}
			if item := some.Item(at); item.Name != all.Item(i).Name || item.Labels[0] != label-c.from {
				t.Fatalf("%s: item %d is %+v, want %+v with the label %d", c.root, at, item, all.Item(i), label-c.from)
			}
			want, err := all.Read(i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if have, err := some.Read(at, nil); err != nil || !bytes.Equal(have, want) {
				t.Fatalf("%s: item %d has other bytes than %s: %v", c.root, at, all.Item(i).Name, err)
			}
			if at++; at == 30 {
				break
			}
		}
		if at < 6 {
			t.Errorf("%s: %d items of the classes, want 6 at least", c.root, at)
		}
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Ranks: true, ClassRange: [2]int{1, 4}}, "classes 1 to 3, want a range from 0 to 2"},
		{Options{Ranks: true, ClassRange: [2]int{2, 2}}, "want a range"},
		{Options{Ranks: true, Classes: 3, ClassRange: [2]int{0, 2}}, "2 classes of 0 to 1, the network has 3"},
	} {
		if _, err := Open(folder, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.o, err, c.want)
		}
	}
}

// TestDivide holds out a share of each class, of each image once, and none for a share of 0.
func TestDivide(t *testing.T) {
	src, err := Open(Shapes, Options{Split: "val", ClassRange: [2]int{0, 3}})
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0, 0.25} {
		learn, held, _, err := Divide(src, 3, share, 7)
		if err != nil {
			t.Fatal(err)
		}
		seen, byClass := map[string]bool{}, map[int]int{}
		for i := range held.Len() {
			seen[held.Item(i).Name] = true
			byClass[held.Item(i).Labels[0]]++
		}
		for i := range learn.Len() {
			seen[learn.Item(i).Name] = true
		}
		want := map[int]int{0: 5, 1: 5, 2: 5}
		if share == 0 {
			want = map[int]int{}
		}
		if len(seen) != src.Len() || learn.Len()+held.Len() != src.Len() || !maps.Equal(byClass, want) {
			t.Errorf("share %v: %d and %d of %d items, held out by class %v, want %v", share, learn.Len(), held.Len(), src.Len(), byClass, want)
		}
	}
	if _, _, _, err := Divide(src, 2, 0.25, 7); err == nil || !strings.Contains(err.Error(), "label 2, want 0 to 1") {
		t.Errorf("a label too many: %v", err)
	}
	if _, _, _, err := Divide(src, 4, 0.25, 7); err == nil || !strings.Contains(err.Error(), "class 3 has no image") {
		t.Errorf("a class without images: %v", err)
	}
}
