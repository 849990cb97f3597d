package engine

import (
	"fmt"
	"slices"
	"strings"
)

// The precisions of convolutions and matrix products. In bf16, the inputs and the weights of linear layers and of convolutions in one
// group are rounded, after batch norms are folded, to numbers with the exponent of a float32 and eight digits; sums, and all other
// layers, are float32. The numbers that are multiplied are the same on every instruction set, and so are the sums of these products,
// but for layers whose algorithm in the plan is bf16_amx, which adds up in an order of its own.
const (
	Float32 = "float32"
	BF16    = "bf16"
	Int8    = "int8"
)

// AllPrecisions are those that an experiment may name, whether an engine of this build runs them or not.
func AllPrecisions() []string { return []string{Float32, BF16, Int8} }

// Precisions are those that engines run.
func Precisions() []string { return []string{Float32, BF16, Int8} }

// CheckPrecision is an error that says which precisions engines run, where the one of this name is none of them; "" is Float32.
func CheckPrecision(name string) error {
	if name == "" || slices.Contains(Precisions(), name) {
		return nil
	}
	if slices.Contains(AllPrecisions(), name) {
		return fmt.Errorf("engine: no precision %s in this program, it has %s", name, strings.Join(Precisions(), ", "))
	}
	return fmt.Errorf("engine: precision %q, want %s", name, strings.Join(Precisions(), " or "))
}
