package weights

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
)

// A File is an opened checkpoint: one file, or the shards of one. It is a Source of the tensors of one of the file's
// sections, which bear the file's names, less the prefix that wrappers such as DataParallel put before all of them
// ("module."). Fit chooses the section and the prefix for a network.
type File struct {
	name    string
	volumes []*volume // one, but for shards
	layout  layout
	pinned  bool           // the section is the one that was asked for
	index   map[string]int // name to layout.entries
	list    []Tensor

	mu     sync.Mutex
	closed bool
	copies map[string][]float32

	summing sync.Mutex
	sha     string         // once it is known
	beside  sync.WaitGroup // of StartSHA256
}

// Open opens a checkpoint: safetensors, PyTorch's zip or older pickle form, Keras's HDF5 or NumPy's .npz, told apart by their content;
// the index of a checkpoint's shards; or a folder with any of these, or with a file for each tensor. It reads the table of
// tensors, not the tensors. FILE#SECTION names one of the file's sections, or the tensors whose names begin with SECTION and
// a dot. The error is a *FormatError or *UnsupportedError where the content is at fault, and names the file.
func Open(name string) (*File, error) {
	path, section := SplitSection(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	var f *File
	if info.IsDir() {
		f, err = openFolder(path)
	} else {
		f, err = openNamed(path, filepath.Base(path))
	}
	if err != nil {
		return nil, err
	}
	if path != name {
		if err := f.pin(section); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// openNamed opens a file, or the shards that it is an index of, under a name for messages.
func openNamed(path, name string) (*File, error) {
	p, err := openVolume(path, name)
	if err != nil {
		return nil, err
	}
	if first := make([]byte, 1); p.size > 0 {
		if n, _ := p.r.ReadAt(first, 0); n == 1 && first[0] == '{' {
			defer p.close()
			return openIndex(path, name, p.r, p.size)
		}
	}
	f, err := newFile(p)
	if err != nil {
		p.close()
	}
	return f, err
}

// newFile is the checkpoint in one file.
func newFile(p *volume) (*File, error) {
	l, err := parse(p.name, p.r, p.size)
	if err != nil {
		return nil, err
	}
	if l.lone {
		return nil, &UnsupportedError{File: p.name, Offset: -1,
			Msg: "holds a tensor without a name; give the folder instead: there, each file is named after its tensor"}
	}
	f := &File{name: p.name, volumes: []*volume{p}, layout: l, copies: map[string][]float32{}}
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

// Files lists what was opened on disk: one file, or the files of a checkpoint that has several, by their base names.
func (f *File) Files() []string {
	var names []string
	for _, v := range f.volumes {
		names = append(names, filepath.Base(v.name))
	}
	return names
}

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

// SHA256 is the file's digest in hexadecimal, computed by reading it once, at the first call. That of several files is
// the digest of their digests and names, a line each, as sha256sum prints them.
func (f *File) SHA256() (string, error) {
	f.summing.Lock()
	defer f.summing.Unlock()
	if f.sha != "" {
		return f.sha, nil
	}
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed {
		return "", fmt.Errorf("weights: %s: closed", f.name)
	}
	all, sha := sha256.New(), ""
	for _, p := range f.volumes {
		one, err := p.sha256()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%s  %s\n", one, filepath.Base(p.name))
		sha = one
	}
	if len(f.volumes) > 1 {
		sha = hex.EncodeToString(all.Sum(nil))
	}
	f.sha = sha
	return sha, nil
}

// StartSHA256 begins to compute SHA256 beside what the caller does next; SHA256 waits for it, and so does Close.
func (f *File) StartSHA256() {
	f.beside.Go(func() { _, _ = f.SHA256() }) // an error comes again when somebody asks
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
		p := f.volumes[e.volume]
		info, err := p.f.Stat()
		if err != nil {
			return nil, fmt.Errorf("weights: %s: %w", p.name, err)
		}
		if info.Size() < e.offset+4*int64(e.Len()) {
			return nil, p.cutShort(info.Size())
		}
		return view, nil
	}
	out := make([]float32, e.Len())
	switch {
	case e.unpack != nil:
		err = e.unpack(out)
	case e.strides == nil:
		err = f.volumes[e.volume].copyOut(e, 0, out)
	default:
		err = f.volumes[e.volume].gather(e, out)
	}
	if err != nil {
		return nil, err
	}
	f.copies[name] = out
	return out, nil
}

// view is a tensor's memory in the map, nil where it cannot be used as it is.
func (f *File) view(e entry) []float32 {
	data := f.volumes[e.volume].data
	if data == nil || e.Dtype != F32 || e.strides != nil || e.unpack != nil || !littleHost() || e.Len() == 0 {
		return nil
	}
	return floatsOf(data[e.offset : e.offset+4*int64(e.Len())])
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
	if e.strides == nil && e.unpack == nil {
		return f.volumes[e.volume].copyOut(e, first, dst)
	}
	all, err := f.Float32(name)
	if err == nil {
		copy(dst, all[first:])
	}
	return err
}

// Int8 gives a copy of the elements of a tensor of 8-bit integers, row-major, as safetensors files hold them.
func (f *File) Int8(name string) ([]int8, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, fmt.Errorf("weights: %s: %s: no such tensor", f.name, clip(name))
	}
	e := f.layout.entries[i]
	if e.Dtype != I8 || e.strides != nil || e.unpack != nil {
		return nil, &UnsupportedError{File: f.name, Item: name, Offset: e.offset, Msg: fmt.Sprintf("dtype %s, want I8 without gaps", e.Dtype)}
	}
	x := make([]int8, e.Len())
	return x, f.volumes[e.volume].readFull(int8Bytes(x), e.offset)
}

// Release drops a copy, or lets the system take back a tensor's pages of the map.
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
		releasePages(f.volumes[e.volume].data, e.offset, e.offset+4*int64(e.Len()))
	}
}

// Close unmaps and closes the file. A second Close does nothing.
func (f *File) Close() error {
	f.beside.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed, f.copies = true, nil
	var err error
	for _, p := range f.volumes {
		err = cmp.Or(err, p.close())
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
	if f == nil || !f.mapped() {
		return read()
	}
	return guard(f.volumes, read)
}

func guard(volumes []*volume, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	// The fault comes as a panic: there is no other way to learn of it than to recover.
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			for _, p := range volumes {
				if at := addressIn(p.data, r.Addr()); at >= 0 {
					err = p.cutShort(at)
					return
				}
			}
			panic(r)
		default:
			panic(r)
		}
	}()
	return read()
}

// mapped reports whether a part of the file is mapped.
func (f *File) mapped() bool {
	return slices.ContainsFunc(f.volumes, func(p *volume) bool { return p.data != nil })
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
