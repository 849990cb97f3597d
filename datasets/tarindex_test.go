package datasets

import (
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
