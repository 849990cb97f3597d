package datasets

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// classFolders are files of one image for each class, named by WordNet ids.
func classFolders(classes []int) []string {
	all := ImageNet1k()
	var files []string
	for _, c := range classes {
		files = append(files, all[c].WordNetID+"/a.jpg")
	}
	return files
}

func TestPublishedAnswers(t *testing.T) {
	ids := ImageNet1k()
	for _, tt := range []struct {
		set         string
		classes     int
		first, last string // WordNet ids, as the sets' own lists have them
	}{
		{ImageNetA, 200, "n01498041", "n12267677"},
		{ImageNetR, 200, "n01443537", "n12267677"},
		{ObjectNet, 125, "n02708093", "n15075141"},
	} {
		classes, folders := answersOf(tt.set)
		if len(classes) != tt.classes {
			t.Errorf("%s: %d classes, want %d", tt.set, len(classes), tt.classes)
			continue
		}
		first, last := ids[classes[0]].WordNetID, ids[classes[len(classes)-1]].WordNetID
		if first != tt.first || last != tt.last {
			t.Errorf("%s: classes %s to %s, want %s to %s", tt.set, first, last, tt.first, tt.last)
		}
		if tt.set == ObjectNet && len(folders) != 113 {
			t.Errorf("%d folders of ObjectNet, want 113", len(folders))
		}
	}
	_, folders := answersOf(ObjectNet)
	if got := folders["alarm_clock"]; !slices.Equal(got, []int{409, 530}) {
		t.Errorf("alarm_clock is %v, want analog clock and digital clock", got)
	}
}

func TestAnswers(t *testing.T) {
	a, _ := answersOf(ImageNetA)
	three := classFolders([]int{0, 6, 207})
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "mine.txt")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		name     string
		files    []string
		classes  int
		answers  string
		want     string // the space, or a part of the error after "!"
		images   int
		warnings string
	}{
		{"a part of the classes", three, 1000, "", "3 of 1000 classes, SHA-256 1d002c9d", 3, "3 classes of the folders"},
		{"all in spite of that", three, 1000, AllAnswers, "", 3, ""},
		{"own by order", three, 1000, OwnAnswers, "3 of 1000 classes, SHA-256 1d002c9d", 3, ""},
		{"ImageNet-A by its classes", classFolders(a), 1000, "", "imagenet-a, 200 of 1000 classes", 200, ""},
		{"a published set's", three, 1000, ImageNetA, "imagenet-a, 200 of 1000 classes", 2, "1 of 3 images are left out"},
		{"a file of ids and indices", three, 1000, file("\ufeffn01440764 # tench\r\n\n 207\r\n"),
			"mine.txt, 2 of 1000 classes, SHA-256 f69f7e55", 2, "1 of 3 images are left out"},
		{"one class", classFolders([]int{5}), 1000, "", "", 1, ""},
		{"one class by order", classFolders([]int{5}), 1000, OwnAnswers, "!every answer would be right", 0, ""},
		{"another network's classes", []string{"0/a.jpg", "2/b.jpg"}, 10, "", "2 of 10 classes, SHA-256 822d0251", 2, "network's 10"},
		{"another network's, a published set", []string{"0/a.jpg", "2/b.jpg"}, 10, ImageNetR, "!the network has 10", 0, ""},
		{"ranks are all classes", []string{"cat/a.jpg", "dog/b.jpg"}, 2, "", "", 2, ""},
		{"classes of no network", three, 0, "", "", 3, ""},
		{"a class that is none", three, 1000, file("0\nfish\n"), "!mine.txt:2: label \"fish\": want a class index or a WordNet id", 0, ""},
		{"a class beyond the network's", three, 1000, file("1000\n"), "!mine.txt:1: label 1000, want 0 to 999", 0, ""},
		{"a class twice", three, 1000, file("n01440764\n0\n"), "!mine.txt:2: class 0 is given twice", 0, ""},
		{"an empty file", three, 1000, file("# nothing\n"), "!0 classes, want at least 2", 0, ""},
		{"no such file", three, 1000, "nowhere.txt", "!want a file, all, own or one of imagenet-a, imagenet-r, objectnet", 0, ""},
		{"no image left", three, 1000, file("1\n2\n"), "!no image has a class among the answers", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(tree(t, tt.files...), Options{Classes: tt.classes, Answers: tt.answers})
			if want, fails := strings.CutPrefix(tt.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one with %q", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Answers.String(); got != tt.want {
				t.Errorf("answers %q, want %q", got, tt.want)
			}
			if f.Len() != tt.images {
				t.Errorf("%d images, want %d", f.Len(), tt.images)
			}
			if got := strings.Join(f.Warnings, "; "); !strings.Contains(got, tt.warnings) || tt.warnings == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, tt.warnings)
			}
		})
	}
}

// Images of the validation set that lie in one folder are a sample of all its classes; in class folders they have those.
func TestAnswersOfASample(t *testing.T) {
	names := []string{"ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG"}
	var flat, folders []string
	for _, name := range names {
		label, ok := validationLabel(name)
		if !ok {
			t.Fatal("no label")
		}
		flat, folders = append(flat, name), append(folders, ImageNet1k()[label].WordNetID+"/"+name)
	}
	for _, tt := range []struct {
		files   []string
		classes int
	}{{flat, 0}, {folders, 2}} {
		f, err := Open(tree(t, tt.files...), Options{Classes: 1000})
		if err != nil || f.Set != Validation || len(f.Answers.Classes) != tt.classes {
			t.Errorf("%s: set %q, answers %v, error %v, want the validation set and %d classes", tt.files[0], f.Set, f.Answers, err, tt.classes)
		}
	}
}

// A set whose folder has its name has the set's classes even if some folders are missing.
func TestPublishedSetByName(t *testing.T) {
	dir := tree(t, "imagenet-r/"+classFolders([]int{1})[0], "imagenet-r/"+classFolders([]int{988})[0],
		"Imagenet-Sketch/"+classFolders([]int{7})[0], "Imagenet-Sketch/"+classFolders([]int{8})[0])
	for _, tt := range []struct{ folder, set, answers string }{
		{"imagenet-r", ImageNetR, "imagenet-r, 200 of 1000 classes"},
		{"Imagenet-Sketch", ImageNetSketch, ""},
	} {
		f, err := Open(filepath.Join(dir, tt.folder), Options{Classes: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if f.Set != tt.set || f.Answers.String() != tt.answers {
			t.Errorf("%s: set %q, answers %q, want %q and %q", tt.folder, f.Set, f.Answers, tt.set, tt.answers)
		}
	}
}

func TestObjectNet(t *testing.T) {
	_, folders := answersOf(ObjectNet)
	files := []string{"air_freshener/z.png"}
	for folder := range folders {
		files = append(files, folder+"/a.png")
	}
	f, err := Open(tree(t, files...), Options{Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if f.Set != ObjectNet || f.Answers.String() != "objectnet, 125 of 1000 classes" || f.Len() != 113 {
		t.Errorf("set %q, answers %q, %d images", f.Set, f.Answers, f.Len())
	}
	if got, want := describe(f)[0], "alarm_clock/a.png 409,530"; got != want {
		t.Errorf("first image %q, want %q", got, want)
	}
	got := strings.Join(f.Warnings, "; ")
	if !strings.Contains(got, "1 of 114 class folders are left out") || !strings.Contains(got, "red border") {
		t.Errorf("warnings %q", got)
	}
}

func TestOpenZip(t *testing.T) {
	content := func(name string) []byte { return bytes.Repeat([]byte(name), 100) }
	build := func(method uint16, names ...string) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range names {
			f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err != nil {
				t.Fatal(err)
			}
			f.Write(content(name))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "ImageNet-Sketch.zip")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	names := []string{"sketch/n01440764/a.JPEG", "sketch/n01443537/b.JPEG", "__MACOSX/sketch/n01440764/._a.JPEG", "sketch/.DS_Store"}
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		file := build(method, names...)
		f, err := Open(file, Options{Classes: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Set != ImageNetSketch || f.Len() != 2 || f.Answers.Classes != nil {
			t.Fatalf("method %d: set %q, %d images, answers %q", method, f.Set, f.Len(), f.Answers)
		}
		for i, name := range names[:2] {
			got, err := f.Read(i, nil)
			if err != nil || !bytes.Equal(got, content(name)) {
				t.Errorf("method %d: %s: %d bytes, error %v", method, name, len(got), err)
			}
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{3, 40, len(whole) / 2, len(whole) - 1} {
			cut := filepath.Join(t.TempDir(), fmt.Sprintf("cut%d.zip", n))
			if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(cut, Options{}); err == nil {
				t.Errorf("method %d: an archive cut to %d of %d bytes opens", method, n, len(whole))
			}
		}
	}
}
