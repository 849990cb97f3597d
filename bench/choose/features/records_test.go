package features

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// sharedWidth is the number of values a record of these tests.
const sharedWidth = 3

// openShared opens a file of records as another run does.
func openShared(t *testing.T, path string) *recordFile {
	t.Helper()
	s, err := openRecords(path, sharedWidth)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	return s
}

// sharedSum and sharedValues are image i's hash and values.
func sharedSum(i int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }

func sharedValues(i int) []float32 { return []float32{float32(i), float32(i) + 0.25, -float32(i)} }

// put writes images into a file.
func put(s *recordFile, images ...int) error {
	var sums [][sha256.Size]byte
	var values []float32
	for _, i := range images {
		sums, values = append(sums, sharedSum(i)), append(values, sharedValues(i)...)
	}
	return s.write(sums, values)
}

// holds reads images from a file.
func holds(s *recordFile, images ...int) error {
	got := make([]float32, sharedWidth)
	for _, i := range images {
		have, err := s.read(sharedSum(i), got)
		if err != nil {
			return err
		}
		if !have || !slices.Equal(got, sharedValues(i)) {
			return fmt.Errorf("image %d: have %v, values %v, want %v", i, have, got, sharedValues(i))
		}
	}
	return nil
}

// halfRecord appends a part of a record, as a run does that is killed while it writes.
func halfRecord(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := appendTo(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	sum := sharedSum(9)
	if _, err := f.Write(sum[:]); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestRecordsInTurns has two runs append to one file in turns, and one that was killed: each finds what it wrote and what
// the others had written by then, no image is there twice, and a third run finds all.
func TestRecordsInTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.features")
	a, b := openShared(t, path), openShared(t, path)
	halfRecord(t, path)
	for _, turn := range []struct {
		records *recordFile
		images  []int
	}{{a, []int{0, 1}}, {b, []int{1, 2, 0}}, {a, []int{3, 2}}, {b, []int{4}}} {
		if err := put(turn.records, turn.images...); err != nil {
			t.Fatal(err)
		}
		if err := holds(turn.records, turn.images...); err != nil {
			t.Error(err)
		}
	}
	if err := holds(a, 0, 1, 2, 3); err != nil {
		t.Error(err)
	}
	if err := holds(openShared(t, path), 0, 1, 2, 3, 4); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != 5*a.recordBytes() {
		t.Errorf("%d bytes, %v; want five records of %d", info.Size(), err, a.recordBytes())
	}
}

// TestRecordsAtOnce has runs append to one file at the same time, and others that open it meanwhile.
func TestRecordsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.features")
	const runs, batches = 8, 40
	var wait sync.WaitGroup
	for run := range runs {
		wait.Go(func() {
			for batch := range batches {
				s, err := openRecords(path, sharedWidth)
				if err != nil {
					t.Error(err)
					return
				}
				first := 2 * (run*batches + batch)
				if err := put(s, first, first+1); err != nil {
					t.Error(err)
				}
				if err := holds(s, first, first+1); err != nil {
					t.Error(err)
				}
				s.file.Close()
			}
		})
	}
	wait.Wait()
	s := openShared(t, path)
	for i := range 2 * runs * batches {
		if err := holds(s, i); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordsWait opens a file that another run is writing to: what is there by half is not cut off.
func TestRecordsWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.features")
	if err := put(openShared(t, path), 0); err != nil {
		t.Fatal(err)
	}
	writer := openShared(t, path)
	unlock, _, err := writer.lock()
	if err != nil {
		t.Fatal(err)
	}
	f := halfRecord(t, path)
	opened := make(chan *recordFile)
	go func() {
		s, err := openRecords(path, sharedWidth)
		if err != nil {
			t.Error(err)
		}
		opened <- s
	}()
	select {
	case s := <-opened:
		s.file.Close()
		t.Fatal("opened while another run writes")
	case <-time.After(20 * time.Millisecond): // long enough to go wrong; nothing hangs on it where all is right
	}
	if _, err := f.Write(make([]byte, 4*sharedWidth)); err != nil {
		t.Fatal(err)
	}
	unlock()
	s := <-opened
	defer s.file.Close()
	if have, err := s.read(sharedSum(9), make([]float32, sharedWidth)); !have || err != nil {
		t.Errorf("the record under way: have %v, %v", have, err)
	}
	if err := holds(s, 0); err != nil {
		t.Error(err)
	}
}

// TestRecordsChanged says so where a record is not the image's any more.
func TestRecordsChanged(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(path string) error
	}{
		{"another image's record", func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			other := sharedSum(7)
			return os.WriteFile(path, append(other[:], data[len(other):]...), 0o666)
		}},
		{"cut off", func(path string) error { return os.Truncate(path, 5) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "shared.features")
			s := openShared(t, path)
			if err := put(s, 0); err != nil {
				t.Fatal(err)
			}
			if err := test.change(path); err != nil {
				t.Fatal(err)
			}
			if err := holds(s, 0); err == nil || !strings.Contains(err.Error(), "shared.features: another run has changed the file; run again") {
				t.Errorf("error %v", err)
			}
		})
	}
}
