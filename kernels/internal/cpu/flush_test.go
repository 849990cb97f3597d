package cpu

import (
	"math"
	"runtime"
	"testing"
)

// Operands that the compiler cannot see through.
var (
	one      = float32(1)
	half     = float32(0.5)
	smallest = float32(0x1p-126)                 // the smallest normal number
	denormal = math.Float32frombits(0x0040_0000) // half of it
)

// TestFlush holds both directions, results and operands, to the mode, and the mode before it to Restore.
func TestFlush(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	check := func(when string, want float32) {
		t.Helper()
		if got := smallest * half; got != want {
			t.Errorf("%s: half the smallest normal number is %g, want %g", when, got, want)
		}
		if got := denormal * 2 * one; got != 2*want {
			t.Errorf("%s: a denormal doubled is %g, want %g", when, got, 2*want)
		}
		if got := smallest * one; got != 0x1p-126 {
			t.Errorf("%s: the smallest normal number is %g", when, got)
		}
	}
	check("before", denormal)
	for range 2 { // twice nested: the inner one restores the outer one's mode
		before := Flush()
		inner := Flush()
		want := float32(0)
		if !FlushesDenormals {
			want = 0x1p-127
		}
		check("flushed", want)
		Restore(inner)
		check("inner restored", want)
		Restore(before)
		check("restored", 0x1p-127)
	}
}
