package weights

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"
)

// torch.save writes one of two containers. Since PyTorch 1.6 a zip archive, its entries stored and not compressed:
// NAME/data.pkl, the pickle, and NAME/data/KEY, a storage each; TorchScript's archives have NAME/constants.pkl and
// NAME/code/ besides. Before, and now by choice, pickles one after another
// (a magic number, the protocol's version, sizes of the machine's types, the object, the list of storage keys) and
// then the storages in the list's order, each after its number of elements.

// legacyMagic is the pickled magic number, 0x1950a86a20f9469cfc6c, as every protocol from 2 on writes it.
const legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// A zipFile is a checkpoint's zip archive. Its entries are below the folder root.
type zipFile struct {
	name    string
	r       io.ReaderAt
	size    int64
	list    []*zip.File
	entries map[string]*zip.File
	root    string
}

func parseZip(name string, r io.ReaderAt, size int64) (layout, error) {
	z, err := openZip(name, r, size)
	if err != nil {
		return layout{}, err
	}
	if z.entries[kerasWeights] != nil {
		return parseKerasZip(z)
	}
	pickled := z.entries[z.root+"data.pkl"]
	if pickled == nil {
		if arrays(z.list) {
			return parseNPZ(z)
		}
		return layout{}, &UnsupportedError{File: name, Offset: -1, Msg: "a zip archive with neither data.pkl, which torch.save writes, nor " +
			kerasWeights + ", which Keras writes"}
	}
	if err := z.checkOrder(); err != nil {
		return layout{}, err
	}
	at, err := z.place(pickled)
	if err != nil {
		return layout{}, err
	}
	build := rebuilder{storages: map[string]*storage{}}
	u := newUnpickler(name, r, at, at+int64(pickled.CompressedSize64))
	u.persist, u.call = build.persist, build.call
	value, err := u.load()
	if err != nil {
		return layout{}, err
	}
	sections, err := findSections(name, value)
	if err != nil && z.entries[z.root+"constants.pkl"] != nil {
		return layout{}, &UnsupportedError{File: name, Offset: -1, Msg: "a TorchScript archive without named weights, as torch.jit.freeze " +
			"leaves it, want a state dict; in Python: torch.save(model.state_dict(), \"weights.pth\"), before it is frozen"}
	}
	if err != nil {
		return layout{}, err
	}
	return layout{format: "torch zip", sections: sections, lone: isTensor(value), size: size, place: z.placeStorage}, nil
}

// openZip reads an archive's table of entries.
func openZip(name string, r io.ReaderAt, size int64) (*zipFile, error) {
	z := &zipFile{name: name, r: r, size: size, entries: map[string]*zip.File{}}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, z.broken("", "zip: %v; the file may be cut short", err)
	}
	z.list = archive.File
	for _, f := range z.list {
		if z.entries[f.Name] != nil {
			return nil, z.broken(f.Name, "zip: two entries have this name")
		}
		z.entries[f.Name] = f
		if dir, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && (dir == "" || strings.Count(dir, "/") == 1 && strings.HasSuffix(dir, "/")) {
			z.root = dir
		}
	}
	return z, nil
}

func (z *zipFile) broken(item, format string, args ...any) error {
	return &FormatError{File: z.name, Item: item, Offset: -1, Msg: fmt.Sprintf(format, args...)}
}

// place checks that an entry's bytes are in the file as they are, and gives the first one's position.
func (z *zipFile) place(f *zip.File) (int64, error) {
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.Flags&1 != 0 {
		return 0, &UnsupportedError{File: z.name, Item: f.Name, Offset: -1,
			Msg: "zip: compressed or encrypted entry, which neither torch.save nor Keras writes"}
	}
	at, err := f.DataOffset()
	if err != nil {
		return 0, z.broken(f.Name, "zip: %v", err)
	}
	if at < 0 || at > z.size || f.CompressedSize64 > uint64(z.size-at) {
		return 0, z.broken(f.Name, "zip: entry of %d bytes at byte %d does not fit into a file of %d", f.CompressedSize64, at, z.size)
	}
	return at, nil
}

// placeStorage is place for the entry that has a storage's bytes.
func (z *zipFile) placeStorage(s *storage) (int64, error) {
	f := z.entries[z.root+"data/"+s.key]
	if f == nil {
		return 0, z.broken(z.root+"data/"+s.key, "zip: no such entry, but a tensor is in it")
	}
	if f.UncompressedSize64 != uint64(s.bytes()) {
		return 0, z.broken(f.Name, "zip: entry of %d bytes, want %d", f.UncompressedSize64, s.bytes())
	}
	return z.place(f)
}

// checkOrder refuses a file that was written with another byte order than little.
func (z *zipFile) checkOrder() error {
	f := z.entries[z.root+"byteorder"]
	if f == nil {
		return nil
	}
	at, err := z.place(f)
	if err != nil {
		return err
	}
	order := make([]byte, min(f.CompressedSize64, 16))
	if _, err := z.r.ReadAt(order, at); err != nil || string(order) != "little" {
		return &UnsupportedError{File: z.name, Item: f.Name, Offset: at, Msg: fmt.Sprintf("byte order %q, want little", order)}
	}
	return nil
}

func parseLegacy(name string, r io.ReaderAt, size int64) (layout, error) {
	build := rebuilder{storages: map[string]*storage{}}
	u := newUnpickler(name, r, 0, size)
	u.persist, u.call = build.persist, build.call
	var parts [5]any // magic number, version, machine, object, keys
	for i := range parts {
		var err error
		if parts[i], err = u.load(); err != nil {
			return layout{}, err
		}
	}
	if magic, ok := parts[0].(bigInteger); !ok || string(magic) != legacyMagic[2:12] {
		return layout{}, &FormatError{File: name, Offset: 0, Msg: "first pickle is not PyTorch's magic number"}
	}
	if parts[1] != int64(1001) {
		return layout{}, &UnsupportedError{File: name, Offset: -1,
			Msg: fmt.Sprintf("version %v of the format before PyTorch 1.6, want 1001", parts[1])}
	}
	if machine, ok := parts[2].(*dict); !ok || machine.items["little_endian"] != true {
		return layout{}, &UnsupportedError{File: name, Offset: -1, Msg: "written on a big-endian machine"}
	}
	keys, ok := parts[4].(*list)
	if !ok {
		return layout{}, &FormatError{File: name, Offset: u.start, Msg: fmt.Sprintf("storage keys are %s, want a list", kind(parts[4]))}
	}

	starts := map[string]int64{}
	for _, item := range keys.items {
		key, _ := item.(string)
		s := build.storages[key]
		_, twice := starts[key]
		if s == nil || twice {
			return layout{}, &FormatError{File: name, Offset: u.pos,
				Msg: fmt.Sprintf("storage %s is listed twice or used by no tensor", clip(fmt.Sprint(item)))}
		}
		u.start, u.op = u.pos, u.pos
		count, err := u.number(8)
		if err != nil {
			return layout{}, err
		}
		if count != uint64(s.count) || s.bytes() > size-u.pos {
			return layout{}, &FormatError{File: name, Item: "storage " + key, Offset: u.op,
				Msg: fmt.Sprintf("%d elements of %s with %d bytes left, want %d", count, s.dtype, size-u.pos, s.count)}
		}
		starts[key] = u.pos
		u.pos += s.bytes()
		u.r.Reset(io.NewSectionReader(r, u.pos, size-u.pos))
	}
	sections, err := findSections(name, parts[3])
	if err != nil {
		return layout{}, err
	}
	return layout{format: "torch legacy", sections: sections, lone: isTensor(parts[3]), size: size, place: func(s *storage) (int64, error) {
		at, ok := starts[s.key]
		if !ok {
			return 0, &FormatError{File: name, Item: "storage " + s.key, Offset: -1, Msg: "is used by a tensor but not in the list"}
		}
		return at, nil
	}}, nil
}
