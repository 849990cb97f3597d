package choose

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// mostMemory bounds the process that chooses on 100,000 pictures.
const mostMemory = 512 << 20

// TestHundredThousand chooses on a sample of 10,000 of 100,000 pictures, and on all of them.
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
	for _, o.Pictures = range []int{10_000, 0} {
		start = time.Now()
		r, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		peak := peakBytes(t)
		t.Logf("%d of %d pictures in %v and %d MiB: %s", r.Pictures, r.Found, time.Since(start).Round(time.Second), peak>>20, r.Reason)
		if want := cmp.Or(o.Pictures, n); r.Pictures != want || r.Found != n || peak > mostMemory {
			t.Errorf("%d of %d pictures in %d MiB, want %d of %d in %d", r.Pictures, r.Found, peak>>20, want, n, mostMemory>>20)
		}
	}
}

// TestManyFeatures tests heads on a network's 2,048 features of 100,000 pictures, which are 781 MiB, in less than that:
// fits and neighbours have a bounded part of them, twice, and read the rest from the file as they go.
func TestManyFeatures(t *testing.T) {
	if os.Getenv("ZOO_LONG") == "" {
		t.Skip("writes 781 MiB and fits for minutes: with ZOO_LONG only")
	}
	const n, d, classes = 100_000, 2048, 3
	features, labels := cloudsOnDisk(t, n, d, classes)
	s := newStudy(t, labels, classes, 5)
	const most = 780 << 20
	for _, head := range []struct {
		name    string
		predict func() (table, error)
	}{
		{headProbe, func() (table, error) {
			p, _, err := s.probe(context.Background(), features.loaded(), nil)
			return p, err
		}},
		{headNearest, func() (table, error) {
			p, _, err := s.neighbour(context.Background(), features.loaded())
			return p, err
		}},
	} {
		t.Run(head.name, func(t *testing.T) {
			start := time.Now()
			probabilities, err := head.predict()
			if err != nil {
				t.Fatal(err)
			}
			accuracy := score(s.outcome(probabilities)).Accuracy.Value
			peak := peakBytes(t)
			t.Logf("%s in %v, peak %d MiB", percent(accuracy), time.Since(start).Round(time.Second), peak>>20)
			if peak > most || features.err() != nil || accuracy < 0.9 {
				t.Errorf("%d MiB, error %v, accuracy %g; want at most %d MiB", peak>>20, features.err(), accuracy, most>>20)
			}
		})
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
