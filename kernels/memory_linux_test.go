package kernels

import (
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"zoobench/kernels/internal/f32"
)

// TestAlloc holds memory of all sizes to its length, to zeros, to lines of the cache where it has a page, and to itself:
// no two slices overlap.
func TestAlloc(t *testing.T) {
	var all [][]float32
	sizes := []int{0, 1, 15, 1023, 1024, 1025, 5000, 300_000, slabBytes/8 - 1, slabBytes / 8, slabBytes/8 + 1, slabBytes / 4,
		slabBytes/4 + 3, 3_000_001}
	for range 3 {
		for i, n := range sizes {
			x := Alloc(n)
			if len(x) != n || cap(x) > n && 4*n >= leastShared {
				t.Fatalf("%d elements: length %d, capacity %d", n, len(x), cap(x))
			}
			if 4*n >= leastShared && uintptr(unsafe.Pointer(&x[0]))%(4*f32.NR) != 0 {
				t.Errorf("%d elements begin within a line", n)
			}
			for k, v := range x {
				if v != 0 {
					t.Fatalf("%d elements: element %d is %v", n, k, v)
				}
				x[k] = float32(i + 1)
			}
			all = append(all, x)
		}
	}
	for i, x := range all {
		for k, v := range x {
			if v != float32(i%len(sizes)+1) {
				t.Fatalf("slice %d: element %d was overwritten by %v", i, k, v)
			}
		}
	}
}

// TestAllocUsedBefore takes memory that Go has used and given up: nothing of it is in memory before it is written.
func TestAllocUsedBefore(t *testing.T) {
	const n = 8 << 20
	before := make([][]float32, 64)
	for i := range before {
		before[i] = make([]float32, n/32)
		for k := range before[i] {
			before[i][k] = 1
		}
	}
	clear(before)
	runtime.GC()
	x := huge(n)
	pages := unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*n)
	resident := make([]byte, len(pages)/unix.Getpagesize())
	if err := mincore(pages, resident); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(resident, func(b byte) bool { return b&1 != 0 }); i >= 0 {
		t.Errorf("page %d of %d is in memory", i, len(resident))
	}
	if i := slices.IndexFunc(x, func(v float32) bool { return v != 0 }); i >= 0 {
		t.Errorf("element %d is %v", i, x[i])
	}
}

// mincore says which pages are in memory.
func mincore(b, resident []byte) error {
	_, _, e := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&resident[0])))
	if e != 0 {
		return e
	}
	return nil
}
