package datasets

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFolderNames labels folders by what people call ImageNet-1k's classes.
func TestFolderNames(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   []string
		reading string
		want    []string
		err     string
	}{
		{"ids with names behind them", []string{"n01443537_goldfish/a.jpg", "n01440764 tench/b.jpg"}, "WordNet id",
			[]string{"n01440764 tench/b.jpg 0", "n01443537_goldfish/a.jpg 1"}, ""},
		{"synonyms", []string{"Tinca tinca/a.jpg", "carassius_auratus/b.jpg", "white shark, man-eater/c.jpg"}, "by name",
			[]string{"Tinca tinca/a.jpg 0", "carassius_auratus/b.jpg 1", "white shark, man-eater/c.jpg 2"}, ""},
		{"a name of two classes with one that tells them apart", []string{"maillot, tank suit/a.jpg", "tench/b.jpg"}, "by name",
			[]string{"tench/b.jpg 0", "maillot, tank suit/a.jpg 639"}, ""},
		{"two names of one class", []string{"tench/a.jpg", "Tinca tinca/b.jpg"}, "by name",
			[]string{"Tinca tinca/b.jpg 0", "tench/a.jpg 0"}, ""},
		{"indices", []string{"0/a.jpg", "007/b.jpg"}, "by class index", []string{"0/a.jpg 0", "007/b.jpg 7"}, ""},
		{"no classes", []string{"spam/a.jpg", "eggs/b.jpg"}, "", nil, "2 class folders, named neither by class index"},
		{"names of two classes that contradict each other", []string{"tench, goldfish/a.jpg"}, "", nil, "1 class folders, named neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(tree(t, tt.files...), Options{Classes: 1000})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !strings.Contains(f.Reading, tt.reading) {
				t.Errorf("reading %q, want one with %q", f.Reading, tt.reading)
			}
		})
	}
}

// TestOrderOfClasses says where torchvision's order of classes is not timm's.
func TestOrderOfClasses(t *testing.T) {
	for _, tt := range []struct {
		folders []string // in timm's order
		moved   bool
	}{
		{[]string{"class1", "class2", "class10"}, true},
		{[]string{"ant", "bee", "Cow"}, true},
		{[]string{"ant", "bee", "cow"}, false},
		{[]string{"a01", "a02", "a10"}, false},
		{[]string{"a", "a1", "ab"}, false},
		{[]string{"x 9 b", "x 10 a"}, true},
	} {
		got := slices.Clone(tt.folders)
		slices.Sort(got)
		slices.SortStableFunc(got, naturalOrder)
		if !reflect.DeepEqual(got, tt.folders) {
			t.Errorf("natural order: got %q, want %q", got, tt.folders)
		}
		var files []string
		for _, folder := range tt.folders {
			files = append(files, folder+"/a.jpg")
		}
		root := tree(t, files...)
		f, err := Open(root, Options{Classes: len(tt.folders)})
		if err != nil {
			t.Fatal(err)
		}
		warned := strings.Contains(strings.Join(f.Warnings, " "), "timm's natural order")
		if warned != tt.moved {
			t.Errorf("%q: warnings %q", tt.folders, f.Warnings)
		}
		if own, err := Open(root, Options{Ranks: true}); err != nil || len(own.Warnings) > 0 {
			t.Errorf("%q: classes of their own: warnings %q, error %v", tt.folders, own.Warnings, err)
		}
	}
}

// TestFoldersThatContradict puts validation images into folders of other classes.
func TestFoldersThatContradict(t *testing.T) {
	image := func(n int) string { return fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", n) }
	one, _ := validationLabel(image(1))
	three, _ := validationLabel(image(3))
	classes := ImageNet1k()
	for _, tt := range []struct {
		name     string
		files    []string
		classes  int
		err      string
		warnings int
	}{
		{"numbered from 1", []string{fmt.Sprintf("%d/%s", one+1, image(1)), fmt.Sprintf("%d/%s", three+1, image(3))}, 1000,
			"only 0 of 2 labels are those of the ILSVRC-2012 validation set", 0},
		{"numbered from 1, for any classes", []string{fmt.Sprintf("%d/%s", one+1, image(1)), fmt.Sprintf("%d/%s", three+1, image(3))}, 0,
			"only 0 of 2 labels", 0},
		{"WordNet ids of others", []string{classes[three].WordNetID + "/" + image(1), classes[one].WordNetID + "/" + image(3)}, 1000,
			"only 0 of 2 labels", 0},
		{"names of others", []string{"tench/" + image(1), "goldfish/" + image(3)}, 1000, "only 0 of 2 labels", 0},
		{"one of two labelled anew", []string{fmt.Sprintf("%d/%s", one, image(1)), fmt.Sprintf("%d/%s", three+1, image(3))}, 1000, "", 1},
		{"their own", []string{fmt.Sprintf("%d/%s", one, image(1)), fmt.Sprintf("%d/%s", three, image(3))}, 1000, "", 0},
		{"classes of one's own", []string{"spam/" + image(1), "eggs/" + image(3)}, 2, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(tree(t, tt.files...), Options{Classes: tt.classes, Answers: AllAnswers})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Warnings) != tt.warnings {
				t.Errorf("warnings %q, want %d", f.Warnings, tt.warnings)
			}
		})
	}
	var members []entry
	for _, file := range []string{fmt.Sprintf("val/%d/%s", one+1, image(1)), fmt.Sprintf("val/%d/%s", three+1, image(3))} {
		members = append(members, entry{file, "x"})
	}
	f, err := Open(archive(t, members...), Options{Classes: 1000, Answers: AllAnswers})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Reading != builtIn || f.Item(0).Labels[0] != one || f.Item(1).Labels[0] != three {
		t.Errorf("in an archive, whose labels are built in: reading %q, items %q", f.Reading, describe(f))
	}
}

// TestSplits opens folders and shards of train, val and test.
func TestSplits(t *testing.T) {
	usual := tree(t, "train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "val/dog/4.jpg", "test/5.jpg", "README.md")
	own := tree(t, "fold1/cat/1.jpg", "fold2/cat/2.jpg", ".cache/x.jpg")
	train := []string{"cat/1.jpg 0", "dog/2.jpg 1"}
	val := []string{"cat/3.jpg 0", "dog/4.jpg 1"}
	for _, tt := range []struct {
		name, root, split string
		want              []string
		err               string
	}{
		{"none named", usual, "", nil, "test, train, val are splits of a dataset, not classes; name one of them: " +
			"--split test or --split train or"},
		{"train", usual, "train", train, ""},
		{"by another word", usual, "validation", val, ""},
		{"in other letters", usual, "Train", train, ""},
		{"one that is missing", usual, "dev2", nil, "no split dev2, want one of test, train, val"},
		{"one without classes", usual, "test", nil, "1 images and no class folders"},
		{"the only one", tree(t, "Val/cat/3.jpg", "Val/dog/4.jpg"), "", val, ""},
		{"one split more", tree(t, "train/cat/1.jpg", "val/cat/2.jpg", "extra/cat/3.jpg"), "", nil, "train, val are splits of a dataset"},
		{"one split more, named", tree(t, "train/cat/1.jpg", "val/cat/2.jpg", "extra/cat/3.jpg"), "extra", []string{"cat/3.jpg 0"}, ""},
		{"images without labels beside splits", tree(t, "train/cat/1.jpg", "test/cat/2.jpg", "unlabeled/3.jpg"), "", nil,
			"test, train are splits of a dataset"},
		{"classes of different folders that are called so", tree(t, "train/steam/1.jpg", "dev/board/2.jpg", "bus/3.jpg"), "",
			[]string{"bus/3.jpg 0", "dev/board/2.jpg 1", "train/steam/1.jpg 2"}, ""},
		{"classes that are called so", tree(t, "train/1.jpg", "test/2.jpg"), "", []string{"test/2.jpg 0", "train/1.jpg 1"}, ""},
		{"one class more", tree(t, "train/a/1.jpg", "bus/2.jpg"), "", []string{"bus/2.jpg 0", "train/a/1.jpg 1"}, ""},
		{"of one's own name", own, "fold2", []string{"cat/2.jpg 0"}, ""},
		{"where there are none", tree(t, "cat/1.jpg", "dog/2.jpg"), "val", nil, "no split val: there are none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(tt.root, Options{Split: tt.split})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Count(err.Error(), "datasets:") != 1 {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if (f.Split == "") != (tt.split == "" && tt.name != "the only one") {
				t.Errorf("split %q", f.Split)
			}
		})
	}
}

// TestNestedWarning says where class folders may be parts of the data, or may have such parts in them.
func TestNestedWarning(t *testing.T) {
	for _, tt := range []struct {
		name, root, want string
	}{
		{"parts of one's own name", tree(t, "fold1/cat/1.jpg", "fold1/dog/2.jpg", "fold2/cat/3.jpg", "fold2/dog/4.jpg"),
			"each of the class folders (fold1, fold2) has the folders cat, dog and no images of its own; " +
				"if these are parts of the data and cat, dog are the classes, name a part, as --split fold1"},
		{"splits within classes", tree(t, "cat/train/1.jpg", "cat/val/2.jpg", "dog/train/3.jpg", "dog/val/4.jpg"),
			"(cat, dog) has the folders train, val and no images of its own: images of all of these folders are used together"},
		{"other folders", tree(t, "cat/tabby/1.jpg", "cat/tom/2.jpg", "dog/pug/3.jpg", "dog/husky/4.jpg"), ""},
		{"images of their own", tree(t, "cat/day/1.jpg", "cat/night/2.jpg", "dog/day/3.jpg", "dog/night/4.jpg", "dog/5.jpg"), ""},
		{"one folder each", tree(t, "cat/images/1.jpg", "dog/images/2.jpg"), ""},
	} {
		f, err := Open(tt.root, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(f.Warnings, "; ")
		if got != "" && tt.want == "" || !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: warnings %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestUnreadForms names forms of sets that are not read, in a folder, in folders below it and as a file, with what to do.
func TestUnreadForms(t *testing.T) {
	for _, tt := range []struct{ name, root, want string }{
		{"Arrow", tree(t, "state.json", "data-00000-of-00001.arrow"),
			"Arrow files of Hugging Face's datasets are not read: save the set as Parquet"},
		{"TensorFlow's records, in shards", tree(t, "imagenet2012-validation.tfrecord-00000-of-00064"),
			"TensorFlow's records are not read: write their images out into class folders"},
		{"LMDB", tree(t, "data.mdb", "lock.mdb"), "LMDB databases are not read"},
		{"archives in a folder of the root", tree(t, "data/val_images.tar.gz", "README.md"), "no images in 1 class folders, but 1 files " +
			"that are not taken for images: 1 .gz; compressed archives are not read: unpack them"},
		{"two forms", tree(t, "a.NPZ", "b.rec"),
			"MXNet's records are not read: write their images out into class folders or WebDataset's shards; " +
				"files of arrays are not read: "},
		{"a file", filepath.Join(tree(t, "x.arrow"), "x.arrow"), "neither a tar archive nor a folder, want a folder of images, or a tar or zip " +
			"archive; Arrow files of Hugging Face's datasets are not read"},
	} {
		_, err := Open(tt.root, Options{Classes: 1000})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
	_, err := Open(tree(t, "cats/notes.txt", "dogs/x"), Options{Classes: 1000})
	if err == nil || strings.Contains(err.Error(), "are not read") {
		t.Errorf("other files: error %v", err)
	}
}

// TestPassedOver counts what is not taken for images.
func TestPassedOver(t *testing.T) {
	root := tree(t, "cat/a.jpg", "cat/b.JFIF", "cat/c.HEIC", "cat/.d.heic", "bird/e.jfif", "bird/sub/f.jfif", "bird/g", "classes.txt",
		"dog/h.jpg")
	f, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.PassedOver(""), "3 .jfif, 1 without extension, 1 .heic"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := f.PassedOver("bird"), "2 .jfif, 1 without extension"; got != want {
		t.Errorf("bird: got %q, want %q", got, want)
	}
	text := strings.Join(f.Warnings, "\n")
	for _, want := range []string{"5 files are not taken for images", "3 .jfif", "HEIC and AVIF must be converted",
		"1 class folders have no images: bird"} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings %q, want %q", text, want)
		}
	}
	if _, err := Open(tree(t, "cat/a.heic", "dog/b.heic"), Options{}); err == nil ||
		!strings.Contains(err.Error(), "no images in 2 class folders, but 2 files that are not taken for images: 2 .heic") {
		t.Errorf("error %v", err)
	}
	flat := tree(t, "a.jpg", "b.avif", "labels.txt")
	f, err = Open(flat, Options{Labels: write(t, "a.jpg 1\n")})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.PassedOver(""); got != "1 .avif" {
		t.Errorf("a flat folder: got %q, want 1 .avif", got)
	}
}
