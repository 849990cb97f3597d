// Package ref is every operation of the zoo as plain loops with float64 sums: what the fast kernels and the engine are
// compared with.
//
// The contract: activations are float64, in N,C,H,W order, each image behind the other; parameters are float32 as a
// checkpoint holds them, or float64 where they were computed (standardised weights). Each function writes all of dst,
// reads nothing else than its arguments and keeps nothing. dst may be x itself where the comment says so. A slice of
// the wrong length is a broken contract and panics. NaN goes through as arithmetic has it. Output channels are shared
// out among goroutines; each element is summed by one of them in the order of the loops, so that results do not depend
// on their number.
//
// It leaves to others what a network is (zoo/nn, zoo/interp) and speed (kernels).
package ref

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Float is the type of a parameter.
type Float interface{ float32 | float64 }

// Window is how a convolution or a pool moves over an image: its size, stride and dilation, and the number of padded
// rows and columns on each side.
type Window struct {
	H, W                     int
	SH, SW                   int
	DH, DW                   int
	Top, Left, Bottom, Right int
}

// each calls f(i) for every i below n, on as many goroutines as can run at once.
func each(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// check panics unless a slice has the length that the sizes ask for.
func check(what string, have, want int) {
	if have != want {
		panic("kernels/ref: " + what + " has the wrong length")
	}
}
