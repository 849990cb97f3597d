package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
)

// A File is an opened checkpoint. It is a Source of the tensors of one of the file's sections, which bear the file's
// names, less the prefix that wrappers such as DataParallel put before all of them ("module."). Fit chooses the section
// and the prefix for a network.
type File struct {
	name   string
	size   int64
	r      io.ReaderAt
	layout layout
	pinned bool           // the section is the one that was asked for
	index  map[string]int // name to layout.entries
	list   []Tensor

	mu     sync.Mutex
	f      *os.File // nil once closed, and where r is memory
	closed bool
	data   []byte // the map, nil where there is none
	copies map[string][]float32
	sha    string
}

// Open opens a checkpoint: safetensors, or PyTorch's zip or older pickle form, told apart by their content. It reads
// the table of tensors, not the tensors. FILE#SECTION names one of the file's sections, or the tensors whose names begin
// with SECTION and a dot. The error is a *FormatError or *UnsupportedError where the content is at fault, and names the
// file.
func Open(name string) (*File, error) {
	path, section := SplitSection(name)
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
	file, err := newFile(filepath.Base(path), f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	if path != name {
		if err := file.pin(section); err != nil {
			f.Close()
			return nil, err
		}
	}
	file.f = f
	file.data = mapFile(f, info.Size())
	return file, nil
}

// newFile parses size bytes of r.
func newFile(name string, r io.ReaderAt, size int64) (*File, error) {
	l, err := parse(name, r, size)
	if err != nil {
		return nil, err
	}
	f := &File{name: name, size: size, r: r, layout: l, copies: map[string][]float32{}}
	if err := f.take(l.sections[0], ""); err != nil {
		return nil, err
	}
	return f, nil
}

// take makes a section, less a prefix of its names, the file's tensors.
func (f *File) take(s section, prefix string) error {
	if err := f.layout.take(f.name, s, prefix); err != nil {
		return err
	}
	f.index, f.list = make(map[string]int, len(f.layout.entries)), nil
	for i, e := range f.layout.entries {
		if _, twice := f.index[e.Name]; twice {
			return &FormatError{File: f.name, Item: e.Name, Offset: -1, Msg: "two tensors have this name"}
		}
		f.index[e.Name] = i
		f.list = append(f.list, e.Tensor)
	}
	return nil
}

// Name is the file's base name.
func (f *File) Name() string { return f.name }

// Metadata is a safetensors file's __metadata__, nil where it has none. The caller must not change it.
func (f *File) Metadata() map[string]string { return f.layout.metadata }

// Tensors lists the tensors in the file's order.
func (f *File) Tensors() []Tensor { return f.list }

// Lookup finds a tensor by its name.
func (f *File) Lookup(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	return f.list[i], true
}

// SHA256 is the file's digest in hexadecimal, computed by reading it once, at the first call.
func (f *File) SHA256() (string, error) {
	f.mu.Lock()
	sha, closed := f.sha, f.closed
	f.mu.Unlock()
	if sha != "" {
		return sha, nil
	}
	if closed {
		return "", fmt.Errorf("weights: %s: closed", f.name)
	}
	h := sha256.New()
	n, err := io.CopyBuffer(h, io.NewSectionReader(f.r, 0, f.size), make([]byte, 1<<20))
	if err != nil {
		return "", fmt.Errorf("weights: %s: %w", f.name, err)
	}
	if n != f.size {
		return "", f.cutShort(n)
	}
	sha = hex.EncodeToString(h.Sum(nil))
	f.mu.Lock()
	f.sha = sha
	f.mu.Unlock()
	return sha, nil
}

// cutShort is the error for a file that ends at byte n now.
func (f *File) cutShort(n int64) error {
	return &FormatError{File: f.name, Offset: n, Msg: fmt.Sprintf("the file became shorter after it was opened: it had %d bytes", f.size)}
}

// readable finds a tensor whose elements are floating-point numbers.
func (f *File) readable(name string) (entry, error) {
	i, ok := f.index[name]
	if !ok {
		if what, is := f.layout.others[name]; is {
			return entry{}, &UnsupportedError{File: f.name, Item: name, Offset: -1, Msg: "is " + what + ", want a tensor"}
		}
		return entry{}, fmt.Errorf("weights: %s: %s: no such tensor", f.name, clip(name))
	}
	e := f.layout.entries[i]
	if !e.Dtype.readable() {
		return entry{}, &UnsupportedError{File: f.name, Item: name, Offset: e.offset,
			Msg: fmt.Sprintf("dtype %s, want F32, F16, BF16 or F64", e.Dtype)}
	}
	return e, nil
}

// Float32 gives a tensor's elements, as Source says.
func (f *File) Float32(name string) ([]float32, error) {
	e, err := f.readable(name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fmt.Errorf("weights: %s: closed", f.name)
	}
	if c, ok := f.copies[name]; ok {
		return c, nil
	}
	if view := f.view(e); view != nil {
		// A page beyond the file's end would be a fault when it is read.
		info, err := f.f.Stat()
		if err != nil {
			return nil, fmt.Errorf("weights: %s: %w", f.name, err)
		}
		if info.Size() < e.offset+4*int64(e.Len()) {
			return nil, f.cutShort(info.Size())
		}
		return view, nil
	}
	out := make([]float32, e.Len())
	if e.strides == nil {
		err = f.copyOut(e, 0, out)
	} else {
		err = f.gather(e, out)
	}
	if err != nil {
		return nil, err
	}
	f.copies[name] = out
	return out, nil
}

// view is a tensor's memory in the map, nil where it cannot be used as it is.
func (f *File) view(e entry) []float32 {
	if f.data == nil || e.Dtype != F32 || e.strides != nil || !littleHost() || e.Len() == 0 {
		return nil
	}
	return floatsOf(f.data[e.offset : e.offset+4*int64(e.Len())])
}

// Read copies a part of a tensor, as Source says.
func (f *File) Read(name string, first int, dst []float32) error {
	e, err := f.readable(name)
	if err != nil {
		return err
	}
	if first < 0 || first > e.Len() || len(dst) > e.Len()-first {
		return fmt.Errorf("weights: %s: %s: elements %d to %d of %d", f.name, clip(name), first, first+len(dst), e.Len())
	}
	if e.strides == nil {
		return f.copyOut(e, first, dst)
	}
	all, err := f.Float32(name)
	if err == nil {
		copy(dst, all[first:])
	}
	return err
}

// copyOut reads elements of a row-major tensor through the file descriptor, whose end of file is an error where the
// map's would be a fault.
func (f *File) copyOut(e entry, first int, dst []float32) error {
	bytes := e.Dtype.size()
	at := e.offset + int64(first)*int64(bytes)
	if e.Dtype == F32 && littleHost() {
		return f.readFull(bytesOf(dst), at)
	}
	const piece = 1 << 14 // elements
	buf := make([]byte, min(len(dst), piece)*bytes)
	for len(dst) > 0 {
		n := min(len(dst), piece)
		if err := f.readFull(buf[:n*bytes], at); err != nil {
			return err
		}
		decode(dst[:n], e.Dtype, buf)
		dst, at = dst[n:], at+int64(n*bytes)
	}
	return nil
}

func (f *File) readFull(b []byte, at int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := f.r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return f.cutShort(at + int64(n))
	}
	return fmt.Errorf("weights: %s: %w", f.name, err)
}

// gather copies a strided tensor out row-major, by way of the part of the storage that it spans.
func (f *File) gather(e entry, out []float32) error {
	flat := entry{Tensor: Tensor{Name: e.Name, Shape: []int{int(e.extent())}, Dtype: e.Dtype}, offset: e.offset}
	span := make([]float32, flat.Len())
	if err := f.copyOut(flat, 0, span); err != nil {
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

// Release drops a copy, or tells the system that a tensor's pages of the map are not needed for now.
func (f *File) Release(name string) {
	i, ok := f.index[name]
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, copied := f.copies[name]; copied {
		delete(f.copies, name)
		return
	}
	if e := f.layout.entries[i]; f.view(e) != nil {
		releasePages(f.data, e.offset, e.offset+4*int64(e.Len()))
	}
}

// Close unmaps and closes the file. A second Close does nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed, f.copies = true, nil
	err := unmapFile(f.data)
	f.data = nil
	if f.f != nil {
		if e := f.f.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("weights: %s: %w", f.name, err)
	}
	return nil
}

// Guard calls read, which may read slices that src's Float32 gave. Should the file below have been cut short
// meanwhile, so that the system cannot supply a page of the map, Guard gives an error instead of ending the process.
// It protects the goroutine that calls it, not those that read starts. Any other panic passes through.
func Guard(src Source, read func() error) (err error) {
	f := fileOf(src)
	if f == nil || f.data == nil {
		return read()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	// The fault comes as a panic: there is no other way to learn of it than to recover.
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			if at := addressIn(f.data, r.Addr()); at >= 0 {
				err = f.cutShort(at)
				return
			}
			panic(r)
		default:
			panic(r)
		}
	}()
	return read()
}

// fileOf is the file under a source, nil where there is none.
func fileOf(src Source) *File {
	switch src := src.(type) {
	case *File:
		return src
	case *Bound:
		return fileOf(src.src)
	}
	return nil
}
