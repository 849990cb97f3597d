package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// tree writes empty files below a new folder and returns it; a name that ends
// in a slash is a folder.
func tree(t testing.TB, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		dir := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			dir = path
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if dir != path {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// describe lists a source's items as "name label,label".
func describe(src Source) []string {
	list := []string{}
	for i := range src.Len() {
		item := src.Item(i)
		list = append(list, item.Name+" "+strings.Trim(strings.ReplaceAll(fmt.Sprint(item.Labels), " ", ","), "[]"))
	}
	return list
}

// describeBytes is describe with what each item holds.
func describeBytes(t *testing.T, src Source) []string {
	t.Helper()
	list := describe(src)
	for i := range list {
		text, err := src.Read(i, nil)
		if err != nil {
			t.Error(err)
		}
		list[i] += " " + string(text)
	}
	return list
}

func TestImageNet1k(t *testing.T) {
	classes := ImageNet1k()
	if len(classes) != 1000 {
		t.Fatalf("%d classes, want 1000", len(classes))
	}
	for i, c := range classes {
		if c.Index != i || !isWordNetID(c.WordNetID) || c.Name == "" {
			t.Errorf("class %d: %+v", i, c)
		}
		if i > 0 && c.WordNetID <= classes[i-1].WordNetID {
			t.Errorf("class %d: %s stands after %s", i, c.WordNetID, classes[i-1].WordNetID)
		}
	}
	if got, want := classes[207], (Class{207, "n02099601", "golden retriever"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOpenFolder(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   []string
		classes int
		want    []string
		ranked  []string
	}{
		{"WordNet ids, any file order, hidden and other files left out",
			[]string{"n01443537/b.JPEG", "n01443537/a.jpg", "n01440764/x.png", "n01440764/.y.png", "n01440764/notes.txt", ".git/z.png", "README.md"},
			1000, []string{"n01440764/x.png 0", "n01443537/a.jpg 1", "n01443537/b.JPEG 1"}, nil},
		{"indices in the order of the numbers", []string{"10/a.jpg", "9/b.jpg", "100/c.jpg"}, 1000,
			[]string{"9/b.jpg 9", "10/a.jpg 10", "100/c.jpg 100"}, nil},
		{"ranks", []string{"dog/a.jpg", "cat/b.jpg", "emu/"}, 3, []string{"cat/b.jpg 0", "dog/a.jpg 1"}, []string{"cat", "dog", "emu"}},
		{"WordNet ids of a network with other classes", []string{"n01443537/a.jpg", "n01440764/b.jpg"}, 2,
			[]string{"n01440764/b.jpg 0", "n01443537/a.jpg 1"}, []string{"n01440764", "n01443537"}},
		{"folders below a class, in the order of their paths", []string{"a/z.jpg", "a/b/c.jpg", "a/b-c/d.jpg", "a/b/e/f.jpg",
			"a/.hidden/g.jpg"}, 0,
			[]string{"a/z.jpg 0", "a/b/c.jpg 0", "a/b-c/d.jpg 0", "a/b/e/f.jpg 0"}, []string{"a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := OpenFolder(tree(t, tt.files...), Options{Classes: tt.classes})
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !reflect.DeepEqual(f.Classes, tt.ranked) {
				t.Errorf("classes %q, want %q", f.Classes, tt.ranked)
			}
		})
	}
}

func TestOpenFolderErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   []string
		classes int
		want    string
	}{
		{"empty", nil, 0, "no class folders and no images"},
		{"images without folders", []string{"a.jpg", "b.jpg"}, 0, "2 images and no class folders"},
		{"folders without images", []string{"cat/", "dog/notes.txt"}, 0, "no images in 2 class folders"},
		{"index beyond the classes", []string{"5/a.jpg", "1000/b.jpg"}, 1000, "class folder 1000: want a class index from 0 to 999"},
		{"index twice", []string{"5/a.jpg", "05/b.jpg"}, 1000, "the same class"},
		{"WordNet ids with a stranger", []string{"n01440764/a.jpg", "n99999999/b.jpg"}, 1000,
			"1 of 2 class folders are not WordNet ids of ImageNet-1k: n99999999"},
		{"two folders for 1,000 classes", []string{"cat/a.jpg", "dog/b.jpg"}, 1000, "2 class folders, named neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := OpenFolder(tree(t, tt.files...), Options{Classes: tt.classes})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "datasets:") != 1 {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent"), Options{}); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent folder: error %v", err)
	}
	if _, err := Open("datasets.go", Options{}); err == nil || !strings.Contains(err.Error(), "want a folder") {
		t.Errorf("a file: error %v", err)
	}
	loop := tree(t, "a/b.jpg")
	if err := os.Symlink("..", filepath.Join(loop, "a", "up")); err != nil {
		t.Skip(err)
	}
	if _, err := Open(loop, Options{}); err == nil || !strings.Contains(err.Error(), "leads back") {
		t.Errorf("a link that leads back: error %v", err)
	}
}

func TestOpenFlat(t *testing.T) {
	root := tree(t, "b.jpg", "a.jpg", "c.png", "notes.txt", "sub/d.jpg", "with space.jpg")
	for _, tt := range []struct {
		name, labels string
		want         []string
		warnings     int
	}{
		{"named, in the list's order", "# made\nc.png 7\n\na.jpg 0\nb.jpg 999\nwith space.jpg 3\nsub/d.jpg 4\n",
			[]string{"c.png 7", "a.jpg 0", "b.jpg 999", "with space.jpg 3", "sub/d.jpg 4"}, 0},
		{"tabs, carriage returns, WordNet ids", "a.jpg\tn01443537\r\nb.jpg\t2\r\nc.png\t3\r\nwith space.jpg 1",
			[]string{"a.jpg 1", "b.jpg 2", "c.png 3", "with space.jpg 1"}, 0},
		{"several right answers", "a.jpg 1,5,1\n", []string{"a.jpg 1,5"}, 1},
		{"a list without names", "4\n3\n2\n1\n", []string{"a.jpg 4", "b.jpg 3", "c.png 2", "with space.jpg 1"}, 0},
		{"missing and unlisted", "a.jpg 1\nz.jpg 2\n../a.jpg 3\n", []string{"a.jpg 1"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(root, Options{Labels: write(t, tt.labels), Classes: 1000})
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(f.Warnings) != tt.warnings {
				t.Errorf("warnings %q, want %d", f.Warnings, tt.warnings)
			}
		})
	}
}

func TestOpenFlatErrors(t *testing.T) {
	root := tree(t, "a.jpg", "b.jpg")
	for _, tt := range []struct {
		name, labels string
		classes      int
		want         string
	}{
		{"beyond the classes", "a.jpg 0\nb.jpg 1000\n", 1000, "labels.txt:2: b.jpg: label 1000, want 0 to 999"},
		{"negative", "a.jpg -1\n", 0, "label -1, want at least 0"},
		{"no number", "a.jpg cat\n", 1000, `label "cat": want`},
		{"WordNet id for other classes", "a.jpg n01440764\n", 10, "want an index from 0 to 9"},
		{"empty", "\n# nothing\n", 1000, "no labels"},
		{"another length", "1\n2\n3\n", 1000, "3 labels for the 2 images"},
		{"two forms", "a.jpg 1\n2\n", 1000, "labels.txt:2"},
		{"named twice", "a.jpg 1\na.jpg 2\n", 1000, "a.jpg is on line 1 already"},
		{"none present", "x.jpg 1\n", 1000, "no image has a label in"},
		{"development kit", "1\n1000\n", 0, "development kit"},
		{"binary", strings.Repeat("\x00", 1<<17), 1000, "not a label file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(root, Options{Labels: write(t, tt.labels), Classes: tt.classes})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "datasets:") != 1 {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := Open(root, Options{Labels: "absent.txt"}); err == nil || !strings.Contains(err.Error(), "absent.txt") {
		t.Errorf("absent label file: error %v", err)
	}
}

// TestSetNeedsItsOwnLabels labels validation images by files.
func TestSetNeedsItsOwnLabels(t *testing.T) {
	root := tree(t, "ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000003.JPEG")
	for _, tt := range []struct{ file, text, want string }{
		{"own.txt", "65\n230\n", Validation},
		{"other.txt", "65\n231\n", ""},
		{"several.txt", "65\n230,231\n", ""},
		{"real.json", "[[65],[],[230]" + strings.Repeat(",[]", valImages-3) + "]", ""},
	} {
		file := filepath.Join(t.TempDir(), tt.file)
		if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(root, Options{Classes: 1000, Labels: file})
		if err != nil {
			t.Fatal(err)
		}
		if f.Set != tt.want {
			t.Errorf("%s: set %q, want %q", tt.file, f.Set, tt.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	root := tree(t, "cat/a.jpg", "cat/b.jpg", "cat/c.jpg/")
	f, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "cat", "a.jpg")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(0, nil); err == nil || !strings.Contains(err.Error(), "no such file") || strings.Contains(err.Error(), root) {
		t.Errorf("removed file: error %v", err)
	}
	path := filepath.Join(root, "cat", "b.jpg")
	if err := os.Truncate(path, maxFileBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(1, nil); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("huge file: error %v", err)
	}
}

func TestSample(t *testing.T) {
	var lines, folders []string
	for class := range 7 {
		for i := range 5 + class {
			folders = append(folders, fmt.Sprintf("%d/p%d_%d.jpg", class, class, i))
			lines = append(lines, fmt.Sprintf("p%d_%d.jpg %d", class, i, class))
		}
	}
	tall, err := Open(tree(t, folders...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, line := range lines {
		names = append(names, strings.Fields(line)[0])
	}
	flat, err := Open(tree(t, names...), Options{Labels: write(t, strings.Join(lines, "\n"))})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 6, 7, 8, 20, 35, 40} {
		s := Sample(tall, n, 42)
		if s.Len() != n {
			t.Fatalf("%d items, want %d", s.Len(), n)
		}
		per := map[int]int{}
		in := map[string]bool{}
		for i := range n {
			per[s.Item(i).Labels[0]]++
			in[filepath.Base(s.Item(i).Name)] = true
		}
		for class, count := range per {
			if n <= 35 && (count < n/7 || count > n/7+1) {
				t.Errorf("n=%d: class %d has %d items, want %d or one more", n, class, count, n/7)
			}
		}
		other := Sample(flat, n, 42)
		for i := range n {
			if !in[other.Item(i).Name] {
				t.Errorf("n=%d: %s is in the flat sample alone", n, other.Item(i).Name)
			}
		}
		if reflect.DeepEqual(describe(s), describe(Sample(tall, n, 43))) && n < 35 {
			t.Errorf("n=%d: seeds 42 and 43 draw the same", n)
		}
	}
	if got := Sample(tall, 0, 1); got != Source(tall) {
		t.Error("a sample of 0 is not the whole source")
	}
	if got := First(tall, 3); got.Len() != 3 || got.Item(2).Name != tall.Item(2).Name {
		t.Errorf("first 3: %q", describe(got))
	}
	// As Python's hashlib gives it: a sample is the same everywhere and for good.
	want := []string{"2/p2_2.jpg 2", "3/p3_5.jpg 3", "5/p5_5.jpg 5"}
	if got := describe(Sample(tall, 3, 1)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSampleOfRepeatedNames draws where all classes' images have the same names.
func TestSampleOfRepeatedNames(t *testing.T) {
	var names []string
	for class := range 100 {
		for i := range 10 {
			names = append(names, fmt.Sprintf("%d/%04d.jpg", class, i))
		}
	}
	f, err := Open(tree(t, names...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[int]bool{}
	for seed := range uint64(20) {
		s, small := Sample(f, 20, seed), Sample(f, 10, seed)
		classes := map[int]bool{}
		for i := range s.Len() {
			classes[s.Item(i).Labels[0]] = true
			drawn[s.Item(i).Labels[0]] = true
		}
		if len(classes) != 20 {
			t.Errorf("seed %d: %d classes, want 20", seed, len(classes))
		}
		for i := range small.Len() {
			if !classes[small.Item(i).Labels[0]] {
				t.Errorf("seed %d: %s is in the smaller sample alone", seed, small.Item(i).Name)
			}
		}
	}
	// A class is missed by all 20 draws with a chance of 0.8 to the 20th, 1.2%.
	if len(drawn) < 90 {
		t.Errorf("20 seeds draw %d of 100 classes, want nearly all", len(drawn))
	}
}

func FuzzLabels(f *testing.F) {
	for _, text := range []string{"a.jpg 1\nb.jpg 2\n", "1\n2\n", "a.jpg n01440764,3\n", "# x\n\n", "a.jpg 1\n2", "\xff\xfe\x00"} {
		f.Add(text)
	}
	root := tree(f, "a.jpg", "b.jpg")
	file := filepath.Join(f.TempDir(), "labels.txt")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files, err := openFlat(root, Options{Labels: file, Classes: 1000})
		if err != nil {
			return
		}
		if files.Len() < 1 || files.Len() > 2 {
			t.Fatalf("%d items", files.Len())
		}
		for i := range files.Len() {
			for _, label := range files.Item(i).Labels {
				if label < 0 || label >= 1000 {
					t.Fatalf("label %d", label)
				}
			}
		}
	})
}

// within fails the test where fn has not returned in time.
func within(t *testing.T, limit time.Duration, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("not done after %v", limit)
	}
}
