package kernels

import (
	"testing"
	"unsafe"

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
