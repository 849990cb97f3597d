package hdf5

import (
	"errors"
	"slices"
	"strings"
)

// The messages of an object header that are looked at (section IV.A.2).
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgGroupInfo    = 0x0a
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
	msgDriver       = 0x14
	msgAttributes   = 0x15
	msgCacheImage   = 0x18
	msgLast         = 0x18
)

// Flags of a message.
const (
	flagShared = 1 << 1 // the body says where the message is
	flagNeeded = 1 << 7 // who does not know the message must not read the object
)

// A message is one property of an object.
type message struct {
	kind  int
	flags byte
	at    uint64 // of body
	body  []byte
}

// An Object is a group or a dataset.
type Object struct {
	f        *File
	in       *Object // nil for the root group
	name     string  // in that group
	at       uint64
	messages []message

	links      map[string]link // nil until they are read
	attributes []*Attribute
	attributed bool
}

// Path is the object's path from the root group, "/a/b". It is put together when it is asked for: together, the paths of
// many objects could be far longer than the file.
func (o *Object) Path() string {
	if o.in == nil {
		return o.name
	}
	var names []string
	for ; o.in != nil; o = o.in {
		names = append(names, o.name)
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

// named gives an error the object's path.
func (o *Object) named(err error) error {
	var format *FormatError
	var no *UnsupportedError
	switch {
	case errors.As(err, &format) && format.Object == "":
		format.Object = o.Path()
	case errors.As(err, &no) && no.Object == "":
		no.Object = o.Path()
	}
	return err
}

// object reads the header at an address. The same address gives the same object.
func (f *File) object(in *Object, name string, at uint64) (*Object, error) {
	if o := f.objects[at]; o != nil {
		return o, nil
	}
	o := &Object{f: f, in: in, name: name, at: at}
	if err := o.read(); err != nil {
		return nil, o.named(err)
	}
	f.objects[at] = o
	return o, nil
}

// read reads the header's blocks (section IV.A.1).
func (o *Object) read() error {
	const what = "object header"
	f := o.f
	if err := f.once(what, o.at); err != nil {
		return err
	}
	c, err := f.block(what, o.at, 6)
	if err != nil {
		return err
	}
	var body *cursor
	second, ordered := string(c.b[:4]) == "OHDR", false
	switch {
	case second:
		if c.b[4] != 2 {
			return unread(o.at, "object header of version %d, want 1 or 2", c.b[4])
		}
		body, ordered, err = o.second(c.b[5])
	case c.b[0] == 1:
		if c, err = f.block(what, o.at, 16); err != nil {
			return err
		}
		c.skip(8)
		body, err = f.block(what, o.at+16, uint64(c.u32()))
	default:
		return broken(o.at, "object header begins with %q, want version 1 or \"OHDR\"", c.b[:4])
	}
	if err != nil {
		return err
	}
	for blocks := []*cursor{body}; len(blocks) > 0; blocks = blocks[1:] {
		more, err := o.take(blocks[0], second, ordered)
		if err != nil {
			return err
		}
		for _, m := range more {
			next, err := o.continuation(m, second)
			if err != nil {
				return err
			}
			blocks = append(blocks, next)
		}
	}
	return nil
}

// second reads the first block of a header of version 2: its messages, and whether they have numbers.
func (o *Object) second(flags byte) (*cursor, bool, error) {
	prefix := 6
	if flags&0x20 != 0 {
		prefix += 16 // times
	}
	if flags&0x10 != 0 {
		prefix += 4 // bounds of dense storage
	}
	width := 1 << (flags & 3)
	c, err := o.f.block("object header", o.at, uint64(prefix+width))
	if err != nil {
		return nil, false, err
	}
	c.skip(prefix)
	n := c.uint(width)
	if n > uint64(o.f.size) {
		return nil, false, c.broken("%d bytes of messages in a file of %d", n, o.f.size)
	}
	if c, err = o.f.block("object header", o.at, uint64(prefix+width)+n+4); err != nil {
		return nil, false, err
	}
	if err := c.checksum(); err != nil {
		return nil, false, err
	}
	c.skip(prefix + width)
	return c, flags&4 != 0, c.err
}

// continuation reads the block that a message says holds more messages.
func (o *Object) continuation(m message, second bool) (*cursor, error) {
	c := o.open(m, "continuation")
	at, n := c.address(), c.length()
	if c.err != nil {
		return nil, c.err
	}
	if second {
		c, err := o.f.block("object header", at, n)
		if err != nil {
			return nil, err
		}
		if err := o.f.once("object header", at); err != nil {
			return nil, err
		}
		if have := c.take(4); c.err == nil && string(have) != "OCHK" {
			return nil, broken(at, "object header begins with %q, want \"OCHK\"", have)
		}
		return c, c.checksum()
	}
	if err := o.f.once("object header", at); err != nil {
		return nil, err
	}
	return o.f.block("object header", at, n)
}

// take reads a block's messages, and gives those that say where more are. A rest too short for one is a gap.
func (o *Object) take(c *cursor, second, ordered bool) (more []message, err error) {
	head := 8
	if second {
		head = 4
	}
	if ordered {
		head += 2
	}
	for c.rest() >= head {
		var m message
		var n int
		if second {
			m.kind, n, m.flags = int(c.u8()), c.u16(), c.u8()
		} else {
			m.kind, n, m.flags = c.u16(), c.u16(), c.u8()
			c.skip(3)
		}
		if ordered {
			c.skip(2)
		}
		m.at, m.body = c.pos(), c.take(n)
		if c.err != nil {
			return nil, c.err
		}
		switch {
		case m.kind > msgLast && m.flags&flagNeeded != 0:
			return nil, unread(m.at, "message %#x, which must be known", m.kind)
		case m.kind == msgContinuation:
			more = append(more, m)
		case m.kind != 0:
			o.messages = append(o.messages, m)
		}
	}
	return more, nil
}

// find is the object's first message of a kind.
func (o *Object) find(kind int) (message, bool) {
	for _, m := range o.messages {
		if m.kind == kind {
			return m, true
		}
	}
	return message{}, false
}

// open is a cursor over a message.
func (o *Object) open(m message, what string) *cursor {
	c := &cursor{f: o.f, what: what, b: m.body, at: m.at}
	if m.flags&flagShared != 0 {
		c.err = unread(m.at, "%s is a shared message, as committed types are", what)
	}
	return c
}

// need is a cursor over the object's only message of a kind.
func (o *Object) need(kind int, what string) *cursor {
	m, ok := o.find(kind)
	c := o.open(m, what)
	if !ok {
		c.err = broken(o.at, "has no %s", what)
	}
	return c
}

// IsGroup reports whether the object is a group.
func (o *Object) IsGroup() bool {
	for _, kind := range []int{msgSymbolTable, msgLinkInfo, msgGroupInfo, msgLink} {
		if _, ok := o.find(kind); ok {
			return true
		}
	}
	return false
}

// IsDataset reports whether the object is a dataset.
func (o *Object) IsDataset() bool {
	_, ok := o.find(msgLayout)
	return ok
}
