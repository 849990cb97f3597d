package kernels

import "unsafe"

// Scratch is working memory that operations share: those of one engine run one after another, so that the largest need
// is enough and the memory is still in cache from the operation before. The zero value has none.
type Scratch struct {
	shared []float32   // all workers'
	own    [][]float32 // each worker's
}

// orOwn is s, or memory of its own for an operation that shares none.
func (s *Scratch) orOwn() *Scratch {
	if s == nil {
		return &Scratch{}
	}
	return s
}

// reserve makes room for an operation's needs, in elements, before it runs.
func (s *Scratch) reserve(shared, workers, own int) {
	if len(s.shared) < shared {
		s.shared = Alloc(shared)
	}
	for len(s.own) < workers {
		s.own = append(s.own, nil)
	}
	for i := range workers {
		if len(s.own[i]) < own {
			s.own[i] = Alloc(own)
		}
	}
}

// cut takes the first n elements off memory.
func cut(memory *[]float32, n int) []float32 {
	part := (*memory)[:n:n]
	*memory = (*memory)[n:]
	return part
}

// AllocBytes is Alloc for bytes.
func AllocBytes(n int) []uint8 { return bytesOf[uint8](n) }

// bytesOf is Alloc for elements of one byte.
func bytesOf[T int8 | uint8](n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&Alloc(parts(n, 4))[0])), n)
}
