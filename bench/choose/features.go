package choose

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"zoobench/datasets"
)

// storeForm is the version of what the cache holds; another one is never read.
const storeForm = 1

// A store is a file of one network's outputs by picture: records of a picture's SHA-256 and its features and logits, as
// little-endian float32, appended batch by batch. Several runs may have it open: each appends under a lock, and takes up
// what others have appended. A record that was cut off ends the file until the next run with the lock removes it; whole
// ones are never changed or moved.
type store struct {
	file  *os.File
	width int // values a record
	at    map[[sha256.Size]byte]int64
	end   int64 // of the records that at has
}

func openStore(path string, width int) (*store, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	s := &store{file: f, width: width, at: map[[sha256.Size]byte]int64{}}
	unlock, whole, err := s.lock()
	if err == nil {
		unlock()
		err = s.index(whole)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func (s *store) recordBytes() int64 { return sha256.Size + 4*int64(s.width) }

// lock waits until no other run is at work on the file and leaves whole records in it.
func (s *store) lock() (unlock func(), whole int64, err error) {
	unlock, err = lock(s.file)
	if err != nil {
		return nil, 0, s.failed(err)
	}
	info, err := s.file.Stat()
	if err == nil {
		whole = info.Size() / s.recordBytes() * s.recordBytes()
		if whole != info.Size() {
			err = s.file.Truncate(whole)
		}
	}
	if err != nil {
		unlock()
		return nil, 0, s.failed(err)
	}
	return unlock, whole, nil
}

// index takes up the records up to whole.
func (s *store) index(whole int64) error {
	var sum [sha256.Size]byte
	for ; s.end < whole; s.end += s.recordBytes() {
		if _, err := s.file.ReadAt(sum[:], s.end); err != nil {
			return s.failed(err)
		}
		s.at[sum] = s.end
	}
	return nil
}

// failed names the file beside an error.
func (s *store) failed(err error) error {
	return fmt.Errorf("choose: %s: %w", filepath.Base(s.file.Name()), err)
}

// read gives a picture's values; have is false where there are none. A record that is not the picture's is an error.
func (s *store) read(sum [sha256.Size]byte, dst []float32) (have bool, err error) {
	at, have := s.at[sum]
	if !have {
		return false, nil
	}
	data := make([]byte, s.recordBytes())
	if _, err := s.file.ReadAt(data, at); err != nil && !errors.Is(err, io.EOF) {
		return false, s.failed(err)
	} else if err != nil || [sha256.Size]byte(data) != sum {
		return false, s.failed(errors.New("another run has changed the file; run again"))
	}
	for i, values := 0, data[sha256.Size:]; i < s.width; i++ {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*i:]))
	}
	return true, nil
}

// write appends pictures, but those that another run has appended: values is (len(sums), width).
func (s *store) write(sums [][sha256.Size]byte, values []float32) error {
	unlock, whole, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.index(whole); err != nil {
		return err
	}
	data := make([]byte, 0, int64(len(sums))*s.recordBytes())
	for i, sum := range sums {
		if _, have := s.at[sum]; have {
			continue
		}
		data = append(data, sum[:]...)
		for _, v := range values[i*s.width : (i+1)*s.width] {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	if _, err := s.file.Write(data); err != nil {
		return errors.Join(s.failed(err), s.file.Truncate(whole))
	}
	return s.index(whole + int64(len(data)))
}

// extract returns the features of all readable pictures and, where own is not nil, the logits of those classes: a row
// for each picture of the task, zero for an unreadable one. What dir holds already is not computed again, and what is
// computed is in dir before the next batch, so that a run that was killed goes on from there. The features stay in
// their file, which the caller closes with them.
func extract(ctx context.Context, n *Network, t *Task, pictures []picture, own []int, dir, build string, step func(done, total int)) (features, logits table, err error) {
	key, err := n.key(build)
	if err != nil {
		return features, logits, err
	}
	s, err := openStore(filepath.Join(dir, n.Name+"-"+key+".features"), n.Outputs())
	if err != nil {
		return features, logits, err
	}
	defer func() {
		if err != nil {
			s.file.Close()
		}
	}()
	sums := make([][sha256.Size]byte, len(pictures))
	var missing []int
	asked := map[[sha256.Size]byte]bool{}
	for i, p := range pictures {
		if p.Err != "" {
			continue
		}
		if _, err := hex.Decode(sums[i][:], []byte(p.SHA256)); err != nil {
			return features, logits, fmt.Errorf("choose: %s: hash %q: %w", t.Files[i], p.SHA256, err)
		}
		if _, have := s.at[sums[i]]; !have && !asked[sums[i]] {
			asked[sums[i]] = true
			missing = append(missing, i)
		}
	}
	if len(missing) > 0 {
		if err := compute(ctx, n, t, s, sums, missing, step); err != nil {
			return features, logits, err
		}
	}
	at := make([]int64, len(pictures))
	logits = newTable(len(pictures), len(own))
	values := make([]float32, n.Outputs())
	for i, p := range pictures {
		if at[i] = -1; p.Err != "" {
			continue
		}
		have, err := s.read(sums[i], values)
		if err != nil {
			return features, logits, err
		}
		if !have {
			return features, logits, fmt.Errorf("choose: %s: not computed", t.Files[i])
		}
		for _, v := range values[:n.Features] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return features, logits, fmt.Errorf("choose: %s: features of %s are not finite", n.Name, t.Files[i])
			}
		}
		at[i] = s.at[sums[i]] + sha256.Size
		for c, class := range own {
			logits.row(i)[c] = values[n.Features+class]
		}
	}
	return table{rows: len(pictures), cols: n.Features, file: newRowFile(s.file, at, n.Features)}, logits, nil
}

// extractBatch is how many pictures go through a network at a time.
const extractBatch = 8

// compute runs the network over the pictures of these indices.
func compute(ctx context.Context, n *Network, t *Task, s *store, sums [][sha256.Size]byte, index []int, step func(done, total int)) error {
	src := newSome(t.source, index)
	loader, err := datasets.NewLoader(src, n.Recipe, datasets.LoadOptions{Batch: n.engine.Batch()})
	if err != nil {
		return err
	}
	out := make([]float32, n.engine.Batch()*n.Outputs())
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		of := make([][sha256.Size]byte, len(batch.Items))
		for j := range batch.Items {
			i := index[batch.First+j]
			if of[j] = src.sums[batch.First+j]; batch.Errs[j] != nil || of[j] != sums[i] {
				return fmt.Errorf("choose: %s: changed since it was scanned; run again", t.Files[i])
			}
		}
		n.Run(out, batch.Tensor, len(batch.Items))
		if err := s.write(of, out); err != nil {
			return err
		}
		if step != nil {
			step(batch.First+len(batch.Items), len(index))
		}
	}
	return nil
}
