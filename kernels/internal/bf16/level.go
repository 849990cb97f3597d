package bf16

import "zoobench/kernels/internal/f32"

// A Level is one instruction set's microkernels.
type Level struct {
	Name   string
	beside string                    // the level of f32 that it goes with
	Gemm   [f32.Panels + 1]f32.Tiles // as f32.Level has them
	Gemm8  f32.Tiles
	Round  func(*Rows)
	Dots   bool // pairs are multiplied as they are, not widened to float32
}

// generic is every microkernel in Go.
var generic = func() *Level {
	l := &Level{Name: "generic", beside: "generic", Round: roundGeneric}
	l.Gemm, l.Gemm8 = f32.GemmGeneric(gemmRow)
	return l
}()

// Beside is the level that goes with one of f32: the best that needs no other instructions than that one and bf16's own.
func Beside(l *f32.Level) *Level {
	best := generic
	for _, own := range Levels() {
		if own.beside == l.Name {
			best = own
		}
	}
	return best
}
