//go:build !amd64 || purego

package bf16

import "zoobench/kernels/internal/i8"

// Blocks are the products by blocks: the Go twins of AMX's.
func Blocks() i8.Blocks { return i8.BlocksGeneric(blockGeneric) }
