package datasets

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"zoobench/datasets/preprocess"
	"zoobench/internal/testenv"
)

// An entry is a file to be archived.
type entry struct{ name, text string }

func tarBytes(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text))}
		if strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archive writes a tar archive and returns its path.
func archive(t testing.TB, entries ...entry) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "set.tar")
	if err := os.WriteFile(file, tarBytes(t, entries...), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOpenTar(t *testing.T) {
	for _, tt := range []struct {
		name    string
		entries []entry
		labels  string
		classes int
		want    []string
	}{
		{"validation set, labels built in", []entry{{"ILSVRC2012_val_00000002.JPEG", "b"}, {"ILSVRC2012_val_00000001.JPEG", "a"}}, "", 1000,
			[]string{"ILSVRC2012_val_00000002.JPEG 970", "ILSVRC2012_val_00000001.JPEG 65"}},
		{"ImageNetV2: numbers below one folder", []entry{{"v2-format-val/", ""}, {"v2-format-val/10/x.jpeg", "x"},
			{"v2-format-val/9/y.jpeg", "y"}, {"v2-format-val/9/._y.jpeg", "-"}}, "", 1000,
			[]string{"9/y.jpeg 9", "10/x.jpeg 10"}},
		{"a single class", []entry{{"set/7/x.jpeg", "x"}, {"set/7/y.jpeg", "y"}}, "", 1000, []string{"7/x.jpeg 7", "7/y.jpeg 7"}},
		{"a single class, nothing above", []entry{{"7/x.jpeg", "x"}}, "", 1000, []string{"7/x.jpeg 7"}},
		{"WordNet ids", []entry{{"./n01443537/x.jpeg", "x"}, {"./n01440764/y.jpeg", "y"}}, "", 1000,
			[]string{"n01440764/y.jpeg 0", "n01443537/x.jpeg 1"}},
		{"absolute names", []entry{{"/cat/1.jpg", "a"}, {"/dog/2.jpg", "b"}}, "", 2, []string{"cat/1.jpg 0", "dog/2.jpg 1"}},
		{"a single class, absolute", []entry{{"/7/x.jpg", "x"}}, "", 1000, []string{"7/x.jpg 7"}},
		{"names that lead out", []entry{{"../8/x.jpg", "x"}, {"7/../../9/y.jpg", "y"}}, "", 1000, []string{"8/x.jpg 8", "9/y.jpg 9"}},
		{"a name twice, the last one counts", []entry{{"5/a.jpg", "old"}, {"6/b.jpg", "b"}, {"./5/a.jpg", "new"}}, "", 1000,
			[]string{"5/a.jpg 5", "6/b.jpg 6"}},
		{"a pair twice", []entry{{"1.jpg", "a"}, {"1.cls", "5"}, {"1.jpg", "b"}, {"1.cls", "6"}}, "", 1000, []string{"1.jpg 6"}},
		{"hidden folders", []entry{{"cat/a.jpg", "a"}, {"dog/b.jpg", "b"}, {".cache/c.jpg", "c"}, {"dog/.old/d.jpg", "d"}}, "", 2,
			[]string{"cat/a.jpg 0", "dog/b.jpg 1"}},
		{"label file", []entry{{"val/b.jpg", "b"}, {"val/a.jpg", "a"}}, "a.jpg 5\nb.jpg 3\n", 1000, []string{"a.jpg 5", "b.jpg 3"}},
		{"label file without names", []entry{{"val/b.jpg", "b"}, {"val/a.jpg", "a"}}, "5\n3\n", 1000, []string{"a.jpg 5", "b.jpg 3"}},
		{"pairs", []entry{{"s/0001.cls", "12\n"}, {"s/0001.jpg", "a"}, {"s/0002.jpg", "b"}, {"s/0002.json", `{"filename":"q","label":7}`},
			{"s/0003.x.png", "c"}, {"s/0003.cls", "n01443537"}}, "", 1000,
			[]string{"s/0001.jpg 12", "s/0002.jpg 7", "s/0003.x.png 1"}},
		{"pairs: cls before json, several labels", []entry{{"1.jpg", "a"}, {"1.json", `{"label":7}`}, {"1.cls", "8"}, {"2.jpg", "b"},
			{"2.json", `{"cls": [3, 4]}`}}, "", 10,
			[]string{"1.jpg 8", "2.jpg 3,4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Classes: tt.classes, Index: t.TempDir()}
			if tt.labels != "" {
				o.Labels = write(t, tt.labels)
			}
			file := archive(t, tt.entries...)
			texts := map[string]string{}
			for _, e := range tt.entries {
				texts[filepath.Base(e.name)] = e.text
			}
			for _, pass := range []string{"scanned", "from the index"} {
				f, err := Open(file, o)
				if err != nil {
					t.Fatalf("%s: %v", pass, err)
				}
				if got := describe(f); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s: got %q, want %q", pass, got, tt.want)
				}
				for i := range f.Len() {
					data, err := f.Read(i, nil)
					if want := texts[filepath.Base(f.Item(i).Name)]; err != nil || string(data) != want {
						t.Errorf("%s: %s: got %q, error %v, want %q", pass, f.Item(i).Name, data, err, want)
					}
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
			if found, _ := filepath.Glob(filepath.Join(o.Index, "set.tar.*.index")); len(found) != 1 {
				t.Errorf("indices: %q, want one", found)
			}
		})
	}
}

func TestOpenTarErrors(t *testing.T) {
	good := tarBytes(t, entry{"5/a.jpg", strings.Repeat("a", 2000)})
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"gzip", "uncompress it with gunzip", append([]byte{0x1f, 0x8b, 8}, make([]byte, 1000)...)},
		{"text", "neither a tar archive nor a folder", []byte("hello")},
		{"empty", "neither a tar archive nor a folder", nil},
		{"cut short", "the archive ends at 1500", good[:1500]},
		{"no images", "no images among 1 members", tarBytes(t, entry{"a.txt", "x"})},
		{"archives", "no images, but 2 archives in it", tarBytes(t, entry{"n01440764.tar", "x"}, entry{"n01443537.tar", "y"})},
		{"loose images", "images without class folders (a.jpg, for example)", tarBytes(t, entry{"a.jpg", "x"})},
		{"pair without a label", "2.jpg: no label beside it", tarBytes(t, entry{"1.jpg", "x"}, entry{"1.cls", "1"}, entry{"2.jpg", "x"})},
		{"pair of two images", "images of one sample", tarBytes(t, entry{"1.jpg", "x"}, entry{"1.cls", "1"}, entry{"1.png", "x"})},
		{"label beyond the classes", "1.cls: label 1000, want 0 to 999", tarBytes(t, entry{"1.jpg", "x"}, entry{"1.cls", "1000"})},
		{"json without a label", "no key label, cls or class", tarBytes(t, entry{"1.jpg", "x"}, entry{"1.json", "{}"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.tar")
			if err := os.WriteFile(file, tt.data, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Open(file, Options{Classes: 1000})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "datasets:") != 1 {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestIndexIsOfThisArchive changes an archive after its index was written.
func TestIndexIsOfThisArchive(t *testing.T) {
	o := Options{Classes: 1000, Index: t.TempDir()}
	file := archive(t, entry{"5/a.jpg", "a"})
	if f, err := Open(file, o); err != nil {
		t.Fatal(err)
	} else {
		f.Close()
	}
	if err := os.WriteFile(file, tarBytes(t, entry{"6/b.jpg", "b"}, entry{"7/c.jpg", "c"}), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(file, o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := describe(f), []string{"6/b.jpg 6", "7/c.jpg 7"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// Cut under the open source, as by somebody who writes it anew.
	if err := os.Truncate(file, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(0, nil); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("cut archive: error %v", err)
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		data := tarBytes(t, entry{"1.jpg", fmt.Sprint(i)}, entry{"1.cls", fmt.Sprint(10 + i)})
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("val-%03d.tar", i)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{"val-000/1.jpg 10", "val-001/1.jpg 11", "val-002/1.jpg 12"}
	for _, tt := range []struct {
		name, root string
		want       []string
	}{
		{"folder", dir, all},
		{"range", filepath.Join(dir, "val-{000..002}.tar"), all},
		{"part of the range", filepath.Join(dir, "val-{001..002}.tar"), all[1:]},
		{"range of one", filepath.Join(dir, "val-{002..002}.tar"), []string{"1.jpg 12"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(tt.root, Options{Classes: 1000})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := describe(f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	labels := write(t, "val-001/1.jpg 5\nval-000/1.jpg 6\n")
	f, err := Open(filepath.Join(dir, "val-{000..001}.tar"), Options{Classes: 1000, Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := describe(f), []string{"val-001/1.jpg 5", "val-000/1.jpg 6"}; !reflect.DeepEqual(got, want) {
		t.Errorf("label file: got %q, want %q", got, want)
	}
	for i, want := range []string{"1", "0"} {
		if text, err := f.Read(i, nil); err != nil || string(text) != want {
			t.Errorf("label file: %s: got %q, error %v, want %q", f.Item(i).Name, text, err, want)
		}
	}
	for _, bad := range []string{"val-{000..003}.tar", "val-{5..1}.tar", "val-{0..999999999}.tar"} {
		if _, err := Open(filepath.Join(dir, bad), Options{}); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// TestImageNetV2 opens the folder into which an archive was fetched.
func TestImageNetV2(t *testing.T) {
	dir := t.TempDir()
	data := tarBytes(t, entry{"imagenetv2-matched-frequency-format-val/0/a.jpeg", "a"},
		entry{"imagenetv2-matched-frequency-format-val/999/b.jpeg", "b"})
	if err := os.WriteFile(filepath.Join(dir, "imagenetv2-matched-frequency.tar"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".imagenetv2-matched-frequency.tar.pin"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(dir, Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := describe(f), []string{"0/a.jpeg 0", "999/b.jpeg 999"}; !reflect.DeepEqual(got, want) || f.Set != ImageNetV2 {
		t.Errorf("got %q of set %q, want %q of %q", got, f.Set, want, ImageNetV2)
	}
}

// TestSameSampleFromTar draws from an archive and from its folder.
func TestSameSampleFromTar(t *testing.T) {
	var names []string
	var entries []entry
	for i := range 60 {
		name := fmt.Sprintf("%d/p%d.jpg", i%6, i)
		names, entries = append(names, name), append(entries, entry{"top/" + name, ""})
	}
	folder, err := Open(tree(t, names...), Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := Open(archive(t, entries...), Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	if got, want := describe(Sample(packed, 13, 7)), describe(Sample(folder, 13, 7)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestValidationLabels holds the built-in labels against the list they come from.
func TestValidationLabels(t *testing.T) {
	per := map[int]int{}
	for n := 1; n <= valImages; n++ {
		class, ok := validationLabel(fmt.Sprintf("val/ILSVRC2012_val_%08d.JPEG", n))
		if !ok || class < 0 || class >= 1000 {
			t.Fatalf("image %d: class %d, %t", n, class, ok)
		}
		per[class]++
	}
	for class := range 1000 {
		if per[class] != 50 {
			t.Errorf("class %d: %d images, want 50", class, per[class])
		}
	}
	for _, name := range []string{"ILSVRC2012_val_00000000.JPEG", "ILSVRC2012_val_00050001.JPEG", "ILSVRC2012_val_1.JPEG",
		"ILSVRC2012_test_00000001.JPEG", "ILSVRC2012_val_+0000001.JPEG"} {
		if class, ok := validationLabel(name); ok {
			t.Errorf("%s: class %d, want none", name, class)
		}
	}
	list, err := os.Open(testenv.Real(t, "ILSVRC2012_val_labels.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	n := 0
	for lines.Scan() {
		n++
		var name string
		var want int
		if _, err := fmt.Sscan(lines.Text(), &name, &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := validationLabel(name); !ok || got != want {
			t.Fatalf("%s: got %d, %t, want %d", name, got, ok, want)
		}
	}
	if n != valImages {
		t.Errorf("%d labels in the list, want %d", n, valImages)
	}
}

func TestValidationFolder(t *testing.T) {
	root := tree(t, "ILSVRC2012_val_00000003.JPEG", "ILSVRC2012_val_00000001.JPEG")
	f, err := Open(root, Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := describe(f),
		[]string{"ILSVRC2012_val_00000001.JPEG 65", "ILSVRC2012_val_00000003.JPEG 230"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if f.Set != Validation {
		t.Errorf("set %q, want %q", f.Set, Validation)
	}
	if _, err := Open(root, Options{Classes: 10}); err == nil {
		t.Error("ImageNet's labels for a network of 10 classes: no error")
	}

	labels := make([][]int, valImages)
	labels[0], labels[2] = []int{5, 65}, []int{}
	text, err := json.Marshal(labels)
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(t.TempDir(), "real.json")
	if err := os.WriteFile(real, text, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err = Open(root, Options{Classes: 1000, Labels: real})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := describe(f),
		[]string{"ILSVRC2012_val_00000001.JPEG 5,65", "ILSVRC2012_val_00000003.JPEG "}; !reflect.DeepEqual(got, want) {
		t.Errorf("ImageNet-ReaL: got %q, want %q", got, want)
	}
	if f.Set != "" {
		t.Errorf("ImageNet-ReaL: set %q, want none", f.Set)
	}
	if _, err := Open(tree(t, "a.jpg"), Options{Labels: real}); err == nil ||
		!strings.Contains(err.Error(), "1 of 1 images are not: a.jpg") {
		t.Errorf("ImageNet-ReaL for other images: error %v", err)
	}

	var names, lines []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i+1))
		lines = append(lines, fmt.Sprintf("%s %d", names[i], 3*i))
	}
	_, err = Open(tree(t, names...), Options{Classes: 1000, Labels: write(t, strings.Join(lines, "\n"))})
	if err == nil || !strings.Contains(err.Error(), "numbers the classes in another way") {
		t.Errorf("another numbering: error %v", err)
	}
}

func TestClassNames(t *testing.T) {
	f, err := OpenFolder(tree(t, "Golden Retriever/a.jpg", "goldfish/b.jpg", "great_white_shark/c.jpg"), Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := describe(f),
		[]string{"goldfish/b.jpg 1", "great_white_shark/c.jpg 2", "Golden Retriever/a.jpg 207"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = OpenFolder(tree(t, "golden retriever/a.jpg", "goldfish/b.jpg", "crane/c.jpg"), Options{Classes: 1000})
	if err == nil || !strings.Contains(err.Error(), "1 of 3 class folders name no class of ImageNet-1k, or two classes: crane") {
		t.Errorf("two classes are called crane: error %v", err)
	}
}

func TestCheck(t *testing.T) {
	picture := func(v uint8) string {
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		m.SetGray(1, 1, color.Gray{v})
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	file := archive(t, entry{"0/a.png", picture(1)}, entry{"0/b.png", picture(2)}, entry{"1/c.png", picture(1)},
		entry{"1/d.png", "no picture"}, entry{"1/e.png", ""})
	f, err := Open(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	last := 0
	r, err := Check(t.Context(), f, func(done, total int) { last = done })
	if err != nil {
		t.Fatal(err)
	}
	if r.Items != 5 || last != 5 || r.Classes != 2 || r.FewestOf != 2 || r.MostOf != 3 || r.Formats["png"] != 3 || len(r.Unreadable) != 2 {
		t.Errorf("got %+v after %d steps", r, last)
	}
	if want := [][]string{{"0/a.png", "1/c.png"}}; !reflect.DeepEqual(r.Duplicates, want) {
		t.Errorf("duplicates: got %q, want %q", r.Duplicates, want)
	}
	l, err := NewLoader(f, preprocess.Recipe{Size: 8}, LoadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if r.Hash != l.Hash() {
		t.Errorf("hash: got %s, want the loader's %s", r.Hash, l.Hash())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, f, nil); err == nil {
		t.Error("stopped: no error")
	}
}

func FuzzTar(f *testing.F) {
	f.Add(tarBytes(f, entry{"v/5/a.jpg", "a"}, entry{"v/6/b.jpg", "b"}))
	f.Add(tarBytes(f, entry{"/5/a.jpg", "a"}, entry{"/6/b.jpg", "b"}))
	f.Add(tarBytes(f, entry{"1.jpg", "x"}, entry{"1.cls", "1"}))
	f.Add(tarBytes(f, entry{"1.jpg", "x"}, entry{"1.json", `{"label":[1,2]}`}))
	f.Add(tarBytes(f, entry{strings.Repeat("long/", 60) + "1.jpg", "x"}))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(dir, "x.tar")
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		files, err := Open(file, Options{Classes: 1000})
		if err != nil {
			return
		}
		defer files.Close()
		if files.Len() > len(data)/512 {
			t.Fatalf("%d items in %d bytes", files.Len(), len(data))
		}
		for i := range files.Len() {
			for _, label := range files.Item(i).Labels {
				if label < 0 || label >= 1000 {
					t.Fatalf("label %d", label)
				}
			}
			if _, err := files.Read(i, nil); err != nil {
				t.Fatalf("%s: %v", files.Item(i).Name, err)
			}
		}
	})
}

func FuzzTarIndex(f *testing.F) {
	head := "zoobench tar index 2\t100000\t7\n"
	f.Add([]byte(head + "512\t10\ta/b.jpg\n"))
	f.Add([]byte(head + "-1\t10\ta\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := parseIndex(text, head, 100_000)
		if err != nil {
			return
		}
		for _, m := range members {
			if m.offset < 0 || m.size < 0 || m.offset+m.size > 100_000 {
				t.Fatalf("member %+v", m)
			}
		}
	})
}
