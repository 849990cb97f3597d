package training

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk ends a run whose state does not fit, as on a full disk, and says what to do: in a process of its own, since the
// limit holds for all of it.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv("TRAINING_TEST_LIMITED"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 2 << 10, Max: 2 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		_, err := Train(t.Context(), job(t, dir, filepath.Join(dir, "out.safetensors")))
		fmt.Println("error:", err)
		return
	}
	dir := colours(t, 4)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.count=1")
	cmd.Env = append(os.Environ(), "TRAINING_TEST_LIMITED="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "error: training: state after step 1: ") ||
		!strings.Contains(string(out), "; there is none before it") {
		t.Fatalf("%v\n%s", err, out)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*out.safetensors*"))
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left)+len(hidden) > 0 {
		t.Errorf("files %v, %v (%v), want none left behind", left, hidden, err)
	}
}
