package datasets

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// writeAs writes a text to a file of that name in a new folder.
func writeAs(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// utf16Text is a text as Windows' Notepad writes "Unicode".
func utf16Text(text string, bigEndian bool) string {
	units := append([]uint16{0xfeff}, utf16.Encode([]rune(text))...)
	var b strings.Builder
	for _, u := range units {
		if bigEndian {
			b.WriteString(string([]byte{byte(u >> 8), byte(u)}))
		} else {
			b.WriteString(string([]byte{byte(u), byte(u >> 8)}))
		}
	}
	return b.String()
}

// TestLabelFiles reads the forms in which people keep labels.
func TestLabelFiles(t *testing.T) {
	root := tree(t, "a.jpg", "b.jpg", "my cat.jpg", "sub/d.jpg")
	abc := []string{"a.jpg 1", "b.jpg 2", "my cat.jpg 3"}
	ab := abc[:2]
	for _, tt := range []struct {
		name, text string
		want       []string
		reading    string
	}{
		{"byte order mark", "\ufeffa.jpg 1\nb.jpg 2\nmy cat.jpg 3\n", abc, "file and label, separated by blanks"},
		{"UTF-16, little end first", utf16Text("a.jpg 1\r\nb.jpg 2\r\nmy cat.jpg 3\r\n", false), abc, "separated by blanks"},
		{"UTF-16, big end first", utf16Text("a.jpg 1\r\nb.jpg 2\r\nmy cat.jpg 3\r\n", true), abc, "separated by blanks"},
		{"carriage returns alone", "a.jpg 1\rb.jpg 2\rmy cat.jpg 3\r", abc, "separated by blanks"},
		{"tabs", "a.jpg\t1\nb.jpg\t2\nmy cat.jpg\t3\n", abc, "separated by blanks"},
		{"commas", "a.jpg,1\nb.jpg,2\nmy cat.jpg,3", abc, "separated by commas"},
		{"commas and blanks", "a.jpg, 1\nb.jpg, 2\n", ab, "separated by commas"},
		{"semicolons", "a.jpg;1\nb.jpg;2\n", ab, "separated by semicolons"},
		{"quotes", `"a.jpg","1"` + "\n" + `"my cat.jpg","3,5"` + "\n", []string{"a.jpg 1", "my cat.jpg 3,5"}, "separated by commas"},
		{"a header", "filename,label\na.jpg,1\nb.jpg,2\n", ab, `header line (columns "filename" and "label")`},
		{"a header of other words", "photo,animal\na.jpg,1\nb.jpg,2\n", ab, `header line (columns "photo" and "animal")`},
		{"a header, blanks", "image label\na.jpg 1\nb.jpg 2\n", ab, `header line (columns "image" and "label")`},
		{"columns the other way round", "label,image\n1,a.jpg\n2,b.jpg\n", ab, "separated by commas"},
		{"columns the other way round, without a header", "1,a.jpg\n2,b.jpg\n", ab, "separated by commas"},
		{"a column of row numbers", ",path,split,class\n0,a.jpg,val,1\n1,b.jpg,val,2\n", ab, `columns "path" and "class"`},
		{"pandas' floating-point numbers", "path,class\na.jpg,1.0\nb.jpg,2.0\n", ab, `columns "path" and "class"`},
		{"Kaggle's LOC_val_solution", "ImageId,PredictionString\na,n01443537 85 1 499 272 \nb,n01484850 1 2 3 4 n01484850 5 6 7 8 \n", ab,
			`columns "ImageId" and "PredictionString"`},
		{"Tiny ImageNet's val_annotations", "a.jpg\tn01443537\t0\t32\t44\t62\nb.jpg\tn01484850\t5\t5\t6\t6\n", ab, "separated by tabs"},
		{"names without extension", "a 1\nb 2\nmy cat 3\n", abc, "separated by blanks"},
		{"names in other letters", "A.JPG 1\nb.JPEG 2\n", []string{"a.jpg 1"}, "separated by blanks"},
		{"backslashes and folders", `.\a.jpg 1` + "\n" + `sub\d.jpg 4` + "\n", []string{"a.jpg 1", "sub/d.jpg 4"}, "separated by blanks"},
		{"names from above", filepath.Base(root) + "/a.jpg 1\n" + root + "/b.jpg 2\n", ab, "separated by blanks"},
		{"names of classes", "a.jpg,goldfish\nb.jpg,Great_White_Shark\n", ab, "separated by commas"},
		{"synonyms", "a.jpg,Carassius auratus\nb.jpg,\"white shark, man-eater\"\n", ab, "separated by commas"},
		{"several, in brackets", "a.jpg,\"[1, 4]\"\nb.jpg,[2]\n", []string{"a.jpg 1,4", "b.jpg 2"}, "separated by commas"},
		{"several, one right answer more", "a.jpg 1,4\nb.jpg 2\n", []string{"a.jpg 1,4", "b.jpg 2"}, "separated by blanks"},
		{"JSON, an object", `{"b.jpg": 2, "a.jpg": "n01443537"}`, ab, "a JSON object of files and labels"},
		{"JSON, pairs", `[["a.jpg", 1], ["b", [2]]]`, ab, "a JSON list of files and labels"},
		{"JSON, objects", `[{"id": 7, "file_name": "a.jpg", "label": 1}, {"image": "b.jpg", "class": "2"}]`, ab,
			"a JSON list of files and labels"},
		{"JSON lines, Hugging Face's metadata.jsonl",
			`{"file_name": "a.jpg", "label": 1}` + "\r\n" + `{"file_name": "b.jpg", "label": 2}` + "\n", ab,
			"a JSON list of files and labels"},
		{"JSON lines, pairs", `["a.jpg", 1]` + "\n" + `["b.jpg", 2]`, ab, "a JSON list of files and labels"},
		{"JSON, labels alone", "\ufeff[1, 2, [3]]", abc, "a JSON list of labels alone"},
		{"JSON, StyleGAN's", `{"labels": [["a.jpg", 1], ["b.jpg", 2]]}`, ab, "a JSON list of files and labels"},
		{"JSON, COCO's", `{"images": [{"id": 9, "file_name": "b.jpg"}, {"id": 3, "file_name": "a.jpg"}, {"id": 4, "file_name": "x.jpg"}],
			"annotations": [{"image_id": 3, "category_id": 1}, {"image_id": 9, "category_id": 2}]}`, []string{"b.jpg 2", "a.jpg 1"},
			"COCO's images and annotations"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(root, Options{Labels: writeAs(t, "labels.csv", tt.text), Classes: 1000})
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

// TestLabelFilesRefused reads what no form fits.
func TestLabelFilesRefused(t *testing.T) {
	root := tree(t, "a.jpg", "b.jpg", "x/c.jpg", "a.png")
	for _, tt := range []struct{ name, text, want string }{
		{"no label in any column", "a.jpg,cat\nb.jpg,dog\n", `label "cat": want a class index`},
		{"says the forms", "a.jpg,cat\nb.jpg,dog\n", "separated by blanks, tabs, commas or semicolons"},
		{"a name of two", "a 1\nb 2\n", "labels.txt:1: two images are called a"},
		{"a header alone", "filename,label\n", "no labels below the header line"},
		{"other images", "q.jpg,1\nr.jpg,2\n", "is read as file and label, separated by commas: " +
			"it names q.jpg, r.jpg, and the images are a.jpg, a.png, b.jpg"},
		{"a class of two names", "a.jpg,crane\nb.jpg,2\n", `label "crane"`},
		{"zero bytes", "a.jpg 1\x00\n", "byte 7 is zero"},
		{"JSON cut off", `[["a.jpg", 1], `, "unexpected end"},
		{"JSON lines cut off", `{"image": "a.jpg", "label": 1}` + "\n" + `{"image": "b.j`, "invalid character '{' after top-level value"},
		{"JSON lines without labels", `{"image": "a.jpg", "label": 1}` + "\n" + `{"image": "b.jpg"}`, "entry 2: want an object with a file name"},
		{"JSON of two forms", `[["a.jpg", 1], 2, 3]`, "1 of 3 entries name an image"},
		{"JSON without labels", `[{"image": "a.jpg"}]`, "entry 1: want an object with a file name and a label"},
		{"JSON of another length", `[1]`, "1 labels for the 3 images"},
		{"JSON beyond the classes", `{"a.jpg": 1000}`, "a.jpg: label 1000, want 0 to 999"},
		{"COCO of images that are missing", `{"images": [], "annotations": [{"image_id": 1, "category_id": 1}]}`, "no image has the id 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(root, Options{Labels: write(t, tt.text), Classes: 1000})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "datasets:") != 1 {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestClassMaps labels class folders and label files by maps of the classes.
func TestClassMaps(t *testing.T) {
	root := tree(t, "cat/a.jpg", "dog/b.jpg", "emu/c.jpg")
	want := []string{"dog/b.jpg 0", "emu/c.jpg 1", "cat/a.jpg 2"}
	for _, tt := range []struct{ name, text, err string }{
		{"class_to_idx", `{"dog": 0, "emu": 1, "cat": 2}`, ""},
		{"class_to_idx of a checkpoint", `{"arch": "x", "class_to_idx": {"dog": 0, "emu": 1, "cat": 2}}`, ""},
		{"the other way round", `{"0": "dog", "1": "emu", "2": "cat"}`, ""},
		{"Keras's", `{"0": ["dog", "hound"], "1": ["emu", "bird"], "2": ["cat", "tabby"]}`, ""},
		{"a list", `["dog", "emu", "cat"]`, ""},
		{"timm's text", "dog\r\nemu\r\ncat\r\n", ""},
		{"a class is missing", "dog\nemu\n", "1 of 3 class folders are not in the class map"},
		{"an index beyond the classes", `{"dog": 0, "emu": 1, "cat": 3}`, `class "cat" has the index 3, want 0 to 2`},
		{"a class twice", `["dog", "emu", "dog"]`, `class "dog" has the indices 0 and 2`},
		{"nothing", " \n", "no classes"},
		{"no map", `{"dog": {}}`, `"dog": want a name and an index`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeAs(t, "map.json", tt.text)
			f, err := Open(root, Options{Classes: 3, ClassMap: file})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if f.Reading != "class folders by the class map map.json" {
				t.Errorf("reading %q", f.Reading)
			}
			flat := tree(t, "1.jpg", "2.jpg")
			f, err = Open(flat, Options{Classes: 3, ClassMap: file, Labels: write(t, "1.jpg,cat\n2.jpg,dog\n")})
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(f); !reflect.DeepEqual(got, []string{"1.jpg 2", "2.jpg 0"}) {
				t.Errorf("label file: got %q", got)
			}
		})
	}
	beside := tree(t, "cat/a.jpg", "dog/b.jpg")
	if err := os.WriteFile(filepath.Join(beside, classMapName), []byte(`{"dog": 0, "cat": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(beside, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(f); !reflect.DeepEqual(got, []string{"dog/b.jpg 0", "cat/a.jpg 1"}) || !strings.Contains(f.Reading, classMapName) {
		t.Errorf("a map beside the folders: got %q, reading %q", got, f.Reading)
	}
}
