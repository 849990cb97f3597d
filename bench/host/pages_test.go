package host

import (
	"fmt"
	"testing"
)

func TestReadPages(t *testing.T) {
	root := t.TempDir()
	rollup := func(kib int) {
		lay(t, root, map[string]string{"proc/self/smaps_rollup": fmt.Sprintf(
			"55d7-7ffe ---p 00000000 00:00 0 [rollup]\nRss: 900 kB\nAnonHugePages: %d kB\n", kib)})
	}
	read := func(after int) *Pages {
		return ReadPages(root, func(n int) []float32 {
			rollup(after)
			return make([]float32, n)
		})
	}
	if p := ReadPages(root, func(n int) []float32 { return make([]float32, n) }); p != nil {
		t.Errorf("no file: %+v, want nil", p)
	}
	for _, test := range []struct {
		setting, want string
		before, after int
		share         float64
	}{
		{"always [madvise] never\n", "madvise", 2048, 2048 + 48<<10, 0.75},
		{"always madvise [never]\n", "never", 2048, 2048, 0},
		{"[always] madvise never\n", "always", 0, 200 << 10, 1},
		{"hostile ] text [", "", 4096, 0, 0},
	} {
		lay(t, root, map[string]string{"sys/kernel/mm/transparent_hugepage/enabled": test.setting})
		rollup(test.before)
		if p := read(test.after); p == nil || p.Setting != test.want || p.Share != test.share {
			t.Errorf("%q: %+v, want %s and %v", test.setting, p, test.want, test.share)
		}
	}
}
