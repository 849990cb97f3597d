package message

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// A FormatError says where a file is not an ONNX message.
type FormatError struct {
	Offset int    // the byte
	Way    string // the messages around it
	Msg    string
}

// Error is "way: byte offset: what is wrong".
func (e *FormatError) Error() string {
	text := fmt.Sprintf("byte %d: %s", e.Offset, e.Msg)
	if e.Way != "" {
		text = e.Way + ": " + text
	}
	return text
}

// Bounds of what a file may be made of.
const (
	maxDepth    = 32
	maxMessages = 1 << 20
)

// reader goes through the fields of one message. Its first error ends it, and those around it.
type reader struct {
	rest  []byte
	at    int // where rest begins in the file
	depth int
	left  *int // messages and texts that may still come
	err   *FormatError

	field protowire.Number
	wire  protowire.Type
	value []byte // of a field with a length
	bits  uint64 // of any other
	from  int    // where the field begins
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{Offset: r.from, Msg: fmt.Sprintf(format, args...)}
	}
	r.rest = nil
}

// next reads a field.
func (r *reader) next() bool {
	r.from = r.at
	if r.err != nil || len(r.rest) == 0 {
		return false
	}
	field, wire, n := protowire.ConsumeTag(r.rest)
	if n < 0 {
		r.fail("%s", reason(n))
		return false
	}
	var m int
	switch body := r.rest[n:]; wire {
	case protowire.VarintType, protowire.Fixed32Type, protowire.Fixed64Type:
		r.bits, m = number(wire, body)
	case protowire.BytesType:
		r.value, m = protowire.ConsumeBytes(body)
	default:
		m = protowire.ConsumeFieldValue(field, wire, body)
	}
	if m < 0 {
		r.fail("field %d: %s", field, reason(m))
		return false
	}
	r.field, r.wire = field, wire
	r.rest, r.at = r.rest[n+m:], r.at+n+m
	return true
}

// number reads a number of a wire type and how many bytes it has.
func number(wire protowire.Type, b []byte) (bits uint64, n int) {
	switch wire {
	case protowire.Fixed32Type:
		v, n := protowire.ConsumeFixed32(b)
		return uint64(v), n
	case protowire.Fixed64Type:
		return protowire.ConsumeFixed64(b)
	}
	return protowire.ConsumeVarint(b)
}

// reason is why protowire refuses bytes.
func reason(code int) string {
	if err := protowire.ParseError(code); !errors.Is(err, io.ErrUnexpectedEOF) {
		return "no protobuf message"
	}
	return "cut short"
}

// is reports whether the field has this wire type. Another one is an error.
func (r *reader) is(want protowire.Type) bool {
	if r.wire != want {
		r.fail("field %d: wire type %d, want %d", r.field, r.wire, want)
	}
	return r.err == nil
}

func (r *reader) int() int64 {
	if !r.is(protowire.VarintType) {
		return 0
	}
	return int64(r.bits)
}

func (r *reader) float() float32 {
	if !r.is(protowire.Fixed32Type) {
		return 0
	}
	return math.Float32frombits(uint32(r.bits))
}

func (r *reader) text() string {
	if !r.is(protowire.BytesType) || !r.spend() {
		return ""
	}
	return string(r.value)
}

func (r *reader) bytes() []byte {
	if !r.is(protowire.BytesType) {
		return nil
	}
	return r.value
}

// spend takes one from the messages and texts that may come.
func (r *reader) spend() bool {
	if *r.left--; *r.left < 0 {
		r.fail("more than %d messages and texts", maxMessages)
		return false
	}
	return true
}

// alone is the place of a message that has no like.
const alone = -1

// sub reads the field as a message of its own; place is its number among its like.
func sub[T any](r *reader, what string, place int, read func(*reader) T) (v T) {
	if !r.is(protowire.BytesType) || !r.spend() {
		return v
	}
	if r.depth == maxDepth {
		r.fail("more than %d messages in each other", maxDepth)
		return v
	}
	in := reader{rest: r.value, at: r.at - len(r.value), depth: r.depth + 1, left: r.left}
	v = read(&in)
	if in.err == nil {
		return v
	}
	if place != alone {
		what = fmt.Sprintf("%s %d", what, place)
	}
	if in.err.Way != "" {
		what += ": " + in.err.Way
	}
	in.err.Way = what
	r.err, r.rest = in.err, nil
	return v
}

// numbers adds those of a repeated field to a list. They stand alone, or all in one field.
func numbers[T any](r *reader, list []T, wire protowire.Type, as func(bits uint64) T) []T {
	if r.wire == wire {
		return append(list, as(r.bits))
	}
	if !r.is(protowire.BytesType) {
		return list
	}
	if size := map[protowire.Type]int{protowire.Fixed32Type: 4, protowire.Fixed64Type: 8}[wire]; size > 0 {
		list = slices.Grow(list, len(r.value)/size)
	}
	for b := r.value; len(b) > 0; {
		bits, n := number(wire, b)
		if n < 0 {
			r.fail("field %d: %s", r.field, reason(n))
			break
		}
		list = append(list, as(bits))
		b = b[n:]
	}
	return list
}

func floats(r *reader, list []float32) []float32 {
	return numbers(r, list, protowire.Fixed32Type, func(bits uint64) float32 { return math.Float32frombits(uint32(bits)) })
}

func ints(r *reader, list []int64) []int64 {
	return numbers(r, list, protowire.VarintType, func(bits uint64) int64 { return int64(bits) })
}
