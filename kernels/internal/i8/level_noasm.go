//go:build (!amd64 && !arm64) || purego

package i8

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level { return []*Level{generic} }
