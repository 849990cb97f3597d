package hdf5

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A link is a name in a group.
type link struct {
	at   uint64 // of the object's header
	kind string // "" for a hard link
	from uint64 // where the link is
}

// Names lists a group's names in alphabetical order.
func (o *Object) Names() ([]string, error) {
	if err := o.readLinks(); err != nil {
		return nil, o.named(err)
	}
	return slices.Sorted(maps.Keys(o.links)), nil
}

// Open is the object at a path below a group, "b/c". One that is not there is an error.
func (o *Object) Open(path string) (*Object, error) {
	found, err := o.Find(path)
	if err == nil && found == nil {
		return nil, &FormatError{Object: o.Path(), Offset: -1, Msg: "has no " + quote(path)}
	}
	return found, err
}

// maxNames bounds a path: a group can be in itself, so that any path leads somewhere.
const maxNames = 64

// Find is Open, but gives nil for what is not there.
func (o *Object) Find(path string) (*Object, error) {
	names := 0
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		if names++; names > maxNames {
			return nil, &FormatError{Object: o.Path(), Offset: -1, Msg: fmt.Sprintf("path of more than %d names", maxNames)}
		}
		if !o.IsGroup() {
			return nil, nil
		}
		if err := o.readLinks(); err != nil {
			return nil, o.named(err)
		}
		l, ok := o.links[name]
		switch {
		case !ok:
			return nil, nil
		case l.kind != "":
			return nil, o.named(unread(l.from, "%s is %s", quote(name), l.kind))
		}
		next, err := o.f.object(o, name, l.at)
		if err != nil {
			return nil, err
		}
		o = next
	}
	return o, nil
}

// readLinks reads a group's names, at the first call.
func (o *Object) readLinks() error {
	if o.links != nil {
		return nil
	}
	links := map[string]link{}
	if _, ok := o.find(msgSymbolTable); ok {
		c := o.need(msgSymbolTable, "symbol table")
		tree, heap := c.address(), c.address()
		if c.err != nil {
			return c.err
		}
		names, err := o.f.localHeap(heap)
		if err != nil {
			return err
		}
		if err := o.f.symbols(tree, -1, names, links); err != nil {
			return err
		}
	} else if !o.IsGroup() {
		return broken(o.at, "is not a group")
	}
	for _, m := range o.messages {
		if m.kind == msgLink {
			if err := o.f.link(o.open(m, "link"), links); err != nil {
				return err
			}
		}
	}
	if err := o.denseLinks(links); err != nil {
		return err
	}
	o.links = links
	return nil
}

// add adds a name, which must be new.
func add(links map[string]link, name string, l link) error {
	if name == "" || strings.Contains(name, "/") {
		return broken(l.from, "link's name %s is empty or has a slash", quote(name))
	}
	if _, twice := links[name]; twice {
		return broken(l.from, "has two links %s", quote(name))
	}
	links[name] = l
	return nil
}

// localHeap reads a local heap's data (section III.D): the names of a group, each ended by a zero.
func (f *File) localHeap(at uint64) (string, error) {
	c, err := f.signed("local heap", "HEAP", 0, at, uint64(8+2*f.lengths+f.offsets))
	if err != nil {
		return "", err
	}
	c.skip(3)
	n := c.length()
	c.skip(f.lengths) // free list
	data, err := f.block("local heap's data", c.address(), n)
	if err != nil {
		return "", err
	}
	return string(data.b), nil
}

// symbols reads a node of a group's tree (section III.A.1) and what is below. Its level is one less than its parent's,
// which is -1 for none.
func (f *File) symbols(at uint64, level int, names string, links map[string]link) error {
	c, err := f.treeNode(at, 0, &level, f.lengths)
	if err != nil {
		return err
	}
	for c.rest() > f.lengths {
		c.skip(f.lengths)
		below := c.address()
		if level > 0 {
			err = f.symbols(below, level, names, links)
		} else {
			err = f.symbolNode(below, names, links)
		}
		if err != nil {
			return err
		}
	}
	return c.err
}

// treeNode reads a node of a version 1 B-tree: pairs of key and child, and a last key. It is of the level below *level,
// which it changes to its own; -1 allows any.
func (f *File) treeNode(at uint64, kind byte, level *int, key int) (*cursor, error) {
	const what = "B-tree node"
	head := 8 + 2*f.offsets
	c, err := f.block(what, at, uint64(head))
	if err == nil {
		err = f.once(what, at)
	}
	if err != nil {
		return nil, err
	}
	if sig := c.take(4); string(sig) != "TREE" {
		return nil, broken(at, "B-tree node begins with %q, want \"TREE\"", sig)
	}
	if have := c.u8(); have != kind {
		return nil, broken(at, "B-tree node of type %d, want %d", have, kind)
	}
	own := int(c.u8())
	if *level >= 0 && own != *level-1 {
		return nil, broken(at, "B-tree node of level %d below one of level %d", own, *level)
	}
	*level = own
	n := c.u16()
	if c, err = f.block(what, at, uint64(head+n*(key+f.offsets)+key)); err != nil {
		return nil, err
	}
	c.skip(head)
	return c, nil
}

// symbolNode reads a symbol table node (section III.B).
func (f *File) symbolNode(at uint64, names string, links map[string]link) error {
	const what = "symbol table node"
	c, err := f.signed(what, "SNOD", 1, at, 8)
	if err != nil {
		return err
	}
	c.skip(1)
	n := c.u16()
	if c, err = f.block(what, at, uint64(8+n*(2*f.offsets+24))); err != nil {
		return err
	}
	c.skip(8)
	for range n {
		l := link{from: c.pos()}
		first := c.uint(f.offsets)
		l.at = c.address()
		cache := c.u32()
		c.skip(4 + 16)
		if c.err != nil {
			return c.err
		}
		if first >= uint64(len(names)) {
			return broken(l.from, "link's name at %d of a heap of %d bytes", first, len(names))
		}
		name, _, ended := strings.Cut(names[first:], "\x00")
		if !ended {
			return broken(l.from, "link's name does not end in its heap")
		}
		if cache == 2 {
			l.kind = "a soft link"
		}
		if err := f.pay(l.from, len(name)); err != nil {
			return err
		}
		if err := add(links, name, l); err != nil {
			return err
		}
	}
	return nil
}

// link reads a link message (section IV.A.2.g).
func (f *File) link(c *cursor, links map[string]link) error {
	from := c.pos()
	if version := c.u8(); version != 1 && c.err == nil {
		return unread(from, "link message of version %d, want 1", version)
	}
	flags, kind := c.u8(), byte(0)
	if flags&8 != 0 {
		kind = c.u8()
	}
	if flags&4 != 0 {
		c.skip(8) // order of creation
	}
	if flags&16 != 0 {
		c.skip(1) // character set
	}
	n := c.uint(1 << (flags & 3))
	name := string(c.take(int(min(n, 1<<31-1))))
	l := link{from: from}
	switch kind {
	case 0:
		l.at = c.address()
	case 1:
		l.kind = "a soft link"
	case 64:
		l.kind = "a link into another file"
	default:
		l.kind = "a link of a program's own kind"
	}
	if c.err != nil {
		return c.err
	}
	return add(links, name, l)
}

// denseLinks reads links that are in a heap (section IV.A.2.c).
func (o *Object) denseLinks(links map[string]link) error {
	if _, ok := o.find(msgLinkInfo); !ok {
		return nil
	}
	c := o.need(msgLinkInfo, "link info")
	if version := c.u8(); version != 0 && c.err == nil {
		return unread(c.at, "link info of version %d, want 0", version)
	}
	if flags := c.u8(); flags&1 != 0 {
		c.skip(8)
	}
	heap, tree := c.address(), c.address()
	if c.err != nil || heap == undefined {
		return c.err
	}
	h, err := o.f.heap(heap)
	if err != nil {
		return err
	}
	return o.f.tree2(tree, func(kind byte, r *cursor) error {
		if kind != recordLinkName {
			return r.broken("records of type %d, want links by name", kind)
		}
		r.skip(4) // hash
		c, err := h.get("link", r)
		if err != nil {
			return err
		}
		return o.f.link(c, links)
	})
}
