package choose

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// mostMemory bounds the process that chooses on a sample of 100,000 pictures.
const mostMemory = 512 << 20

// TestHundredThousand chooses on a sample of 10,000 of 100,000 pictures in memory that does not grow with them.
func TestHundredThousand(t *testing.T) {
	if os.Getenv("ZOO_LONG") == "" {
		t.Skip("writes 100,000 pictures: with ZOO_LONG only")
	}
	const n = 100_000
	root := t.TempDir()
	start := time.Now()
	for i := range n {
		hue := hues[i%len(hues)]
		writePicture(t, filepath.Join(root, hue.name, fmt.Sprintf("%06d.png", i)), hue.color, uint64(i))
	}
	t.Logf("written in %v", time.Since(start).Round(time.Second))
	o := options(t, root)
	o.Pictures = 10_000
	start = time.Now()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	peak := peakBytes(t)
	t.Logf("%d of %d pictures in %v and %d MiB: %s", r.Pictures, r.Found, time.Since(start).Round(time.Second), peak>>20, r.Reason)
	if r.Pictures != o.Pictures || r.Found != n || peak > mostMemory {
		t.Errorf("%d of %d pictures in %d MiB, want %d of %d in %d", r.Pictures, r.Found, peak>>20, o.Pictures, n, mostMemory>>20)
	}
}

// peakBytes is the largest resident set of this process so far.
func peakBytes(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := bytes.Cut(text, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if !found || len(fields) == 0 {
		t.Fatal("no VmHWM")
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
