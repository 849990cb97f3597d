package weights

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The system refuses to let the file grow beyond 64 KiB, as a full disk would: in a process of its own, since the
// limit holds for all of it.
func TestWriteFileLimit(t *testing.T) {
	const variable = "WEIGHTS_TEST_LIMITED"
	if dir := os.Getenv(variable); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		err := WriteFile(filepath.Join(dir, "w.safetensors"), []Named{{"w", []int{1 << 16}, make([]float32, 1<<16)}}, nil)
		fmt.Println("limited:", errors.Is(err, syscall.EFBIG))
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	if err := WriteFile(path, []Named{{"w", []int{1}, []float32{1}}}, nil); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriteFileLimit$", "-test.count=1")
	cmd.Env = append(os.Environ(), variable+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "limited: true") {
		t.Fatalf("%v\n%s", err, out)
	}
	alone(t, dir, "w.safetensors")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file before is gone: %d bytes, %v", len(after), err)
	}
}
