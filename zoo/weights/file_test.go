package weights

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"zoobench/zoo/nn"
)

func TestOpenErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none.pth")); !errors.Is(err, os.ErrNotExist) ||
		!strings.HasPrefix(err.Error(), "weights: ") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder without a checkpoint") {
		t.Errorf("folder: %v", err)
	}
}

func TestSHA256(t *testing.T) {
	content := safeOf(t, rawTensor{"w", F32, []int{1000}, floats(count(1000)...)})
	f := open(t, "w.safetensors", content)
	for range 2 {
		if got, err := f.SHA256(); err != nil || got != fmt.Sprintf("%x", sha256.Sum256(content)) {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// TestSHA256Beside computes the digest beside a Close that follows at once.
func TestSHA256Beside(t *testing.T) {
	content := safeOf(t, rawTensor{"w", F32, []int{1 << 18}, make([]byte, 4<<18)})
	f := open(t, "w.safetensors", content)
	f.StartSHA256()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := f.SHA256(); err != nil || got != fmt.Sprintf("%x", sha256.Sum256(content)) {
		t.Errorf("%s, %v", got, err)
	}
}

// Mapped float32 is not copied; what is converted is copied once, and again after Release.
func TestCopies(t *testing.T) {
	f := open(t, "w.safetensors", safeOf(t, rawTensor{"w", F32, []int{4}, floats(1, 2, 3, 4)},
		rawTensor{"h", BF16, []int{2}, []byte{0x80, 0x3f, 0, 0x40}}))
	w := mustFloat32(t, f, "w")
	if f.volumes[0].data != nil && addressIn(f.volumes[0].data, addressOf(w)) < 0 {
		t.Error("w was copied")
	}
	f.Release("w")
	if again := mustFloat32(t, f, "w"); addressOf(again) != addressOf(w) || !slices.Equal(w, []float32{1, 2, 3, 4}) {
		t.Errorf("after Release: %v", again)
	}
	h := mustFloat32(t, f, "h")
	if again := mustFloat32(t, f, "h"); addressOf(again) != addressOf(h) {
		t.Error("h was converted twice")
	}
	f.Release("h")
	if len(f.copies) != 0 {
		t.Error("the copy of h is still there")
	}
	f.Release("unknown")
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"w", "h"} {
		if _, err := f.Float32(name); err == nil {
			t.Errorf("%s after Close: no error", name)
		}
		if err := f.Read(name, 0, make([]float32, 1)); err == nil {
			t.Errorf("%s read after Close: no error", name)
		}
	}
}

// A file that is cut short while it is open gives errors and never ends the process.
func TestCutShort(t *testing.T) {
	const n = 1 << 18 // 1 MiB: many pages
	path := write(t, "cut.safetensors", safeOf(t, rawTensor{"w", F32, []int{n}, floats(count(n)...)}))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := mustFloat32(t, f, "w")
	total := func() error {
		var sum float64
		for _, v := range w {
			sum += float64(v)
		}
		if sum != n*(n-1)/2 {
			t.Errorf("sum %v", sum)
		}
		return nil
	}
	bound, err := Bind(f, []nn.Param{param("w", n)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Guard(bound, total); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(path, 100_000); err != nil {
		t.Fatal(err)
	}
	f.Release("w")

	const want = "weights: cut.safetensors: the file became shorter after it was opened"
	check := func(what string, err error) {
		var format *FormatError
		if !errors.As(err, &format) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = f.Float32("w")
	check("Float32", err)
	check("Read", f.Read("w", n-10, make([]float32, 10)))
	_, err = Bind(f, []nn.Param{param("w", n)}, Options{})
	check("Bind", err)
	check("Read across the end", f.Read("w", 0, make([]float32, n)))
	_, err = f.SHA256()
	check("SHA256", err)
	if f.volumes[0].data != nil {
		check("a slice from before, guarded", Guard(bound, total))
	}
	if err := f.Read("w", 5, make([]float32, 10)); err != nil {
		t.Errorf("what is left: %v", err)
	}
}

// Guard lets everything else through.
func TestGuard(t *testing.T) {
	f := open(t, "w.safetensors", safeOf(t, rawTensor{"w", F32, []int{1}, floats(1)}))
	other := errors.New("other")
	if err := Guard(f, func() error { return other }); err != other {
		t.Errorf("error: %v", err)
	}
	for name, fault := range map[string]func() error{
		"panic":  func() error { panic("own") },
		"memory": func() error { var p *int; *p = 1; return nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was held back", name)
				}
			}()
			_ = Guard(f, fault)
		}()
	}
}

// Many goroutines use one file.
func TestConcurrent(t *testing.T) {
	var tensors []rawTensor
	for i := range 20 {
		tensors = append(tensors, rawTensor{fmt.Sprint("f", i), F32, []int{3000}, floats(count(3000)...)},
			rawTensor{fmt.Sprint("h", i), BF16, []int{2}, []byte{0x80, 0x3f, 0, 0x40}})
	}
	f := open(t, "w.safetensors", safeOf(t, tensors...))
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			part := make([]float32, 100)
			for i := range 20 {
				if x, err := f.Float32(fmt.Sprint("f", i)); err != nil || x[2999] != 2999 {
					t.Error(err)
				}
				if err := f.Read(fmt.Sprint("f", i), 700, part); err != nil || part[0] != 700 {
					t.Error(err)
				}
				if x, err := f.Float32(fmt.Sprint("h", i)); err != nil || x[1] != 2 {
					t.Error(err)
				}
				if g == 0 {
					f.Release(fmt.Sprint("h", i))
				}
				if _, err := f.SHA256(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
