// Package hdf5 reads HDF5 files, as far as Keras's weights need it: groups by name, string attributes, and datasets of
// numbers as bytes. It reads superblocks 0 to 3, both kinds of group and of object header, contiguous, compact and chunked
// datasets with every kind of chunk index, and the filters deflate, shuffle and fletcher32.
//
// The contract. A file is not trusted: every address and length is compared with the file before it is used, no memory is
// taken on a claim of the file alone, and all checksums are verified. Blocks that point to each other in a circle, or that
// overlap, are found because reading may cost no more than a small multiple of the file's size; so time and memory stay
// proportional to it, deflate's ratio (1032 at most) included. What breaks the format is a *FormatError, what is sound and
// not read here an *UnsupportedError; both name the object and the byte. Those are: soft and external links, shared messages
// (committed types), filtered heaps, elements that were never written and mean a fill value, filters of other kinds, virtual
// datasets, indexes of some hundred thousand chunks that can grow, and layouts from before HDF5 1.6 or since 2.0. A File and
// its Objects are for one goroutine; a Dataset is read by many at once.
//
// What it leaves to others: the meaning of names and attributes (zoo/weights), and the conversion of numbers.
//
// It is written here because no module of Go alone could be had from proxy.golang.org in November 2026: it refuses
// github.com/scigolib/hdf5, github.com/robert-malhotra/go-hdf5 and github.com/batchatco/go-native-netcdf, and
// gonum.org/v1/hdf5 is the C library.
package hdf5

import (
	"fmt"
	"io"
)

// The format: "HDF5 File Format Specification Version 3.0", The HDF Group. Section numbers in this package are its.

// Signature is what a file begins with.
const Signature = "\x89HDF\r\n\x1a\n"

// A FormatError says that a file breaks the format: it is cut short or lies about an address or a length.
type FormatError struct {
	Object string // path of the group or dataset, "" where there is none
	Offset int64  // position in the file, in bytes; -1 where the fault has none
	Msg    string // what it has and what was wanted
}

// Error is "hdf5: OBJECT: MSG (at byte OFFSET)".
func (e *FormatError) Error() string { return describe(e.Object, e.Msg, e.Offset) }

// An UnsupportedError says that a file holds something that this package does not read.
type UnsupportedError struct {
	Object string // path of the group or dataset, "" where there is none
	Offset int64  // position in the file, in bytes; -1 where there is none
	Msg    string // what it is
}

// Error is "hdf5: OBJECT: MSG (at byte OFFSET)".
func (e *UnsupportedError) Error() string { return describe(e.Object, e.Msg, e.Offset) }

func describe(object, msg string, offset int64) string {
	s := "hdf5: "
	if object != "" {
		s += object + ": "
	}
	s += msg
	if offset >= 0 {
		s += fmt.Sprintf(" (at byte %d)", offset)
	}
	return s
}

// broken is a *FormatError at an address.
func broken(at uint64, format string, args ...any) error {
	return &FormatError{Offset: position(at), Msg: fmt.Sprintf(format, args...)}
}

// unread is an *UnsupportedError at an address.
func unread(at uint64, format string, args ...any) error {
	return &UnsupportedError{Offset: position(at), Msg: fmt.Sprintf(format, args...)}
}

// position is an address as a file's position, -1 where it can be none.
func position(at uint64) int64 {
	if at > 1<<62 {
		return -1
	}
	return int64(at)
}

// A File is an opened HDF5 file.
type File struct {
	r                io.ReaderAt
	size             int64
	offsets, lengths int  // bytes of an address and of a length
	verify           bool // checksums
	root             uint64

	left        int64 // bytes that may yet be read
	seen        map[uint64]bool
	objects     map[uint64]*Object
	heaps       map[uint64]*fractalHeap
	collections map[uint64]*collection
}

// Open reads the superblock of a file of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) { return open(r, size, true) }

// open is Open. A fuzzer that had to hit checksums too would find little, so that it turns them off.
func open(r io.ReaderAt, size int64, verify bool) (*File, error) {
	f := &File{
		r: r, size: size, offsets: 8, lengths: 8, verify: verify, left: budget(size), seen: map[uint64]bool{},
		objects: map[uint64]*Object{}, heaps: map[uint64]*fractalHeap{}, collections: map[uint64]*collection{},
	}
	if err := f.superblock(); err != nil {
		return nil, err
	}
	return f, nil
}

// superblock is section II: where the root group is, and how wide addresses are.
func (f *File) superblock() error {
	c, err := f.block("superblock", 0, uint64(min(f.size, 128)))
	if err != nil {
		return err
	}
	if sig := c.take(8); string(sig) != Signature {
		return broken(0, "does not begin as HDF5 does")
	}
	version := c.u8()
	var base, extension, driver, end uint64
	switch version {
	case 0, 1:
		c.skip(4)
		f.offsets, f.lengths = int(c.u8()), int(c.u8())
		c.skip(9)
		if version == 1 {
			c.skip(4)
		}
	case 2, 3:
		f.offsets, f.lengths = int(c.u8()), int(c.u8())
		if flags := c.u8(); flags&5 != 0 && c.err == nil {
			return broken(11, "the program that wrote the file did not close it")
		}
	default:
		if c.err == nil {
			return unread(8, "superblock of version %d, want 0 to 3", version)
		}
	}
	for _, n := range []int{f.offsets, f.lengths} {
		if n != 2 && n != 4 && n != 8 && c.err == nil {
			return unread(0, "addresses of %d and lengths of %d bytes, want 2, 4 or 8", f.offsets, f.lengths)
		}
	}
	base = c.address()
	if version < 2 {
		c.skip(f.offsets) // free space
		end = c.address()
		driver, extension = c.address(), undefined
		c.skip(f.offsets) // the root's name
		f.root = c.address()
	} else {
		extension, driver = c.address(), undefined
		end = c.address()
		f.root = c.address()
		c.trim(c.i + 4)
		if err := c.checksum(); err != nil {
			return err
		}
	}
	switch {
	case c.err != nil:
		return c.err
	case base != 0:
		return unread(0, "base address %d, want 0", base)
	case end > uint64(f.size):
		return broken(uint64(f.size), "the file is cut short: it has %d bytes, want %d", f.size, end)
	case driver != undefined:
		return unread(0, "a file in several parts")
	case extension == undefined:
		return nil
	}
	o, err := f.object(nil, "superblock extension", extension)
	if err != nil {
		return err
	}
	for _, m := range o.messages {
		if m.kind == msgDriver || m.kind == msgCacheImage {
			return unread(m.at, "superblock extension with message %#x: a file in parts, or an image of a cache", m.kind)
		}
	}
	return nil
}

// Root is the root group.
func (f *File) Root() (*Object, error) { return f.object(nil, "/", f.root) }
