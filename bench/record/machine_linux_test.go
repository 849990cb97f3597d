package record

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCaches(t *testing.T) {
	dir := t.TempDir()
	for index, cache := range [][3]string{
		{"1", "Data", "64K"}, {"1", "Instruction", "48K"}, {"2", "Unified", "1024K"}, {"3", "Unified", "32768K"}, {"4", "Unified", "x"},
	} {
		at := filepath.Join(dir, "index"+string(rune('0'+index)))
		if err := os.Mkdir(at, 0o777); err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{"level", "type", "size"} {
			if err := os.WriteFile(filepath.Join(at, name), []byte(cache[k]+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if l1d, l2, l3 := caches(dir); l1d != 64<<10 || l2 != 1<<20 || l3 != 32<<20 {
		t.Errorf("%d, %d and %d bytes", l1d, l2, l3)
	}
	if l1d, l2, l3 := caches(t.TempDir()); l1d != 0 || l2 != 0 || l3 != 0 {
		t.Errorf("no caches: %d, %d and %d bytes", l1d, l2, l3)
	}
}
