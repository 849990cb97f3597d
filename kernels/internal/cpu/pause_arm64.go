//go:build !purego

package cpu

// Pause rests the core for n turns of the processor's own spin hint.
//
//go:noescape
func Pause(n uint32)
