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
// little-endian float32, appended batch by batch. A record that was cut off ends the file.
type store struct {
	file  *os.File
	width int // values a record
	at    map[[sha256.Size]byte]int64
}

func openStore(path string, width int) (*store, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	s := &store{file: f, width: width, at: map[[sha256.Size]byte]int64{}}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("choose: %w", err)
	}
	whole := info.Size() / s.recordBytes() * s.recordBytes()
	if whole != info.Size() {
		if err := f.Truncate(whole); err != nil {
			f.Close()
			return nil, fmt.Errorf("choose: %w", err)
		}
	}
	var sum [sha256.Size]byte
	for at := int64(0); at < whole; at += s.recordBytes() {
		if _, err := f.ReadAt(sum[:], at); err != nil {
			f.Close()
			return nil, fmt.Errorf("choose: %w", err)
		}
		s.at[sum] = at
	}
	return s, nil
}

func (s *store) recordBytes() int64 { return sha256.Size + 4*int64(s.width) }

// read gives a picture's values; have is false where there are none.
func (s *store) read(sum [sha256.Size]byte, dst []float32) (have bool, err error) {
	at, have := s.at[sum]
	if !have {
		return false, nil
	}
	data := make([]byte, 4*s.width)
	if _, err := s.file.ReadAt(data, at+sha256.Size); err != nil {
		return false, fmt.Errorf("choose: %s: %w", filepath.Base(s.file.Name()), err)
	}
	for i := range s.width {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return true, nil
}

// write appends pictures: values is (len(sums), width).
func (s *store) write(sums [][sha256.Size]byte, values []float32) error {
	data := make([]byte, 0, int64(len(sums))*s.recordBytes())
	for i, sum := range sums {
		data = append(data, sum[:]...)
		for _, v := range values[i*s.width : (i+1)*s.width] {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	end, err := s.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	if _, err := s.file.Write(data); err != nil {
		return errors.Join(fmt.Errorf("choose: %w", err), s.file.Truncate(end))
	}
	for i, sum := range sums {
		s.at[sum] = end + int64(i)*s.recordBytes()
	}
	return nil
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
