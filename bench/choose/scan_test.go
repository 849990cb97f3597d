package choose

import (
	"context"
	"errors"
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

// TestScanAgain scans a folder whose files stay as they are: one that could not be read is tried again, one that could
// not be decoded is known to be none, and another build looks at all again.
func TestScanAgain(t *testing.T) {
	data, dir := pictures(t, 2), t.TempDir()
	broken := filepath.Join("green", "0001.png")
	if err := os.WriteFile(filepath.Join(data, broken), []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	const unread, undecoded = 1, 3 // of blue 0 and 1, green 2 and 3
	for _, test := range []struct {
		name, build string
		fails       bool
		looked      int // at how many pictures
	}{
		{"first", "one", true, 6},
		{"still not to be read", "one", true, 1},
		{"to be read", "one", false, 1},
		{"known", "one", false, 0},
		{"another build", "two", false, 6},
		{"known to both", "one", false, 0},
	} {
		task := mustTask(t, data)
		if test.fails {
			task.source = lost{task.source, unread}
		}
		looked := 0
		found, err := scan(context.Background(), task, dir, test.build, func(_, total int) { looked = total })
		if err != nil {
			t.Fatal(err)
		}
		if looked != test.looked {
			t.Errorf("%s: looked at %d pictures, want %d", test.name, looked, test.looked)
		}
		for i, p := range found {
			if want := i == undecoded || i == unread && test.fails; (p.Err != "") != want {
				t.Errorf("%s: %s: error %q", test.name, task.Files[i], p.Err)
			}
		}
	}
}
