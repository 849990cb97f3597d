package hdf5

import "strings"

// An Attribute is a named value of a group or a dataset.
type Attribute struct {
	Name string

	o     *Object
	space space
	types *cursor
	data  *cursor
}

// Attributes lists the object's attributes, in the file's order.
func (o *Object) Attributes() ([]*Attribute, error) {
	if !o.attributed {
		list, err := o.readAttributes()
		if err != nil {
			return nil, o.named(err)
		}
		o.attributes, o.attributed = list, true
	}
	return o.attributes, nil
}

// Attribute is the attribute of that name, nil where there is none.
func (o *Object) Attribute(name string) (*Attribute, error) {
	list, err := o.Attributes()
	for _, a := range list {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, err
}

// readAttributes reads the attributes in the header, and those in a heap (section IV.A.2.v).
func (o *Object) readAttributes() ([]*Attribute, error) {
	var list []*Attribute
	take := func(c *cursor) error {
		a, err := o.attribute(c)
		list = append(list, a)
		return err
	}
	for _, m := range o.messages {
		if m.kind == msgAttribute {
			if err := take(o.open(m, "attribute")); err != nil {
				return nil, err
			}
		}
	}
	if _, ok := o.find(msgAttributes); !ok {
		return list, nil
	}
	c := o.need(msgAttributes, "attribute info")
	if version := c.u8(); version != 0 && c.err == nil {
		return nil, unread(c.at, "attribute info of version %d, want 0", version)
	}
	if flags := c.u8(); flags&1 != 0 {
		c.skip(2)
	}
	heap, tree := c.address(), c.address()
	if c.err != nil {
		return nil, c.err
	}
	if heap == undefined {
		return list, nil
	}
	h, err := o.f.heap(heap)
	if err != nil {
		return nil, err
	}
	err = o.f.tree2(tree, func(kind byte, r *cursor) error {
		if kind != recordAttributeName {
			return r.broken("records of type %d, want attributes by name", kind)
		}
		c, err := h.get("attribute", r)
		if err != nil {
			return err
		}
		if r.u8()&flagShared != 0 {
			return unread(c.at, "attribute is a shared message")
		}
		return take(c)
	})
	return list, err
}

// attribute reads an attribute message (section IV.A.2.m).
func (o *Object) attribute(c *cursor) (*Attribute, error) {
	start := c.pos()
	version, flags := c.u8(), c.u8()
	nameBytes, typeBytes, spaceBytes := c.u16(), c.u16(), c.u16()
	pad := 0
	switch {
	case c.err != nil:
		return nil, c.err
	case version == 1:
		pad, flags = 7, 0
	case version == 2:
	case version == 3:
		c.skip(1) // character set
	default:
		return nil, unread(start, "attribute of version %d, want 1 to 3", version)
	}
	name, _, _ := strings.Cut(string(c.take(nameBytes)), "\x00")
	c.skip(-nameBytes & pad)
	a := &Attribute{Name: name, o: o}
	a.types = c.body("attribute "+quote(name), typeBytes)
	c.skip(-typeBytes & pad)
	shape := c.body("attribute "+quote(name), spaceBytes)
	c.skip(-spaceBytes & pad)
	a.data = c.body("attribute "+quote(name), c.rest())
	if c.err != nil {
		return nil, c.err
	}
	if flags&3 != 0 {
		a.types.err = unread(start, "attribute %s has a shared type", quote(name))
		return a, nil
	}
	var err error
	a.space, err = dataspace(shape)
	return a, err
}

// Strings gives the elements of an attribute of strings, in row-major order. One without elements has none, whatever its
// type.
func (a *Attribute) Strings() ([]string, error) {
	list, err := a.strings()
	return list, a.o.named(err)
}

func (a *Attribute) strings() ([]string, error) {
	types, data := *a.types, *a.data
	t, err := datatype(&types)
	if err != nil {
		return nil, err
	}
	n := a.space.elements()
	if n == 0 {
		return nil, nil
	}
	f := a.o.f
	width := t.Bytes
	switch t.Kind {
	case String:
	case VarString:
		width = 4 + f.offsets + 4
	default:
		return nil, unread(a.types.at, "attribute %s: %v, want strings", quote(a.Name), t)
	}
	if n > int64(data.rest()/width) {
		return nil, data.broken("%d elements of %d bytes, with %d left", n, width, data.rest())
	}
	list := make([]string, n)
	for i := range list {
		var s string
		if t.Kind == String {
			s = string(data.take(width))
		} else if s, err = f.variable(&data); err != nil {
			return nil, err
		}
		switch t.padding {
		case 0:
			s, _, _ = strings.Cut(s, "\x00")
		case 1:
			s = strings.TrimRight(s, "\x00")
		default:
			s = strings.TrimRight(s, " ")
		}
		list[i] = s
	}
	return list, data.err
}

// variable reads a string of variable length: its bytes, its collection and its number there.
func (f *File) variable(c *cursor) (string, error) {
	n, at, index := c.u32(), c.address(), int(c.u32())
	if c.err != nil || n == 0 || at == 0 {
		return "", c.err
	}
	g, err := f.collection(at)
	if err != nil {
		return "", err
	}
	s, ok := g.text(index)
	if !ok || uint64(len(s)) < uint64(n) {
		return "", c.broken("string %d of the collection at %d: has %d bytes, want %d", index, at, len(s), n)
	}
	return s[:n], nil
}
