package features

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// form is the version of what a store's files have in them; another one is never read.
const form = 1

// A recordFile is a file of one network's outputs by image: records of an image's SHA-256 and its features and logits, as
// little-endian float32, appended batch by batch. Several runs may have it open: each appends under a lock, and takes up
// what others have appended. A record that was cut off ends the file until the next run with the lock removes it; whole
// ones are never changed or moved.
type recordFile struct {
	file  *os.File
	width int // values a record
	at    map[[sha256.Size]byte]int64
	end   int64 // of the records that at has
}

func openRecords(path string, width int) (*recordFile, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	r := &recordFile{file: f, width: width, at: map[[sha256.Size]byte]int64{}}
	unlock, whole, err := r.lock()
	if err == nil {
		unlock()
		err = r.index(whole)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func (r *recordFile) recordBytes() int64 { return sha256.Size + 4*int64(r.width) }

// lock waits until no other run is at work on the file and leaves whole records in it.
func (r *recordFile) lock() (unlock func(), whole int64, err error) {
	unlock, err = lock(r.file)
	if err != nil {
		return nil, 0, r.failed(err)
	}
	info, err := r.file.Stat()
	if err == nil {
		whole = info.Size() / r.recordBytes() * r.recordBytes()
		if whole != info.Size() {
			err = r.file.Truncate(whole)
		}
	}
	if err != nil {
		unlock()
		return nil, 0, r.failed(err)
	}
	return unlock, whole, nil
}

// index takes up the records up to whole.
func (r *recordFile) index(whole int64) error {
	var sum [sha256.Size]byte
	for ; r.end < whole; r.end += r.recordBytes() {
		if _, err := r.file.ReadAt(sum[:], r.end); err != nil {
			return r.failed(err)
		}
		r.at[sum] = r.end
	}
	return nil
}

// failed names the file beside an error.
func (r *recordFile) failed(err error) error {
	return fmt.Errorf("features: %s: %w", filepath.Base(r.file.Name()), err)
}

// read gives an image's values; have is false where there are none. A record that is not the image's is an error.
func (r *recordFile) read(sum [sha256.Size]byte, dst []float32) (have bool, err error) {
	at, have := r.at[sum]
	if !have {
		return false, nil
	}
	data := make([]byte, r.recordBytes())
	if _, err := r.file.ReadAt(data, at); err != nil && !errors.Is(err, io.EOF) {
		return false, r.failed(err)
	} else if err != nil || [sha256.Size]byte(data) != sum {
		return false, r.failed(errors.New("another run has changed the file; run again"))
	}
	for i, values := 0, data[sha256.Size:]; i < r.width; i++ {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*i:]))
	}
	return true, nil
}

// write appends images, but those that another run has appended: values is (len(sums), width).
func (r *recordFile) write(sums [][sha256.Size]byte, values []float32) error {
	unlock, whole, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.index(whole); err != nil {
		return err
	}
	data := make([]byte, 0, int64(len(sums))*r.recordBytes())
	for i, sum := range sums {
		if _, have := r.at[sum]; have {
			continue
		}
		data = append(data, sum[:]...)
		for _, v := range values[i*r.width : (i+1)*r.width] {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	if _, err := r.file.Write(data); err != nil {
		return errors.Join(r.failed(err), r.file.Truncate(whole))
	}
	return r.index(whole + int64(len(data)))
}

// appendTo opens a file of the store to read it and to append to it.
func appendTo(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	return f, nil
}
