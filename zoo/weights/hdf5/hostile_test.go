package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// use reads all that content has, and gives what there is and the first error. Whatever content is, errors are of this
// package's two kinds, and no dataset is larger than deflate could make the file.
func use(tb testing.TB, content []byte, verify bool) (tree string, first error) {
	tb.Helper()
	keep := func(err error) bool {
		var format *FormatError
		var no *UnsupportedError
		if err != nil && !errors.As(err, &format) && !errors.As(err, &no) {
			tb.Fatalf("%T: %v", err, err)
		}
		if first == nil {
			first = err
		}
		return err == nil
	}
	f, err := open(bytes.NewReader(content), int64(len(content)), verify)
	if !keep(err) {
		return "", err
	}
	o, err := f.Root()
	if !keep(err) {
		return "", err
	}
	var b strings.Builder
	seen := map[*Object]bool{}
	var visit func(o *Object)
	visit = func(o *Object) {
		if seen[o] {
			return
		}
		seen[o] = true
		list, err := o.Attributes()
		keep(err)
		for _, a := range list {
			// That an attribute is a number is no fault.
			if _, err := a.Strings(); err != nil && strings.Contains(err.Error(), "want strings") || keep(err) {
				fmt.Fprintf(&b, "%s@%q\n", o.Path(), a.Name)
			}
		}
		if o.IsDataset() {
			d, err := o.Dataset()
			if !keep(err) {
				return
			}
			if d.bytes > deflateRatio*int64(len(content)) {
				tb.Fatalf("%s: %d bytes out of %d", o.Path(), d.bytes, len(content))
			}
			fmt.Fprintf(&b, "%s %v %v\n", o.Path(), d.Type, d.Shape)
			_, err = d.Bytes()
			keep(err)
			return
		}
		names, err := o.Names()
		keep(err)
		for _, name := range names {
			if below, err := o.Open(name); keep(err) {
				visit(below)
			}
		}
	}
	visit(o)
	return b.String(), first
}

// samples between them have every kind of block, and each a stride that lets the tests end in some seconds.
var samples = map[string]int{
	"narrow": 3, "growing": 3, "narrow3": 5, "refused3": 1, "refused": 5, "symbols": 7, "stored": 11,
	"first": 41, "second": 41, "third": 41, "dense": 97,
}

// endOf is where a superblock has the file's length.
func endOf(content []byte) (at, bytes int) {
	if content[8] < 2 {
		bytes = int(content[13])
		at = 24 + 2*bytes
		if content[8] == 1 {
			at += 4
		}
		return at, bytes
	}
	bytes = int(content[9])
	return 12 + 2*bytes, bytes
}

// TestCut cuts files at many bytes, the smallest at every byte. A cut file says so; one that claims to be as long as it is
// may have lost nothing but elements, and is read as far as it goes.
func TestCut(t *testing.T) {
	for name, stride := range samples {
		whole := sample(t, name)
		for n := 0; n < len(whole); n += stride {
			if _, err := use(t, whole[:n], true); err == nil {
				t.Fatalf("%s: cut to %d of %d bytes: no error", name, n, len(whole))
			}
			if at, width := endOf(whole); n > 64 {
				cut := bytes.Clone(whole[:n])
				copy(cut[at:], binary.LittleEndian.AppendUint64(nil, uint64(n))[:width])
				use(t, cut, false)
			}
		}
	}
	whole := sample(t, "third")
	if _, err := use(t, whole[:40_000], true); err == nil || !strings.Contains(err.Error(), "the file is cut short: it has 40000 bytes") {
		t.Errorf("cut to 40000 bytes: %v", err)
	}
}

// TestBits changes a bit of every byte.
func TestBits(t *testing.T) {
	for name, stride := range samples {
		whole := sample(t, name)
		stride = 2*stride + 1
		for i := 0; i < len(whole); i += stride {
			bit := byte(1) << (i / stride % 8)
			whole[i] ^= bit
			use(t, whole, false)
			whole[i] ^= bit
		}
	}
}

// TestChecksums finds a changed bit of any table: HDF5's newest format has checksums of all but elements, strings of variable
// length and huge attributes.
func TestChecksums(t *testing.T) {
	for _, name := range []string{"third", "narrow3", "dense"} {
		whole := sample(t, name)
		want, err := use(t, whole, true)
		if err != nil {
			t.Fatal(err)
		}
		found, huge := 0, bytes.Index(whole, []byte("huge\x00"))
		for i := 0; i < len(whole); i += samples[name] {
			if huge >= 0 && i > huge-30 && i < huge+6000 {
				continue
			}
			whole[i] ^= 1 << (i / samples[name] % 8)
			got, err := use(t, whole, true)
			if err != nil && strings.Contains(err.Error(), "checksum") {
				found++
			} else if got != want && err == nil {
				t.Fatalf("%s: byte %d is changed, and nothing is found", name, i)
			}
			whole[i] ^= 1 << (i / samples[name] % 8)
		}
		if found < 50 {
			t.Errorf("%s: %d wrong checksums", name, found)
		}
	}
}

// change is content with other bytes at the first place of a pattern, some bytes behind it.
func change(t *testing.T, content []byte, pattern string, behind int, to ...byte) []byte {
	t.Helper()
	at := bytes.Index(content, []byte(pattern))
	if at < 0 {
		t.Fatalf("no %q", pattern)
	}
	changed := bytes.Clone(content)
	copy(changed[at+behind:], to)
	return changed
}

// TestHostile builds the lies that a reader could fall for.
func TestHostile(t *testing.T) {
	first, third, dense, stored := sample(t, "first"), sample(t, "third"), sample(t, "dense"), sample(t, "stored")
	word := func(v int) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
	node := bytes.Index(first, []byte("TREE"))
	chunks := bytes.Index(stored, []byte("TREE\x01\x01"))
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "does not begin as HDF5 does"},
		{"no HDF5", []byte("PK\x03\x04...."), "does not begin as HDF5 does"},
		{"version", change(t, first, Signature, 8, 9), "superblock of version 9, want 0 to 3"},
		{"width", change(t, first, Signature, 13, 16), "addresses of 16 and lengths of 8 bytes, want 2, 4 or 8"},
		{"base", change(t, first, Signature, 24, 1), "base address 1, want 0"},
		{"parts", change(t, first, Signature, 48, word(0)...), "a file in several parts"},
		{"not closed", change(t, third, Signature, 11, 1), "the program that wrote the file did not close it"},
		{"root beyond", change(t, first, Signature, 64, word(1<<40)...), "object header of 6 bytes at 1099511627776 does not fit into a file of"},
		{"root within", change(t, first, Signature, 64, word(16)...), "object header begins with"},
		{"tree in a circle", change(t, first, "TREE", 32, word(node)...), "symbol table node is used twice"},
		{"level", change(t, first, "TREE", 5, 3), `B-tree node begins with "SNOD", want "TREE"`},
		{"long node", change(t, first, "TREE", 6, 255, 255), "does not fit into a file of"},
		{"chunks in a circle", change(t, stored, "TREE\x01\x01", 24+32, word(chunks)...), "B-tree node is used twice"},
		{"heap", change(t, first, "HEAP", 8, word(1<<50)...), "local heap's data of 1125899906842624 bytes"},
		{"collection", change(t, first, "GCOL", 8, word(1<<50)...), "global heap of 1125899906842624 bytes"},
		{"fractal heap", change(t, dense, "FRHP", 110, 0, 0), "fractal heap: "},
		{"rows", change(t, dense, "FRHP", 140, 255, 255), "fractal heap: "},
		{"depth", change(t, dense, "BTHD", 12, 255, 255), "B-tree of records of"},
		{"records", change(t, dense, "BTHD", 24, 255, 255), "B-tree node of 65535 records, want at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := use(t, c.content, false); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestShorter reads a file that became shorter after it was opened.
func TestShorter(t *testing.T) {
	whole := sample(t, "second")
	f, err := Open(bytes.NewReader(whole[:30_000]), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.Root()
	if err == nil {
		o, err = o.Open("chunks/many")
	}
	if err == nil {
		_, err = o.Dataset()
	}
	if want := fmt.Sprintf("the file became shorter after it was opened: it had %d bytes", len(whole)); err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestOverlap has blocks that overlap, so that a small file had more bytes of tables than a reader could take.
func TestOverlap(t *testing.T) {
	c, err := (&File{r: bytes.NewReader(make([]byte, 100)), size: 100, left: budget(100)}).block("block", 0, 100)
	for ; err == nil; c, err = c.f.block("block", 0, 100) {
	}
	if !strings.Contains(err.Error(), "blocks overlap or form a circle") {
		t.Error(err)
	}
}

func FuzzHDF5(f *testing.F) {
	for name := range samples {
		if content := sample(f, name); len(content) < 21_000 {
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) { use(t, content, false) })
}
