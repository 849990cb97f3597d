package weights

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	tensors := []Named{{"b", []int{2, 2}, []float32{1, 2, 3, 4}}, {"a \"quoted\" größe", nil, []float32{5}}, {"empty", []int{0}, nil}}
	meta := map[string]string{"z": "1", "classes": "cat\ndog", "a": ""}
	var first []byte
	for range 2 { // the second time over the first
		if err := WriteFile(path, tensors, meta); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(content, first) {
			t.Error("the same input gave other bytes")
		}
		first = content
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, want := range tensors {
		got := f.Tensors()[i]
		if got.Name != want.Name || !slices.Equal(got.Shape, want.Shape) || got.Dtype != F32 {
			t.Errorf("tensor %v, want %v", got, want)
		}
		if x := mustFloat32(t, f, want.Name); !slices.Equal(x, want.Data) {
			t.Errorf("%s: %v, want %v", want.Name, x, want.Data)
		}
		if f.volumes[0].data != nil && len(want.Data) > 0 && addressIn(f.volumes[0].data, addressOf(mustFloat32(t, f, want.Name))) < 0 {
			t.Errorf("%s is not aligned in the file", want.Name)
		}
	}
	if got := f.Metadata(); got["classes"] != meta["classes"] || len(got) != 3 {
		t.Errorf("metadata %v", got)
	}
	alone(t, dir, "w.safetensors")
}

func TestWriteFileErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		tensors []Named
		meta    map[string]string
		want    string
	}{
		{"shape", []Named{{"w", []int{3}, []float32{1}}}, nil, "weights: w.safetensors: w: 1 elements, want as many as shape [3] has"},
		{"negative", []Named{{"w", []int{-1, -1}, []float32{1}}}, nil, "w: 1 elements"},
		{"twice", []Named{{"w", nil, []float32{1}}, {"w", nil, []float32{1}}}, nil, "w: two tensors have this name"},
		{"reserved", []Named{{"__metadata__", nil, []float32{1}}}, nil, "two tensors have this name"},
		{"not UTF-8", []Named{{"\xff", nil, []float32{1}}}, nil, "not UTF-8"},
		{"metadata not UTF-8", nil, map[string]string{"a": "\xff"}, "not UTF-8"},
	} {
		dir := t.TempDir()
		err := WriteFile(filepath.Join(dir, "w.safetensors"), c.tensors, c.meta)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		alone(t, dir)
	}
	err := WriteFile(filepath.Join(t.TempDir(), "none", "w.safetensors"), nil, nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "weights: ") {
		t.Errorf("no folder: %v", err)
	}
}

// A disk that fills up half way leaves what was there, and nothing else.
func TestReplaceFileFull(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := replaceFile(path, func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "before" {
		t.Errorf("content %q, %v", content, err)
	}
	alone(t, dir, "w")
}

// A place that cannot be taken, since it is a folder, leaves nothing beside it.
func TestReplaceFileFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "w"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "w"), nil, nil); err == nil {
		t.Error("no error")
	}
	alone(t, dir, "w")
}

// alone checks that a folder holds these and nothing else.
func alone(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("folder holds %v, want %v", names, want)
	}
}
