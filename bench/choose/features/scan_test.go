package features

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"zoobench/datasets"
)

// lost is a source with an item that cannot be read for now, as on a disk that fails.
type lost struct {
	datasets.Source
	item int
}

func (l lost) Read(i int, buf []byte) ([]byte, error) {
	if i == l.item {
		return nil, errors.New("input/output error")
	}
	return l.Source.Read(i, buf)
}

// writeImage writes an image of one grey level.
func writeImage(t *testing.T, path string, grey uint8) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = grey
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func openFolder(t *testing.T, root string) Folder {
	t.Helper()
	src, err := datasets.OpenFolder(root, datasets.Options{Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	f := Folder{Root: root, Source: src}
	for i := range src.Len() {
		f.Files = append(f.Files, src.Item(i).Name)
	}
	return f
}

// TestScanAgain scans a folder whose files stay as they are: one that could not be read is tried again, one that could
// not be decoded is known to be none, and another build looks at all again.
func TestScanAgain(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	for i := range 6 {
		writeImage(t, filepath.Join(data, []string{"blue", "green", "red"}[i/2], fmt.Sprintf("%04d.png", i%2)), uint8(40*i))
	}
	broken := filepath.Join("green", "0001.png")
	if err := os.WriteFile(filepath.Join(data, broken), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	const unread, undecoded = 1, 3 // of blue 0 and 1, green 2 and 3
	for _, test := range []struct {
		name, build string
		fails       bool
		looked      int // at how many images
	}{
		{"first", "one", true, 6},
		{"still not to be read", "one", true, 1},
		{"to be read", "one", false, 1},
		{"known", "one", false, 0},
		{"another build", "two", false, 6},
		{"known to both", "one", false, 0},
	} {
		folder := openFolder(t, data)
		if test.fails {
			folder.Source = lost{folder.Source, unread}
		}
		looked := 0
		found, err := Store{Dir: dir, Build: test.build}.Scan(t.Context(), folder, func(_, total int) { looked = total })
		if err != nil {
			t.Fatal(err)
		}
		if looked != test.looked {
			t.Errorf("%s: looked at %d images, want %d", test.name, looked, test.looked)
		}
		for i, p := range found {
			if want := i == undecoded || i == unread && test.fails; (p.Err != "") != want {
				t.Errorf("%s: %s: error %q", test.name, folder.Files[i], p.Err)
			}
		}
	}
}
