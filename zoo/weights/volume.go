package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// A volume is one file on disk.
type volume struct {
	name string
	size int64
	r    io.ReaderAt
	f    *os.File // nil where r is memory
	data []byte   // the map, nil where there is none
}

// openVolume opens a file on disk and maps it.
func openVolume(path, name string) (*volume, error) {
	// Opening a pipe would wait for a writer.
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("weights: %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("weights: %w", err)
	}
	return &volume{name: name, size: info.Size(), r: f, f: f, data: mapFile(f, info.Size())}, nil
}

// close unmaps and closes the file.
func (p *volume) close() error {
	err := unmapFile(p.data)
	p.data = nil
	if p.f != nil {
		if e := p.f.Close(); err == nil {
			err = e
		}
	}
	return err
}

func (p *volume) sha256() (string, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, io.NewSectionReader(p.r, 0, p.size), make([]byte, 1<<20))
	if err != nil {
		return "", fmt.Errorf("weights: %s: %w", p.name, err)
	}
	if n != p.size {
		return "", p.cutShort(n)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// cutShort is the error for a file that ends at byte n now.
func (p *volume) cutShort(n int64) error {
	return &FormatError{File: p.name, Offset: n, Msg: fmt.Sprintf("the file became shorter after it was opened: it had %d bytes", p.size)}
}

// copyOut reads elements of a row-major tensor through the file descriptor, whose end of file is an error where the
// map's would be a fault.
func (p *volume) copyOut(e entry, first int, dst []float32) error {
	bytes := e.Dtype.size()
	at := e.offset + int64(first)*int64(bytes)
	if e.Dtype == F32 && littleHost() {
		return p.readFull(bytesOf(dst), at)
	}
	const piece = 1 << 14 // elements
	buf := make([]byte, min(len(dst), piece)*bytes)
	for len(dst) > 0 {
		n := min(len(dst), piece)
		if err := p.readFull(buf[:n*bytes], at); err != nil {
			return err
		}
		Decode(dst[:n], e.Dtype, buf)
		dst, at = dst[n:], at+int64(n*bytes)
	}
	return nil
}

func (p *volume) readFull(b []byte, at int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := p.r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return p.cutShort(at + int64(n))
	}
	return fmt.Errorf("weights: %s: %w", p.name, err)
}

// gather copies a strided tensor out row-major, by way of the part of the storage that it spans.
func (p *volume) gather(e entry, out []float32) error {
	flat := entry{Tensor: Tensor{Name: e.Name, Shape: []int{int(e.extent())}, Dtype: e.Dtype}, offset: e.offset}
	span := make([]float32, flat.Len())
	if err := p.copyOut(flat, 0, span); err != nil {
		return err
	}
	at := make([]int, len(e.Shape))
	from := 0
	for i := range out {
		out[i] = span[from]
		for d := len(at) - 1; d >= 0; d-- { // step the index as an odometer
			at[d]++
			from += e.strides[d]
			if at[d] < e.Shape[d] {
				break
			}
			from -= at[d] * e.strides[d]
			at[d] = 0
		}
	}
	return nil
}
