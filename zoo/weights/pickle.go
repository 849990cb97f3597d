package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// The bounds of the pickle reader. A network's state dict needs some tens of thousands of values; the rest is room for
// an optimizer's state and a training log beside it. No opcode makes more than one value and none copies one, so these
// bound the memory too: about 100 bytes a value.
const (
	maxPickle  = 64 << 20 // bytes of one pickle
	maxValues  = 1 << 21  // values and memo entries, each
	maxString  = 16 << 20 // bytes of one string
	maxInteger = 1024     // bytes of one integer
	maxMarks   = 1000     // open marks: nesting
)

// What a pickle's values are here. None is nil, booleans are bool, integers int64, floats float64, text and byte
// strings string, tuples tuple; the rest are the types below and those of torch.go.
type (
	tuple []any

	list struct{ items []any }

	// A dict keeps the entries whose keys are strings, in order of their first assignment.
	dict struct {
		names []string
		items map[string]any
	}

	// A global is a class or a function, by its name alone.
	global string

	// An inert value stands for an object of a class that is not known here, or for what a call of a function would have
	// given. It keeps the entries and attributes that the pickle puts into it, since a model may keep its weights there.
	inert struct {
		class   string
		entries dict
	}

	// A bigInteger is one that does not fit int64, as its two's complement, little-endian.
	bigInteger string
)

func (d *dict) set(key, value any) {
	name, ok := key.(string)
	if !ok {
		return
	}
	if d.items == nil {
		d.items = map[string]any{}
	}
	if _, again := d.items[name]; !again {
		d.names = append(d.names, name)
	}
	d.items[name] = value
}

// setAll takes keys and values in turn.
func (d *dict) setAll(items []any) {
	for i := 0; i < len(items); i += 2 {
		d.set(items[i], items[i+1])
	}
}

// add takes the members of a set, as keys.
func (d *dict) add(items []any) {
	for _, item := range items {
		d.set(item, true)
	}
}

// An unpickler runs one pickle after another from r. Opcodes are those of protocols 2 to 5 that Python's pickle
// module writes for what torch.save is given (their list: CPython's pickletools); the text opcodes of protocol 0 are
// refused by name.
type unpickler struct {
	file    string
	r       *bufio.Reader
	pos     int64 // in the file, of the next byte
	end     int64 // of the file or entry
	persist func(id tuple) (any, error)
	call    func(f global, args tuple) (any, error)

	start, op int64 // of this pickle; of the opcode under way
	values    int
	stack     []any
	marks     []int
	memo      map[uint32]any
}

// newUnpickler reads from byte start up to byte end of r. persist resolves persistent identities, call does what
// REDUCE asks for; their errors are given the opcode's position.
func newUnpickler(file string, r io.ReaderAt, start, end int64) *unpickler {
	return &unpickler{
		file: file, r: bufio.NewReader(io.NewSectionReader(r, start, end-start)), pos: start, end: end,
		persist: func(tuple) (any, error) { return nil, errors.New("persistent identity, which this pickle cannot have") },
		call:    func(f global, _ tuple) (any, error) { return nil, refused(f) },
	}
}

func (u *unpickler) errorf(format string, args ...any) error {
	return &FormatError{File: u.file, Item: "pickle", Offset: u.op, Msg: fmt.Sprintf(format, args...)}
}

// locate gives an error of persist or call its place.
func (u *unpickler) locate(err error) error {
	var no *UnsupportedError
	if errors.As(err, &no) {
		return &UnsupportedError{File: u.file, Item: "pickle", Offset: u.op, Msg: no.Msg}
	}
	return u.errorf("%v", err)
}

// take reads the next n bytes.
func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(u.end-u.pos) {
		return nil, u.errorf("ends early: want %d bytes, have %d", n, u.end-u.pos)
	}
	if u.pos+int64(n)-u.start > maxPickle {
		return nil, u.errorf("is longer than %d bytes", maxPickle)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(u.r, b); err != nil {
		return nil, u.errorf("cannot be read: %v", err)
	}
	u.pos += int64(n)
	return b, nil
}

func (u *unpickler) byte() (byte, error) {
	if u.pos >= u.end {
		return 0, u.errorf("ends early")
	}
	if u.pos-u.start >= maxPickle {
		return 0, u.errorf("is longer than %d bytes", maxPickle)
	}
	b, err := u.r.ReadByte()
	if err != nil {
		return 0, u.errorf("cannot be read: %v", err)
	}
	u.pos++
	return b, nil
}

// number reads a little-endian unsigned integer of n bytes.
func (u *unpickler) number(n int) (uint64, error) {
	var v uint64
	for i := range n {
		b, err := u.byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// counted reads a string after its length of n bytes.
func (u *unpickler) counted(n int, text bool) (string, error) {
	size, err := u.number(n)
	if err != nil {
		return "", err
	}
	if size > maxString {
		return "", u.errorf("string of %d bytes, want at most %d", size, maxString)
	}
	b, err := u.take(size)
	if err != nil {
		return "", err
	}
	if text && !utf8.Valid(b) {
		return "", u.errorf("text is not UTF-8")
	}
	return string(b), nil
}

// line reads up to a newline, which it drops.
func (u *unpickler) line() (string, error) {
	var s strings.Builder
	for {
		b, err := u.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return s.String(), nil
		}
		if s.Len() == 4096 {
			return "", u.errorf("name of more than 4096 bytes")
		}
		s.WriteByte(b)
	}
}

func (u *unpickler) push(v any) error {
	if u.values++; u.values > maxValues {
		return u.errorf("has more than %d values", maxValues)
	}
	u.stack = append(u.stack, v)
	return nil
}

// floor is the lowest index of the stack that pop may reach: values below the last mark are out of reach.
func (u *unpickler) floor() int {
	if len(u.marks) == 0 {
		return 0
	}
	return u.marks[len(u.marks)-1]
}

func (u *unpickler) pop() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, u.errorf("takes a value from an empty stack")
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, u.errorf("takes a value from an empty stack")
	}
	return u.stack[len(u.stack)-1], nil
}

// popMark takes everything above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, u.errorf("wants a mark, which is missing")
	}
	at := u.floor()
	items := append([]any(nil), u.stack[at:]...)
	u.stack = u.stack[:at]
	u.marks = u.marks[:len(u.marks)-1]
	return items, nil
}

func (u *unpickler) store(key uint64) error {
	v, err := u.top()
	if err != nil {
		return err
	}
	if key > math.MaxUint32 || len(u.memo) >= maxValues {
		return u.errorf("memo entry %d is beyond %d", key, maxValues)
	}
	u.memo[uint32(key)] = v
	return nil
}

func (u *unpickler) recall(key uint64) error {
	v, ok := u.memo[uint32(key)]
	if !ok {
		return u.errorf("memo entry %d does not exist", key)
	}
	return u.push(v)
}

// load runs one pickle, up to its STOP, and gives its value.
func (u *unpickler) load() (any, error) {
	u.start, u.values, u.stack, u.marks, u.memo = u.pos, 0, nil, nil, map[uint32]any{}
	for {
		u.op = u.pos
		op, err := u.byte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			v, err := u.pop()
			if err != nil {
				return nil, err
			}
			if len(u.stack) != 0 || len(u.marks) != 0 {
				return nil, u.errorf("leaves %d values behind", len(u.stack)+len(u.marks))
			}
			return v, nil
		}
		if err := u.step(op); err != nil {
			return nil, err
		}
	}
}

// integer is the value of a two's complement, little-endian.
func integer(b []byte) any {
	if len(b) > 8 {
		return bigInteger(b)
	}
	var wide [8]byte
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		wide = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:]))
}
