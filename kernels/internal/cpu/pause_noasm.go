//go:build (!amd64 && !arm64) || purego

package cpu

// Pause rests the core for about n turns of a loop.
func Pause(n uint32) {
	for i := uint32(0); i < n; i++ {
	}
}
