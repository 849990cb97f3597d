package kernels

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"zoobench/kernels/internal/f32"
)

// hugePage is the size of the large pages that Linux gives on demand.
const hugePage = 2 << 20

// Alloc is zeroed memory for packed weights, activations and what lies between them, in large pages where Linux gives
// them to who asks: a network that reads more than the caches hold then misses the address cache once in 2 MiB, not once
// in 4 KiB (AlexNet 22.0 to 20.0 ms on a Zen 4 core). A slice of less than a page's worth shares pages with others.
func Alloc(n int) []float32 {
	switch bytes := 4 * n; {
	case bytes < leastShared:
		return make([]float32, n)
	case bytes < slabBytes/2:
		return slabs.take(n)
	default:
		return huge(n)
	}
}

const (
	leastShared = 4 << 10 // below it a slice is no page
	slabBytes   = 4 * hugePage
)

// slabs gives memory out of the slab under way. A slab lives as long as any slice of it.
var slabs slabOf

type slabOf struct {
	sync.Mutex
	free []float32
}

// take cuts n elements, from the beginning of a line of the cache on, off the slab under way or a new one.
func (s *slabOf) take(n int) []float32 {
	s.Lock()
	defer s.Unlock()
	if len(s.free) < n {
		s.free = huge(slabBytes / 4)
	}
	part := s.free[:n:n]
	s.free = s.free[min(roundUp(n, f32.NR), len(s.free)):]
	return part
}

// huge is n elements that begin with a large page and end in one if they fill at least half of it. What lies before and
// behind is never touched, so that it takes addresses and no memory: where Go has written zeros over memory that it had used
// before, in small pages, the system takes that back first, up to 12 MiB of a slab.
func huge(n int) []float32 {
	all := make([]float32, n+2*hugePage/4)
	whole := unsafe.Slice((*byte)(unsafe.Pointer(&all[0])), 4*len(all)&^(unix.Getpagesize()-1)) // Go's large slices begin with a page
	_ = unix.Madvise(whole, unix.MADV_DONTNEED)                                                 // zeros are read from it afterwards too
	skip := -int(uintptr(unsafe.Pointer(&all[0]))) & (hugePage - 1)
	all = all[skip/4:]
	pages := unsafe.Slice((*byte)(unsafe.Pointer(&all[0])), (4*n+hugePage/2)&^(hugePage-1))
	_ = unix.Madvise(pages, unix.MADV_HUGEPAGE) // a hint: where it is not taken, only speed is lost
	return all[:n:n]
}
