package reports

import (
	"slices"
	"testing"

	"zoobench/bench/record"
	"zoobench/zoo/engine"
)

// TestOperations holds the plots to every kind of layer that the engine has, and to the layers of records without a kind.
func TestOperations(t *testing.T) {
	rest := []engine.Kind{engine.KindNorm, engine.KindElementwise, engine.KindMove}
	for _, k := range engine.Kinds() {
		if other := operationOf(&record.Layer{Kind: string(k)}) == len(operations())-1; other != slices.Contains(rest, k) {
			t.Errorf("%s among the rest: %v", k, other)
		}
	}
	for _, test := range []struct {
		layer record.Layer
		want  string
	}{
		{record.Layer{Op: "conv+relu", Algorithm: "gemm6x16"}, "convolution"},
		{record.Layer{Op: "conv+relu", Algorithm: "winograd4x3"}, "convolution, Winograd"},
		{record.Layer{Op: "conv+relu", Algorithm: "winograd4x3", Kind: "conv"}, "convolution"}, // the kind decides
		{record.Layer{Op: "conv", Algorithm: "dwband"}, "depthwise, grouped"},
		{record.Layer{Op: "conv", Algorithm: "gemm6x16", Kind: "grouped"}, "depthwise, grouped"},
		{record.Layer{Op: "linear", Algorithm: "gemm6x16"}, "linear"},
		{record.Layer{Op: "attention", Algorithm: "attention6x16"}, "attention, products"},
		{record.Layer{Op: "max_pool+relu"}, "pooling"},
		{record.Layer{Op: "add+relu"}, "the rest"},
	} {
		if got := operations()[operationOf(&test.layer)]; got != test.want {
			t.Errorf("%+v: got %s, want %s", test.layer, got, test.want)
		}
	}
}
