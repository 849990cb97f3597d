// Package weights reads the numbers of a network: published checkpoints as safetensors, as PyTorch's .pth, .pt and
// .pth.tar files, as Keras's .h5, .weights.h5 and .keras or as NumPy's arrays, in one file or in several, and generated
// weights, which need no file. It fits them to a network's parameters by name and says all that does not fit at once, and it
// writes safetensors. Its Store fetches published files and verifies them.
//
// The contract. Every kind of weights is a Source: named tensors in row-major order, their dimensions as the file has them
// (PyTorch's, but for Keras's files), given as float32. float16, bfloat16 and float64 are converted; integers are listed with
// their shapes but never given as numbers, since a parameter of a network for inference in float32 is none; File.Int8 gives 8-bit
// ones as they are. A file is judged
// by its content, not by its name, and is not trusted: every length, offset, shape and stride is checked against the file
// before it is used, memory stays proportional to the file (as it is unpacked, for Keras's compressed ones, at most 1032
// times as large), and what breaks the format is a *FormatError with its position. Nothing in a pickle is
// ever executed. The reader builds containers, numbers, strings and dense tensors; an object of any other class, and
// what a call of any function would give, is an inert value that knows the name of its class or function. A call that
// only serves to run code where the file is loaded (os.system) is an *UnsupportedError, and so is everything that is
// sound but not read here (compressed zip entries, big-endian storages). An inert value that stands where the network
// wants a tensor is reported by Bind like a missing one, with its class and with what to type.
//
// A file may hold several state dicts, its sections, and a state dict may have a prefix before every name. Fit chooses
// both for a network, and says what it chose; a pickled module or a TorchScript archive gives its state dict too. A Keras
// file gives its layers' order and its configuration besides, and tensors named LAYER/PART whatever form it has.
//
// Files are mapped where the system can; a slice from Float32 may point into the map. Read copies instead, through the
// file descriptor, so that it needs no map, keeps the process small and turns a file that shrinks under it into an
// error: it is the way to take a large layer, a panel at a time. Whoever reads a slice from Float32 while others may
// shorten the file does so under Guard. A Source can be used from many goroutines at once; Close must come last.
//
// What it leaves to others: which parameters a network has (zoo/nn), which names one library's networks bear in
// another (tables of Rename are given to Bind by the zoo), packing and folding (zoo/engine).
package weights

// A Source is a set of named tensors: an opened File, Generated weights, or either of them Bound to a network.
type Source interface {
	// Name says in an error or a record where the numbers come from: a file's base name, or the generator's settings.
	Name() string

	// Tensors lists what there is, in the source's own order. The caller must not change it.
	Tensors() []Tensor

	// Lookup finds a tensor by its name.
	Lookup(name string) (Tensor, bool)

	// Float32 gives a tensor's elements, row-major. The slice is read-only and valid until Release(name) or Close.
	// It is not copied where a float32 tensor lies aligned in a mapped file; a second call gives the same slice.
	Float32(name string) ([]float32, error)

	// Read copies the elements first … first+len(dst)-1 of a tensor, counted row-major, into dst. It leaves no
	// memory behind, apart from a transposed or otherwise strided tensor's copy, which Release drops.
	Read(name string, first int, dst []float32) error

	// Release ends the use of Float32's slice: its memory, or its pages of the map, may be dropped.
	Release(name string)

	// Close ends the use of everything the source has given.
	Close() error
}

// A Tensor says what a source holds under one name.
type Tensor struct {
	Name  string
	Shape []int // row-major, empty for a single number
	Dtype Dtype // as stored
}

// Len is the number of elements.
func (t Tensor) Len() int { return length(t.Shape) }

// length is the number of elements of a shape that is known not to overflow.
func length(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// ShapeOf is the shape of the tensor that will become the network's parameter of that name: the source's own tensor of
// that name or, where it has none, the one that the first fitting table renames to it. Its first dimension, for a
// classifier's weight, is the checkpoint's number of classes.
func ShapeOf(src Source, param string, tables ...Table) ([]int, bool) {
	if t, ok := src.Lookup(param); ok {
		return t.Shape, true
	}
	for _, table := range tables {
		for _, t := range src.Tensors() {
			if row, name := table.find(t.Name); row >= 0 && name == param && table.rows()[row].Of < 2 {
				if n := len(t.Shape) - 1; table.rows()[row].Last && n > 0 {
					return append([]int{t.Shape[n]}, t.Shape[:n]...), true
				}
				return t.Shape, true
			}
		}
	}
	return nil, false
}
