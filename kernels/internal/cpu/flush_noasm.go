//go:build (!amd64 && !arm64) || purego

package cpu

// FlushesDenormals is whether Flush has an effect: Go has no way to set a thread's floating-point mode.
const FlushesDenormals = false

// Flush does nothing.
func Flush() (before uint32) { return 0 }

// Restore does nothing.
func Restore(mode uint32) {}
