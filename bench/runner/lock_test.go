//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package runner

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestLockNamesTheOther(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Errorf("a second writer: error %v, want one that names this process", err)
	}
	unlock()
	again, err := lock(dir)
	if err != nil {
		t.Fatalf("after the first writer's end: %v", err)
	}
	again()
}
