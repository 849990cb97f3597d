package weights

import (
	"math"
	"math/bits"
)

// The opcodes, by their names in CPython's pickletools.
const (
	opMark            = '('
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opAppends         = 'e'
	opBinGet          = 'h'
	opInst            = 'i'
	opLongBinGet      = 'j'
	opObj             = 'o'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opSetItems        = 'u'
	opBinFloat        = 'G'
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opEmptyList       = ']'
	opEmptyDict       = '}'
	opEmptyTuple      = ')'
	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// step does one opcode.
func (u *unpickler) step(op byte) error {
	switch op {
	case opProto:
		v, err := u.byte()
		if err == nil && (v < 2 || v > 5) {
			err = u.errorf("protocol %d, want 2 to 5", v)
		}
		return err
	case opFrame: // says how much could be read ahead: nothing to do
		_, err := u.number(8)
		return err

	case opNone:
		return u.push(nil)
	case opNewTrue:
		return u.push(true)
	case opNewFalse:
		return u.push(false)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return u.scalar(op)
	case opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinString, opShortBinString, opBinBytes, opShortBinBytes,
		opBinBytes8, opByteArray8:
		return u.text(op)

	case opMark:
		if len(u.marks) >= maxMarks {
			return u.errorf("has more than %d open marks", maxMarks)
		}
		u.marks = append(u.marks, len(u.stack))
		return nil
	case opPop:
		if len(u.marks) > 0 && u.floor() == len(u.stack) {
			u.marks = u.marks[:len(u.marks)-1] // as CPython: POP may take a mark
			return nil
		}
		_, err := u.pop()
		return err
	case opPopMark:
		_, err := u.popMark()
		return err
	case opDup:
		v, err := u.top()
		if err != nil {
			return err
		}
		return u.push(v)

	case opBinPut, opLongBinPut:
		key, err := u.number(width(op))
		if err != nil {
			return err
		}
		return u.store(key)
	case opMemoize:
		return u.store(uint64(len(u.memo)))
	case opBinGet, opLongBinGet:
		key, err := u.number(width(op))
		if err != nil {
			return err
		}
		return u.recall(key)

	case opEmptyTuple:
		return u.push(tuple{})
	case opTuple1, opTuple2, opTuple3:
		t := make(tuple, int(op-opTuple1)+1)
		for i := len(t) - 1; i >= 0; i-- {
			v, err := u.pop()
			if err != nil {
				return err
			}
			t[i] = v
		}
		return u.push(t)
	case opTuple:
		items, err := u.popMark()
		if err != nil {
			return err
		}
		return u.push(tuple(items))
	case opEmptyList:
		return u.push(&list{})
	case opEmptyDict:
		return u.push(&dict{})
	case opEmptySet:
		return u.push(&inert{class: "set"})
	case opFrozenSet:
		if _, err := u.popMark(); err != nil {
			return err
		}
		return u.push(&inert{class: "frozenset"})
	case opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		return u.fill(op)

	case opGlobal, opStackGlobal, opInst, opObj, opNewObj, opNewObjEx, opReduce, opBuild, opBinPersID:
		return u.object(op)
	}
	if name, ok := map[byte]string{
		'I': "INT", 'L': "LONG", 'F': "FLOAT", 'S': "STRING", 'V': "UNICODE", 'P': "PERSID", 'g': "GET", 'p': "PUT",
		'd': "DICT", 'l': "LIST", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
	}[op]; ok {
		return &UnsupportedError{File: u.file, Item: "pickle", Offset: u.op, Msg: "opcode " + name + ", which torch.save does not write"}
	}
	return u.errorf("opcode %#02x is not known", op)
}

// width is the number of bytes of the operand that precedes anything else an opcode carries.
func width(op byte) int {
	switch op {
	case opBinInt1, opLong1, opBinPut, opBinGet, opShortBinUnicode, opShortBinString, opShortBinBytes:
		return 1
	case opBinInt2:
		return 2
	case opBinFloat, opBinUnicode8, opBinBytes8, opByteArray8:
		return 8
	}
	return 4
}

func (u *unpickler) scalar(op byte) error {
	n, err := u.number(width(op))
	if err != nil {
		return err
	}
	switch op {
	case opBinInt:
		return u.push(int64(int32(n)))
	case opBinInt1, opBinInt2:
		return u.push(int64(n))
	case opBinFloat: // the one operand that is big-endian
		return u.push(math.Float64frombits(bits.ReverseBytes64(n)))
	}
	if n > maxInteger {
		return u.errorf("integer of %d bytes, want at most %d", n, maxInteger)
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	return u.push(integer(b))
}

func (u *unpickler) text(op byte) error {
	utf8 := op == opBinUnicode || op == opShortBinUnicode || op == opBinUnicode8
	s, err := u.counted(width(op), utf8)
	if err != nil {
		return err
	}
	return u.push(s)
}

// fill puts values into a container. An inert one keeps the entries that have names.
func (u *unpickler) fill(op byte) error {
	var items []any
	var err error
	switch op {
	case opAppends, opAddItems, opSetItems:
		items, err = u.popMark()
	default:
		items = make([]any, 1, 2)
		if op == opSetItem {
			items = items[:2]
		}
		for i := len(items) - 1; i >= 0 && err == nil; i-- {
			items[i], err = u.pop()
		}
	}
	if err != nil {
		return err
	}
	target, err := u.top()
	if err != nil {
		return err
	}
	pairs := op == opSetItem || op == opSetItems
	switch target := target.(type) {
	case *inert:
		switch {
		case op == opAddItems:
			target.entries.add(items)
		case pairs && len(items)%2 == 0:
			target.entries.setAll(items)
		}
		return nil
	case *list:
		if !pairs {
			target.items = append(target.items, items...)
			return nil
		}
	case *dict:
		if pairs && len(items)%2 == 0 {
			target.setAll(items)
			return nil
		}
	}
	return u.errorf("puts entries into %s", kind(target))
}

// object does what concerns classes, functions and instances.
func (u *unpickler) object(op byte) error {
	switch op {
	case opGlobal, opInst:
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		g := global(module + "." + name)
		if op == opGlobal {
			return u.push(g)
		}
		args, err := u.popMark()
		if err != nil {
			return err
		}
		return u.reduce(g, args)
	case opStackGlobal:
		return u.stackGlobal()
	case opObj:
		items, err := u.popMark()
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return u.errorf("instance without a class")
		}
		return u.reduce(items[0], items[1:])
	}

	arg, err := u.pop() // the arguments, the state or the identity
	if err != nil {
		return err
	}
	switch op {
	case opBinPersID:
		id, ok := arg.(tuple)
		if !ok {
			return u.errorf("persistent identity is %s, want a tuple", kind(arg))
		}
		v, err := u.persist(id)
		if err != nil {
			return u.locate(err)
		}
		return u.push(v)
	case opBuild:
		of, err := u.top()
		if err != nil {
			return err
		}
		build(of, arg)
		return nil
	case opNewObjEx:
		if arg, err = u.pop(); err != nil { // what was popped are keyword arguments
			return err
		}
	}
	f, err := u.pop()
	if err != nil {
		return err
	}
	args, ok := arg.(tuple)
	if !ok {
		return u.errorf("arguments are %s, want a tuple", kind(arg))
	}
	if op == opReduce {
		return u.reduce(f, args)
	}
	return u.instance(f)
}

// stackGlobal makes a class or a function of the module and the name on the stack.
func (u *unpickler) stackGlobal() error {
	name, err := u.pop()
	if err != nil {
		return err
	}
	module, err := u.pop()
	if err != nil {
		return err
	}
	m, ok1 := module.(string)
	n, ok2 := name.(string)
	if !ok1 || !ok2 {
		return u.errorf("names a class by %s and %s", kind(module), kind(name))
	}
	return u.push(global(m + "." + n))
}

// instance makes an instance of a class without running its constructor.
func (u *unpickler) instance(of any) error {
	switch of := of.(type) {
	case global:
		if of == orderedDict {
			return u.push(&dict{})
		}
		return u.push(&inert{class: string(of)})
	case *inert:
		return u.push(&inert{class: of.class})
	}
	return u.errorf("makes an instance of %s, want a class", kind(of))
}

func (u *unpickler) reduce(f any, args tuple) error {
	g, ok := f.(global)
	if !ok {
		if of, inertly := f.(*inert); inertly { // what a call gave, such as a partial, is called in turn
			return u.push(&inert{class: of.class})
		}
		return u.errorf("calls %s, want a function", kind(f))
	}
	v, err := u.call(g, args)
	if err != nil {
		return u.locate(err)
	}
	return u.push(v)
}

// build gives an object its attributes. Those of a dictionary, a state dict's _metadata, have no use here. The state of
// a class with __slots__ is a pair: of its other attributes and of those.
func build(of, state any) {
	object, ok := of.(*inert)
	if !ok {
		return
	}
	parts, ok := state.(tuple)
	if !ok {
		parts = tuple{state}
	}
	for _, part := range parts {
		if d, ok := part.(*dict); ok {
			for _, name := range d.names {
				object.entries.set(name, d.items[name])
			}
		}
	}
}

// kind is what a value is, for an error.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a boolean"
	case int64, bigInteger:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dictionary"
	case slice:
		return "a storage"
	case *tensor:
		return "a tensor"
	case global:
		return "the name " + clip(string(v))
	case *inert:
		return "a pickled " + clip(v.class)
	}
	return "a value of unknown kind"
}
