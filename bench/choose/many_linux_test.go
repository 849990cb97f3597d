package choose

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// mostMemory bounds the process that chooses on 100,000 images.
const mostMemory = 512 << 20

// TestHundredThousand chooses on a sample of 10,000 of 100,000 images, and on all of them.
func TestHundredThousand(t *testing.T) {
	if os.Getenv("ZOO_LONG") == "" {
		t.Skip("writes 100,000 images: with ZOO_LONG only")
	}
	const n = 100_000
	root := t.TempDir()
	start := time.Now()
	for i := range n {
		hue := hues[i%len(hues)]
		writeImage(t, filepath.Join(root, hue.name, fmt.Sprintf("%06d.png", i)), hue.color, uint64(i))
	}
	t.Logf("written in %v", time.Since(start).Round(time.Second))
	o := options(t, root)
	for _, o.Images = range []int{10_000, 0} {
		start = time.Now()
		r, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		peak := u.Maxrss << 10
		t.Logf("%d of %d images in %v and %d MiB: %s", r.Images, r.Found, time.Since(start).Round(time.Second), peak>>20, r.Reason)
		if want := cmp.Or(o.Images, n); r.Images != want || r.Found != n || peak > mostMemory {
			t.Errorf("%d of %d images in %d MiB, want %d of %d in %d", r.Images, r.Found, peak>>20, want, n, mostMemory>>20)
		}
	}
}
