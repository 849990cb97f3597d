package hdf5

// A Dataset is an array of elements. Its elements are read by many goroutines at once.
type Dataset struct {
	Shape []int // empty for a single element
	Type  Type

	f       *File
	o       *Object
	most    []uint64 // how far each dimension can grow
	bytes   int64    // of all elements
	run     int64    // where they begin, if they are one run of the file's bytes; else -1
	chunk   []int    // a chunk's shape; nil for a run
	chunks  []chunk
	filters []int
}

// A chunk is a block of a chunked dataset, as it is stored.
type chunk struct {
	at, bytes uint64
	skipped   uint32 // filters that were not applied
}

// Dataset reads what an object is, but no element.
func (o *Object) Dataset() (*Dataset, error) {
	d := &Dataset{f: o.f, o: o, run: -1}
	if err := d.read(o); err != nil {
		return nil, o.named(err)
	}
	return d, nil
}

func (d *Dataset) read(o *Object) error {
	if !o.IsDataset() {
		return broken(o.at, "is not a dataset")
	}
	t, err := datatype(o.need(msgDatatype, "datatype"))
	if err != nil {
		return err
	}
	s, err := dataspace(o.need(msgDataspace, "dataspace"))
	if err != nil {
		return err
	}
	d.Type, d.Shape, d.most = t, s.shape, s.most
	n := s.elements()
	if n > maxElements/int64(t.Bytes) {
		return broken(o.at, "shape %v of %v is too large", s.shape, t)
	}
	d.bytes = n * int64(t.Bytes)
	if _, ok := o.find(msgExternal); ok {
		return unread(o.at, "elements are in other files")
	}
	if _, ok := o.find(msgFilters); ok {
		if d.filters, err = filters(o.need(msgFilters, "filter pipeline")); err != nil {
			return err
		}
	}
	return d.layout(o.need(msgLayout, "data layout"))
}

// layout reads a data layout message (section IV.A.2.i).
func (d *Dataset) layout(c *cursor) error {
	const compact, contiguous, chunked, virtual = 0, 1, 2, 3
	start := c.pos()
	version, class := c.u8(), c.u8()
	switch {
	case c.err != nil:
		return c.err
	case version != 3 && version != 4:
		return unread(start, "data layout of version %d, want 3 or 4", version)
	case class == compact:
		n := c.u16()
		at := c.pos()
		c.skip(n)
		if c.err != nil {
			return c.err
		}
		return d.whole(start, at, uint64(n))
	case class == contiguous:
		at, n := c.address(), c.length()
		if c.err != nil {
			return c.err
		}
		return d.whole(start, at, n)
	case class == chunked:
		return d.chunked(c, version)
	case class == virtual:
		return unread(start, "virtual dataset: its elements are in others")
	}
	return broken(start, "data layout of class %d", class)
}

// whole places the elements in one run.
func (d *Dataset) whole(start, at, n uint64) error {
	switch {
	case len(d.filters) > 0:
		return broken(start, "filters on elements that are not in chunks")
	case d.bytes == 0:
		d.run = 0
		return nil
	case at == undefined:
		return unread(start, "elements have never been written")
	case n != uint64(d.bytes):
		return broken(start, "%d bytes, want %d for %v %v", n, d.bytes, d.Type, d.Shape)
	case at > uint64(d.f.size) || n > uint64(d.f.size)-at:
		return broken(start, "%d bytes of elements at %d do not fit into a file of %d", n, at, d.f.size)
	}
	d.run = int64(at)
	return nil
}

// Run is the position of the first element in the file where the elements follow each other there in row-major order, as
// Type has them, and whether they do.
func (d *Dataset) Run() (at int64, ok bool) { return d.run, d.run >= 0 }

// Bytes reads the elements, row-major, and turns big-endian numbers to little-endian.
func (d *Dataset) Bytes() ([]byte, error) {
	out := make([]byte, d.bytes)
	switch {
	case d.bytes == 0:
	case d.run >= 0:
		if err := d.f.readAt(out, uint64(d.run)); err != nil {
			return nil, d.o.named(err)
		}
	default:
		for i := range d.chunks {
			if err := d.put(i, out); err != nil {
				return nil, d.o.named(err)
			}
		}
	}
	if n := d.Type.Bytes; d.Type.BigEndian {
		for at := 0; at < len(out); at += n {
			for i, j := at, at+n-1; i < j; i, j = i+1, j-1 {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out, nil
}

// put reads chunk i and copies its rows to their places.
func (d *Dataset) put(i int, out []byte) error {
	c := d.chunks[i]
	stored := make([]byte, c.bytes)
	if err := d.f.readAt(stored, c.at); err != nil {
		return err
	}
	b, err := undo(stored, d.filters, c.skipped, d.Type.Bytes, product(d.chunk)*d.Type.Bytes)
	if err != nil {
		return broken(c.at, "%v", err)
	}
	// The chunk's first element, and its extent within the shape.
	rank := len(d.Shape)
	first, extent := make([]int, rank), make([]int, rank)
	for k := rank - 1; k >= 0; k-- {
		along := (d.Shape[k] + d.chunk[k] - 1) / d.chunk[k]
		first[k] = i % along * d.chunk[k]
		extent[k] = min(d.chunk[k], d.Shape[k]-first[k])
		i /= along
	}
	at := make([]int, rank) // in the chunk
	row := extent[rank-1] * d.Type.Bytes
	for {
		from, to := 0, 0
		for k := range rank {
			from = from*d.chunk[k] + at[k]
			to = to*d.Shape[k] + first[k] + at[k]
		}
		copy(out[to*d.Type.Bytes:][:row], b[from*d.Type.Bytes:])
		k := rank - 2
		for ; k >= 0; k-- {
			if at[k]++; at[k] < extent[k] {
				break
			}
			at[k] = 0
		}
		if k < 0 {
			return nil
		}
	}
}

// product multiplies a shape out that is known not to overflow.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
