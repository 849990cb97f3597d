package load

import (
	"fmt"
	"slices"
	"strings"
)

// settings are the attributes that an operator may have; operators that are not here have none.
var settings = map[string]string{
	"Conv": "kernel_shape strides dilations pads auto_pad group", "Gemm": "alpha beta transA transB",
	"BatchNormalization": "epsilon momentum spatial training_mode", "LayerNormalization": "axis epsilon stash_type",
	"InstanceNormalization": "epsilon", "GroupNormalization": "epsilon num_groups stash_type",
	"MaxPool":     "kernel_shape strides dilations pads auto_pad ceil_mode storage_order",
	"AveragePool": "kernel_shape strides dilations pads auto_pad ceil_mode count_include_pad",
	"ReduceMean":  "axes keepdims noop_with_empty_axes", "ReduceMax": "axes keepdims noop_with_empty_axes",
	"Pad": "mode pads value", "Softmax": "axis", "LogSoftmax": "axis", "Reshape": "allowzero", "Flatten": "axis", "Transpose": "perm",
	"Unsqueeze": "axes", "Squeeze": "axes", "Slice": "starts ends axes steps", "Gather": "axis", "Split": "axis split num_outputs",
	"Concat": "axis", "Dropout": "ratio seed", "Cast": "to saturate", "HardSigmoid": "alpha beta", "Clip": "min max",
	"Gelu": "approximate", "LeakyRelu": "alpha", "Constant": "value value_int value_ints value_float value_floats",
	"ConstantOfShape": "value", "Shape": "start end", "Mod": "fmod",
	"QuantizeLinear": "axis saturate block_size output_dtype precision", "DequantizeLinear": "axis block_size output_dtype",
}

// mostFaults bounds how many of a kind are listed.
const mostFaults = 1000

// survey notes the operators that no layer is known for, and the settings of others, of all that the result needs.
func (l *loader) survey(needed []bool) {
	var unknown, odd []string
	for i := range l.m.Graph.Nodes {
		if !needed[i] {
			continue
		}
		l.node, l.index = &l.m.Graph.Nodes[i], i
		if n := l.node; !l.knows(n.Domain, n.Op) {
			unknown = append(unknown, fmt.Sprintf("%s: no layer for operator %s", l.place(), strings.TrimPrefix(n.Domain+"."+n.Op, ".")))
			continue
		}
		known := strings.Fields(settings[l.node.Op])
		for _, a := range l.node.Attributes {
			if !slices.Contains(known, a.Name) {
				odd = append(odd, fmt.Sprintf("%s: setting %s", l.place(), a.Name))
			}
		}
	}
	l.node = nil
	for _, faults := range [][]string{unknown, odd} {
		l.faults = append(l.faults, faults[:min(len(faults), mostFaults)]...)
		if more := len(faults) - mostFaults; more > 0 {
			l.faults = append(l.faults, fmt.Sprintf("%d more of this kind", more))
		}
	}
}

// knows reports whether an operator can be had.
func (l *loader) knows(domain, op string) bool {
	return (domain == "" || domain == "ai.onnx") && (operators[op] != nil || folds[op] != nil)
}

// place is the operator's title and those of the operators before it.
func (l *loader) place() string {
	var before []string
	for _, name := range l.node.In {
		i, made := l.makers[name]
		if _, constant := l.values[name].(*tensor); !made || constant || i >= l.index || l.m.Graph.Nodes[i].Op == "Constant" {
			continue
		}
		if title := titleOf(&l.m.Graph.Nodes[i], i); !slices.Contains(before, title) && len(before) < 8 {
			before = append(before, title)
		}
	}
	text := l.title()
	if len(before) > 0 {
		text += " after " + strings.Join(before, " and ")
	}
	return text
}
