//go:build (!amd64 && !arm64) || purego

package bf16

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level { return []*Level{generic} }
