package datasets

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestIndexOfEarlierForm opens an archive beside an index of the form before
// this one, whose names may be absolute.
func TestIndexOfEarlierForm(t *testing.T) {
	o := Options{Classes: 1000, Index: t.TempDir()}
	file := archive(t, entry{"/5/a.jpg", "a"}, entry{"/6/b.jpg", "b"})
	want := []string{"5/a.jpg 5", "6/b.jpg 6"}
	for range 2 {
		f, err := Open(file, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(f); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		f.Close()
		found, _ := filepath.Glob(filepath.Join(o.Index, "*.index"))
		if len(found) != 1 {
			t.Fatalf("indices %q, want one", found)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		old := strings.NewReplacer("tar index 2\t", "tar index 1\t", "\t5/", "\t/5/", "\t6/", "\t/6/").Replace(string(text))
		if old == string(text) {
			t.Fatalf("index %q: want form 2", text)
		}
		if err := os.WriteFile(found[0], []byte(old), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// file is a header for tarOf, whose text stands in place of its user's name.
func file(name, text string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Uname: text, Size: int64(len(text))}
}

// link is a header of a hard or symbolic link.
func link(kind byte, name, to string) tar.Header {
	return tar.Header{Typeflag: kind, Name: name, Linkname: to}
}

// tarOf writes an archive of any kind of members and returns its path.
func tarOf(t *testing.T, headers ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		text := h.Uname
		h.Uname, h.Mode = "", 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "set.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTarLinks(t *testing.T) {
	const hard, symbolic = tar.TypeLink, tar.TypeSymlink
	for _, tt := range []struct {
		name    string
		headers []tar.Header
		want    []string // item, labels and text
		err     string
	}{
		{"hard", []tar.Header{file("v/5/a.jpg", "a"), link(hard, "v/6/b.jpg", "v/5/a.jpg")}, []string{"5/a.jpg 5 a", "6/b.jpg 6 a"}, ""},
		{"hard, to a link and to a hidden file", []tar.Header{file(".store/a", "a"), link(hard, "5/a.jpg", "./.store/a"),
			link(hard, "6/b.jpg", "5/a.jpg")},
			[]string{"5/a.jpg 5 a", "6/b.jpg 6 a"}, ""},
		{"hard, to what stood there then", []tar.Header{file("5/a.jpg", "a"), link(hard, "6/b.jpg", "5/a.jpg"), file("5/a.jpg", "new")},
			[]string{"5/a.jpg 5 new", "6/b.jpg 6 a"}, ""},
		{"hard, to nothing", []tar.Header{file("5/a.jpg", "a"), link(hard, "6/b.jpg", "7/c.jpg")}, nil, "6/b.jpg: a link to 7/c.jpg"},
		{"symbolic", []tar.Header{link(symbolic, "6/b.jpg", "../5/a.jpg"), link(symbolic, "7/c.jpg", "../6/b.jpg"), file("5/a.jpg", "a"),
			link(hard, "8/d.jpg", "6/b.jpg")},
			[]string{"5/a.jpg 5 a", "6/b.jpg 6 a", "7/c.jpg 7 a", "8/d.jpg 8 a"}, ""},
		{"symbolic, absolute", []tar.Header{file("/5/a.jpg", "a"), link(symbolic, "/6/b.jpg", "/5/a.jpg")},
			[]string{"5/a.jpg 5 a", "6/b.jpg 6 a"}, ""},
		{"symbolic label", []tar.Header{file("1.cls", "7"), file("1.jpg", "a"), link(symbolic, "2.cls", "1.cls"), file("2.jpg", "b")},
			[]string{"1.jpg 7 a", "2.jpg 7 b"}, ""},
		{"symbolic, to nothing", []tar.Header{file("5/a.jpg", "a"), link(symbolic, "6/b.jpg", "a.jpg")}, nil, "6/b.jpg: a link to 6/a.jpg"},
		{"symbolic, in a circle", []tar.Header{file("5/a.jpg", "a"), link(symbolic, "6/b.jpg", "c.jpg"), link(symbolic, "6/c.jpg", "b.jpg")},
			nil, "6/b.jpg: a link to"},
		{"symbolic, to a class", []tar.Header{file("5/a.jpg", "a"), link(symbolic, "6", "5")}, nil, "6: a link to the folder 5"},
		{"symbolic, hidden or no image, to nothing", []tar.Header{file("5/a.jpg", "a"), link(symbolic, "README", "x"),
			link(symbolic, "5/.b.jpg", "x"), link(hard, "5/._c.jpg", "x"), link(symbolic, "here", ".")},
			[]string{"5/a.jpg 5 a"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Classes: 1000, Index: t.TempDir()}
			path := tarOf(t, tt.headers...)
			for _, pass := range []string{"scanned", "from the index"} {
				f, err := Open(path, o)
				if tt.err != "" {
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Errorf("%s: error %v, want one with %q", pass, err, tt.err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				got := describeBytes(t, f)
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s: got %q, want %q", pass, got, tt.want)
				}
			}
		})
	}
}

// TestTarSparse opens an archive with a sparse file of GNU's old form, made as
// tar has it: type S, no holes listed, the real size beside them.
func TestTarSparse(t *testing.T) {
	data := tarBytes(t, entry{"5/a.jpg", "a"}, entry{"6/b.jpg", "b"})
	head := data[1024:1536]
	head[156] = 'S'
	copy(head[257:265], "ustar  \x00")
	copy(head[483:495], "00000000001\x00")
	copy(head[386:410], "00000000000\x0000000000001\x00")
	copy(head[148:156], "        ")
	sum := 0
	for _, b := range head {
		sum += int(b)
	}
	copy(head[148:156], fmt.Sprintf("%06o\x00 ", sum))
	path := filepath.Join(t.TempDir(), "set.tar")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{Classes: 1000})
	if err == nil || !strings.Contains(err.Error(), "6/b.jpg: a sparse file") {
		t.Errorf("error %v, want one that names the sparse file", err)
	}
}

// TestTarLabelFile names an archive's images in a label file.
func TestTarLabelFile(t *testing.T) {
	alone := []string{"val/x/b.jpg", "val/y/a.jpg"}
	same := []string{"val/x/a.jpg", "val/y/a.jpg", "val/y/c.jpg"}
	for _, tt := range []struct {
		name   string
		files  []string // each holds its own name
		labels string
		want   []string // item, label and text
		err    string
	}{
		{"names alone", alone, "a.jpg 1\nb.jpg 2\n", []string{"a.jpg 1 val/y/a.jpg", "b.jpg 2 val/x/b.jpg"}, ""},
		{"paths", alone, "val/x/b.jpg 2\n./val/y/a.jpg 1\n", []string{"b.jpg 2 val/x/b.jpg", "a.jpg 1 val/y/a.jpg"}, ""},
		{"paths below the common folder", alone, "x/b.jpg 2\ny/a.jpg 1\n", []string{"b.jpg 2 val/x/b.jpg", "a.jpg 1 val/y/a.jpg"}, ""},
		{"paths of one name", same, "y/a.jpg 1\nval/x/a.jpg 2\nc.jpg 3\n",
			[]string{"y/a.jpg 1 val/y/a.jpg", "x/a.jpg 2 val/x/a.jpg", "y/c.jpg 3 val/y/c.jpg"}, ""},
		{"a path that is another's name", []string{"a.jpg", "sub/a.jpg"}, "a.jpg 1\nsub/a.jpg 2\n",
			[]string{"a.jpg 1 a.jpg", "sub/a.jpg 2 sub/a.jpg"}, ""},
		{"the name of two", same, "c.jpg 3\na.jpg 1\n", nil, "labels.txt:2: two images of"},
		{"no names for two of one name", same, "1\n2\n3\n", nil, "two images have the name a.jpg"},
		{"one image by two names", alone, "val/x/b.jpg 2\nb.jpg 2\n", nil, "labels.txt:2: b.jpg is on line 1 already"},
		{"none", alone, "z/a.jpg 1\n", nil, "no image has a label in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headers []tar.Header
			for _, name := range tt.files {
				headers = append(headers, file(name, name))
			}
			f, err := Open(tarOf(t, headers...), Options{Classes: 1000, Labels: write(t, tt.labels)})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got := describeBytes(t, f)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(f.Warnings) > 0 {
				t.Errorf("warnings %q, want none", f.Warnings)
			}
		})
	}
}
