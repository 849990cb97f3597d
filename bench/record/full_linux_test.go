package record

import (
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// limitFileSize makes every write past the given size of a file fail until the test ends,
// after a part of it went through, as on a disk that fills up.
func limitFileSize(t *testing.T, bytes uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}

func TestAppendOnFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r := sample()
	line, err := Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	limitFileSize(t, uint64(len(line)*5/2))
	for range 2 {
		if err := log.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Append(&r); err == nil || !strings.Contains(err.Error(), "record: append: ") {
		t.Errorf("third record: got %v, want an error", err)
	}
	records, problems, err := ReadFile(path)
	if err != nil || len(records) != 2 || len(problems) != 0 {
		t.Errorf("%d records, problems %v, error %v; want the first two and nothing else", len(records), problems, err)
	}
}

func TestReplaceOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page.html")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	limitFileSize(t, 10_000)
	err := Replace(path, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", 11_000))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the old file holds %d bytes of something else", len(got))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries in the folder, want the old file alone", len(entries))
	}
}

func TestAppendOnFullDevice(t *testing.T) {
	log, err := OpenLog("/dev/full")
	if err != nil {
		t.Skipf("no /dev/full: %v", err)
	}
	defer log.Close()
	if err := log.Append(ptr(sample())); err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Errorf("got %v, want %q", err, syscall.ENOSPC)
	}
}
