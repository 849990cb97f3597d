package weights

import (
	"errors"
	"fmt"
	"strings"
)

// What a pickle of torch.save calls, and what that gives here. Names and arguments are those of torch/_utils.py,
// torch/_tensor.py and torch/serialization.py of PyTorch 2.
//
// Nothing is ever called. The few functions that make tensors and dictionaries are done here; what any other would give
// is an inert value. Training frameworks leave such objects beside the weights: partial functions, members of enums,
// patterns, ranges, random generators. A call that only serves to run commands on the machine that loads the file is an
// error all the same: whoever has the file should know.

const orderedDict global = "collections.OrderedDict"

// runsCode reports whether a function in a pickle has no use but to run code or to touch files where it is loaded.
func runsCode(f global) bool {
	module, name, _ := strings.Cut(string(f), ".")
	switch module {
	case "os", "posix", "nt":
		return name != "stat_result" && name != "terminal_size"
	case "builtins", "__builtin__":
		switch name {
		case "eval", "exec", "execfile", "compile", "open", "file", "input", "raw_input", "__import__", "breakpoint":
			return true
		}
	case "subprocess", "pty", "runpy", "importlib", "shutil", "socket", "ctypes", "webbrowser", "pdb", "bdb", "timeit", "pip", "sys":
		return true
	}
	return false
}

// refused is the error for a call that runs code.
func refused(f global) error {
	return &UnsupportedError{Msg: fmt.Sprintf("calls %s, which a state dict does not need; nothing was executed", clip(string(f)))}
}

// A storage is a run of elements that the pickle names and the file holds elsewhere.
type storage struct {
	key   string
	dtype Dtype // "" for bytes without a type
	count int64 // elements; bytes where dtype is ""
}

// bytes is the storage's size in the file.
func (s *storage) bytes() int64 { return s.count * int64(max(1, s.dtype.size())) }

// A slice of a storage is what a tensor is built on; first is not 0 only in the old form's views.
type slice struct {
	of           *storage
	first, count int64
}

// A tensor is a view of a storage.
type tensor struct {
	of      slice
	dtype   Dtype
	offset  int64 // elements from of.first
	shape   []int
	strides []int
}

// storageDtype is the element type of one of PyTorch's storage classes. untyped means bytes.
func storageDtype(class global) (d Dtype, untyped, ok bool) {
	name := strings.TrimPrefix(strings.Replace(string(class), "torch.cuda.", "torch.", 1), "torch.")
	switch name {
	case "DoubleStorage":
		d = F64
	case "FloatStorage":
		d = F32
	case "HalfStorage":
		d = F16
	case "BFloat16Storage":
		d = BF16
	case "LongStorage":
		d = I64
	case "IntStorage":
		d = I32
	case "ShortStorage":
		d = I16
	case "CharStorage":
		d = I8
	case "ByteStorage":
		d = U8
	case "BoolStorage":
		d = Bool
	case "ComplexFloatStorage":
		d = C64
	case "ComplexDoubleStorage":
		d = C128
	case "UntypedStorage", "storage.UntypedStorage", "storage._UntypedStorage":
		return "", true, true
	}
	return d, false, d != ""
}

// torchDtype is the element type of a torch.dtype, which a pickle names as a global.
func torchDtype(name global) Dtype {
	switch name {
	case "torch.float64":
		return F64
	case "torch.float32":
		return F32
	case "torch.float16":
		return F16
	case "torch.bfloat16":
		return BF16
	case "torch.float8_e5m2":
		return F8E5M2
	case "torch.float8_e4m3fn":
		return F8E4M3
	case "torch.float8_e8m0fnu":
		return F8E8M0
	case "torch.float8_e5m2fnuz":
		return F8E5M2Z
	case "torch.float8_e4m3fnuz":
		return F8E4M3Z
	case "torch.int64":
		return I64
	case "torch.int32":
		return I32
	case "torch.int16":
		return I16
	case "torch.int8":
		return I8
	case "torch.uint64":
		return U64
	case "torch.uint32":
		return U32
	case "torch.uint16":
		return U16
	case "torch.uint8":
		return U8
	case "torch.bool":
		return Bool
	case "torch.complex64":
		return C64
	case "torch.complex128":
		return C128
	}
	return ""
}

// A rebuilder gives a pickle's storages and tensors, and remembers the storages.
type rebuilder struct{ storages map[string]*storage }

// persist resolves ("storage", class, key, location, count) and, in the old form, a sixth element that makes the
// value a view of the storage, and ("module", class, …), with which old files name the classes of whole modules.
func (r *rebuilder) persist(id tuple) (any, error) {
	if len(id) >= 2 && id[0] == "module" {
		if class, ok := id[1].(global); ok {
			return class, nil
		}
	}
	if len(id) < 5 || len(id) > 6 || id[0] != "storage" {
		return nil, errors.New("persistent identity is not a storage")
	}
	class, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	count, ok3 := id[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 || count > 1<<48 {
		return nil, errors.New("storage without a class, key and number of elements")
	}
	dtype, untyped, ok := storageDtype(class)
	if !ok {
		return &inert{class: string(class)}, nil
	}
	if untyped {
		dtype = ""
	}
	s := &storage{key: key, dtype: dtype, count: count}
	if before := r.storages[key]; before == nil {
		r.storages[key] = s
	} else if *before != *s {
		return nil, fmt.Errorf("storage %s has %d elements of %s here, but %d of %s earlier",
			clip(key), count, dtype, before.count, before.dtype)
	}
	s = r.storages[key]
	view := slice{of: s, count: count}
	if len(id) == 6 && id[5] != nil {
		meta, ok := id[5].(tuple)
		if !ok || len(meta) != 3 {
			return nil, errors.New("view of a storage is not a tuple of 3")
		}
		first, ok1 := meta[1].(int64)
		size, ok2 := meta[2].(int64)
		if !ok1 || !ok2 || first < 0 || size < 0 || first > count || size > count-first {
			return nil, fmt.Errorf("view of storage %s reaches beyond its %d elements", clip(key), count)
		}
		view.first, view.count = first, size
	}
	return view, nil
}

// call gives what REDUCE asks for.
func (r *rebuilder) call(f global, args tuple) (any, error) {
	switch f {
	case orderedDict, "builtins.dict", "__builtin__.dict":
		return pairs(args)
	case "collections.defaultdict":
		return &dict{}, nil
	case "builtins.set", "__builtin__.set":
		set := &inert{class: "set"}
		if len(args) == 1 {
			if items, ok := args[0].(*list); ok {
				set.entries.add(items.items)
			}
		}
		return set, nil
	case "torch.Size":
		if len(args) == 1 {
			switch v := args[0].(type) {
			case tuple, *inert:
				return v, nil
			}
		}
		return nil, errors.New("torch.Size of something other than a tuple")
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
		return r.tensor(f, args, "")
	case "torch._utils._rebuild_tensor_v3":
		if len(args) < 7 {
			return nil, fmt.Errorf("%s with %d arguments", f, len(args))
		}
		name, _ := args[6].(global)
		dtype := torchDtype(name)
		if dtype == "" {
			return &inert{class: "tensor of dtype " + string(name)}, nil
		}
		return r.tensor(f, args, dtype)
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		if len(args) == 0 {
			return nil, fmt.Errorf("%s without arguments", f)
		}
		switch args[0].(type) {
		case *tensor, *inert:
			return args[0], nil
		}
		return nil, fmt.Errorf("%s of %s, want a tensor", f, kind(args[0]))
	case "torch._tensor._rebuild_from_type_v2":
		// (function, class, arguments, state): a tensor with attributes of its own.
		if len(args) == 4 {
			inner, ok1 := args[0].(global)
			of, ok2 := args[2].(tuple)
			if ok1 && ok2 && inner != f {
				return r.call(inner, of)
			}
		}
		return nil, fmt.Errorf("%s of something other than a function and its arguments", f)
	}
	if runsCode(f) {
		return nil, refused(f)
	}
	if what := otherTensor(f); what != "" {
		return &inert{class: what}, nil
	}
	return &inert{class: string(f)}, nil
}

// The kinds of tensors that have no dense elements.
const (
	quantized = "quantized tensor"
	sparse    = "sparse tensor"
	empty     = "tensor without numbers, of the device \"meta\""
)

// otherTensor is the kind of tensor that a function of torch/_utils.py makes, "" for any other function.
func otherTensor(f global) string {
	switch f {
	case "torch._utils._rebuild_qtensor":
		return quantized
	case "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_sparse_csr_tensor":
		return sparse
	case "torch._utils._rebuild_meta_tensor_no_storage":
		return empty
	}
	return ""
}

// pairs is an ordered dictionary given as Python 2 pickled it: a list of [key, value], or nothing.
func pairs(args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	if items, ok := args[0].(*list); ok {
		for _, item := range items.items {
			switch item := item.(type) {
			case *list:
				if len(item.items) == 2 {
					d.set(item.items[0], item.items[1])
					continue
				}
			case tuple:
				if len(item) == 2 {
					d.set(item[0], item[1])
					continue
				}
			}
			return nil, errors.New("dictionary of something other than pairs")
		}
		return d, nil
	}
	if d, ok := args[0].(*dict); ok {
		return d, nil
	}
	return &inert{class: "dict"}, nil
}

// tensor builds a view from (storage, offset, shape, strides, …), and compares it with the storage.
func (r *rebuilder) tensor(f global, args tuple, dtype Dtype) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("%s with %d arguments", f, len(args))
	}
	if of, ok := args[0].(*inert); ok {
		return &inert{class: "tensor of " + of.class}, nil
	}
	// A tensor can say that its numbers change when they are read: conjugated, or of the other sign.
	if len(args) > 6 && dtype == "" {
		if meta, ok := args[6].(*dict); ok && (meta.items["neg"] == true || meta.items["conj"] == true) {
			return &inert{class: "tensor that is negated or conjugated when it is read"}, nil
		}
	}
	of, ok1 := args[0].(slice)
	offset, ok2 := args[1].(int64)
	shape, ok3 := integers(args[2])
	strides, ok4 := integers(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || offset < 0 || offset > 1<<48 || len(shape) != len(strides) || len(shape) > maxDims {
		return nil, fmt.Errorf("%s without a storage, offset, shape and strides that fit each other", f)
	}
	if dtype == "" {
		dtype = of.of.dtype
	}
	if dtype == "" || of.of.dtype != "" && of.of.dtype != dtype {
		return nil, fmt.Errorf("%s of %q elements on a storage of %q", f, dtype, of.of.dtype)
	}
	have := of.count
	if of.of.dtype == "" {
		have /= int64(dtype.size())
	}
	n, ok := product(shape, dtype.size())
	if !ok {
		return nil, fmt.Errorf("tensor of shape %v is too large", shape)
	}
	if n > 0 {
		last := offset // the element farthest from the storage's start
		for i, d := range shape {
			if d > 1 && strides[i] > 0 && int64(d-1) > (1<<48)/int64(strides[i]) {
				last = have
				break
			}
			last += int64(d-1) * int64(strides[i])
			if last >= have {
				break
			}
		}
		if last >= have {
			return nil, fmt.Errorf("tensor of shape %v, strides %v and offset %d reaches beyond its storage of %d elements",
				shape, strides, offset, have)
		}
	}
	return &tensor{of: of, dtype: dtype, offset: offset, shape: shape, strides: strides}, nil
}

// integers reads a tuple or list of integers that are not negative.
func integers(v any) ([]int, bool) {
	items, ok := v.(tuple)
	if l, is := v.(*list); is {
		items, ok = l.items, true
	}
	out := make([]int, 0, min(len(items), maxDims))
	for _, item := range items {
		n, is := item.(int64)
		if !is || n < 0 || int64(int(n)) != n {
			return nil, false
		}
		out = append(out, int(n))
	}
	return out, ok
}

// entry places a tensor whose storage begins at byte start.
func (t *tensor) entry(name string, start int64) entry {
	e := entry{
		Tensor: Tensor{Name: name, Shape: t.shape, Dtype: t.dtype},
		offset: start + t.of.first*int64(max(1, t.of.of.dtype.size())) + t.offset*int64(t.dtype.size()),
	}
	next := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] > 1 && t.strides[i] != next {
			e.strides = t.strides
		}
		next *= t.shape[i]
	}
	if e.Len() == 0 {
		e.strides = nil
	}
	return e
}

// shorten joins names, at most most of them, and counts the rest.
func shorten(names []string, most int) string {
	out := make([]string, 0, most)
	for _, name := range names[:min(most, len(names))] {
		out = append(out, clip(name))
	}
	s := strings.Join(out, ", ")
	if rest := len(names) - len(out); rest > 0 {
		s += fmt.Sprintf(" and %d more", rest)
	}
	return s
}
