package load

import (
	"encoding/binary"
	"slices"

	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// maxElems bounds the elements of any tensor that is computed from others.
const maxElems = 1 << 28

// A tensor is a value that no image reaches: whole numbers, which shapes are made of, or floats, which are computed when they
// are wanted.
type tensor struct {
	name   string // of the file's tensor that it is, maybe in another shape; "" if it is computed
	of     message.Type
	raw    []byte // of the file, nil where the numbers come from elsewhere
	dims   []int
	whole  bool
	ints   []int64
	floats func() ([]float32, error)
	steps  *steps // of whole numbers that it was before DequantizeLinear, nil for others
}

func count(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// bounded are dimensions of a tensor that may be computed.
func (l *loader) bounded(dims []int) []int {
	n := 1
	for _, d := range dims {
		if d < 0 || d > 0 && n > maxElems/d {
			l.refuse("a constant of shape %v, want at most %d elements", dims, maxElems)
		}
		n *= d
	}
	return dims
}

const halfNote = "the file has numbers of 16 bits; here they are turned into float32"

// fewBytes is how many whole numbers of eight bits a tensor may have that are not weights.
const fewBytes = 1 << 10

// read makes a tensor of one of the file's, whose bytes must be as many as its shape says.
func (l *loader) read(t *message.Tensor) *tensor {
	n, ok := t.Elems()
	size := t.Type.Size()
	if !ok || size == 0 {
		l.refuse("tensor %q: type %d and shape %v, want numbers", t.Name, t.Type, t.Dims)
	}
	x := &tensor{name: t.Name, of: t.Type}
	if t.Type == message.Float16 || t.Type == message.BFloat16 {
		l.note(halfNote)
	}
	for _, d := range t.Dims {
		x.dims = append(x.dims, int(d))
	}
	var raw func() ([]byte, error)
	switch {
	case t.External != nil:
		raw = l.external(t, int64(n)*int64(size))
	case t.Raw != nil || n == 0:
		raw, x.raw = func() ([]byte, error) { return t.Raw, nil }, t.Raw
		if len(t.Raw) != n*size {
			l.refuse("tensor %q: %d bytes, want %d for %v of type %d", t.Name, len(t.Raw), n*size, t.Dims, t.Type)
		}
	default:
		return l.listed(x, t, n)
	}
	ofBytes := (t.Type == message.Int8 || t.Type == message.Uint8) && n > fewBytes
	switch {
	case floatTypes[t.Type] != "":
		x.floats = func() ([]float32, error) {
			b, err := raw()
			if err != nil {
				return nil, err
			}
			return widen(b, t.Type), nil
		}
	case ofBytes:
		x.floats = func() ([]float32, error) {
			b, err := raw()
			if err != nil {
				return nil, err
			}
			y := make([]float32, len(b))
			for i, v := range b {
				if y[i] = float32(v); t.Type == message.Int8 {
					y[i] = float32(int8(v))
				}
			}
			return y, nil
		}
	default:
		b, err := raw()
		if err != nil {
			l.refuse("tensor %q: %v", t.Name, err)
		}
		x.whole, x.ints = true, integers(b, t.Type)
	}
	return x
}

// listed takes the numbers from the typed lists of a tensor.
func (l *loader) listed(x *tensor, t *message.Tensor, n int) *tensor {
	have := max(len(t.Floats), len(t.Ints), len(t.Doubles), len(t.Uints))
	if have != n {
		l.refuse("tensor %q: %d numbers, want %d for %v", t.Name, have, n, t.Dims)
	}
	floats := t.Floats
	switch {
	case len(t.Floats) == n && t.Type == message.Float32:
	case len(t.Doubles) == n && t.Type == message.Float64:
		floats = make([]float32, n)
		for i, v := range t.Doubles {
			floats[i] = float32(v)
		}
	case len(t.Ints) == n && (t.Type == message.Float16 || t.Type == message.BFloat16):
		b := make([]byte, 0, 2*n)
		for _, v := range t.Ints {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
		floats = widen(b, t.Type)
	case len(t.Ints) == n:
		x.whole, x.ints = true, t.Ints
		return x
	case len(t.Uints) == n:
		x.whole = true
		for _, v := range t.Uints {
			x.ints = append(x.ints, int64(v))
		}
		return x
	default:
		l.refuse("tensor %q: its numbers are not of type %d", t.Name, t.Type)
	}
	x.floats = func() ([]float32, error) { return floats, nil }
	return x
}

// floatTypes are the types of floats, as package weights has them.
var floatTypes = map[message.Type]weights.Dtype{
	message.Float32: weights.F32, message.Float64: weights.F64, message.Float16: weights.F16, message.BFloat16: weights.BF16,
}

// widen makes float32 of the bytes of floats.
func widen(b []byte, t message.Type) []float32 {
	x := make([]float32, len(b)/t.Size())
	weights.Decode(x, floatTypes[t], b)
	return x
}

// integers reads whole numbers of any width.
func integers(b []byte, t message.Type) []int64 {
	size := t.Size()
	x := make([]int64, len(b)/size)
	signed := t == message.Int8 || t == message.Int16 || t == message.Int32
	for i := range x {
		var v uint64
		for k := range size {
			v |= uint64(b[i*size+k]) << (8 * k)
		}
		if shift := 64 - 8*size; signed {
			x[i] = int64(v<<shift) >> shift
		} else {
			x[i] = int64(v)
		}
	}
	return x
}

// wholes is a tensor of whole numbers.
func wholes(dims []int, v ...int64) *tensor { return &tensor{dims: dims, whole: true, ints: v} }

// numbers are a tensor's, which must be few.
func (l *loader) numbers(t *tensor) []float32 {
	if t.whole {
		x := make([]float32, len(t.ints))
		for i, v := range t.ints {
			x[i] = float32(v)
		}
		return x
	}
	x, err := t.floats()
	if err != nil {
		l.refuse("%v", err)
	}
	return x
}

// scalar is the number of a tensor that has one.
func (l *loader) scalar(t *tensor) float64 {
	if count(t.dims) != 1 {
		l.refuse("a constant of shape %v, want a single number", t.dims)
	}
	return float64(l.numbers(t)[0])
}

// remap is a tensor whose element i is element from(i) of t.
func (l *loader) remap(t *tensor, dims []int, from func(i int) int) *tensor {
	y := &tensor{name: t.name, of: t.of, raw: t.raw, dims: l.bounded(dims), whole: t.whole}
	n := count(dims)
	if t.whole {
		y.ints = make([]int64, n)
		for i := range y.ints {
			y.ints[i] = t.ints[from(i)]
		}
		return y
	}
	y.floats = func() ([]float32, error) {
		x, err := t.floats()
		if err != nil {
			return nil, err
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = x[from(i)]
		}
		return out, nil
	}
	return y
}

// shaped is the same numbers in another shape.
func (t *tensor) shaped(dims []int) *tensor {
	y := *t
	y.dims, y.steps = slices.Clone(dims), t.steps.shaped(t.dims, dims)
	return &y
}

// strides are the steps of row-major dimensions.
func strides(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = n
		n *= dims[i]
	}
	return s
}

// transposed is a tensor with its axes in another order.
func (l *loader) transposed(t *tensor, perm []int) *tensor {
	dims, step := make([]int, len(perm)), make([]int, len(perm))
	in := strides(t.dims)
	for i, p := range perm {
		dims[i], step[i] = t.dims[p], in[p]
	}
	y := l.stepped(t, dims, step)
	y.steps = t.steps.permuted(perm)
	return y
}

// stepped is a tensor of these dimensions whose elements lie so many steps apart in t.
func (l *loader) stepped(t *tensor, dims, step []int) *tensor {
	out := strides(dims)
	return l.remap(t, dims, func(i int) int {
		at := 0
		for k := range out {
			at += i / out[k] * step[k]
			i %= out[k]
		}
		return at
	})
}

// spread is a tensor broadcast to a shape.
func (l *loader) spread(t *tensor, dims []int) *tensor {
	if slices.Equal(t.dims, dims) {
		return t
	}
	if len(t.dims) > len(dims) {
		l.refuse("a constant of shape %v for %v", t.dims, dims)
	}
	step := make([]int, len(dims))
	in := strides(t.dims)
	for i, d := range t.dims {
		k := i + len(dims) - len(t.dims)
		if d != 1 && d != dims[k] {
			l.refuse("a constant of shape %v for %v", t.dims, dims)
		}
		if d != 1 {
			step[k] = in[i]
		}
	}
	return l.stepped(t, dims, step)
}

// broadcast is the shape in which two meet.
func (l *loader) broadcast(a, b []int) []int {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		k := i + len(a) - len(b)
		switch {
		case out[k] == 1:
			out[k] = d
		case d != 1 && d != out[k]:
			l.refuse("shapes %v and %v", a, b)
		}
	}
	return out
}
