//go:build !purego

package cpu

// FlushesDenormals is whether Flush has an effect.
const FlushesDenormals = true

// Flush makes the running thread take numbers below the normal range for zeros, as operands and as results (FZ of
// FPCR), and returns the mode for Restore.
func Flush() (before uint32)

// Restore gives the running thread the mode that it had before Flush.
func Restore(mode uint32)
