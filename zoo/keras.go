package zoo

import (
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// What the networks of Keras Applications have in common. Keras 3.16 is the reference; its files are keras*.go. They
// are networks of their own, with the prefix keras_: none computes what its relative of timm or torchvision does, each
// file's head says in what. A layer has Keras's name, a parameter that name and PyTorch's part ("conv1_conv.weight").

// kerasNorm is the epsilon of ResNet's and DenseNet's batch norms.
const kerasNorm = 1.001e-5

// kerasTable is the table from the names of Keras's files, "conv1_conv/kernel". A kernel's output channels are its last
// dimension there.
func kerasTable(rows func() []weights.Rename) weights.Table { return renamed("keras", rows) }

// kerasFirst is a table of names that a network's published files have and Keras 3 gave up: it reads weights by their order.
func kerasFirst(t weights.Table) weights.Table {
	t.Name += ", as first published"
	return t
}

// kerasParts are the tensors of a layer, by what kerasRows calls them together.
var kerasParts = map[string][]weights.Rename{
	"kernel":           {{Old: "/kernel", New: ".weight", Last: true}},
	"depthwise_kernel": {{Old: "/depthwise_kernel", New: ".weight", Last: true}},
	"bias":             {{Old: "/bias", New: ".bias"}},
	"norm":             slices.Concat(kerasScale, kerasShift, kerasMoving),
	"shift":            slices.Concat(kerasShift, kerasMoving), // a batch norm without a weight
	"layernorm":        slices.Concat(kerasScale, kerasShift),
}

var (
	kerasScale  = []weights.Rename{{Old: "/gamma", New: ".weight"}}
	kerasShift  = []weights.Rename{{Old: "/beta", New: ".bias"}}
	kerasMoving = []weights.Rename{{Old: "/moving_mean", New: ".running_mean"}, {Old: "/moving_variance", New: ".running_var"}}
)

// kerasRows are the rows of layers whose names fit a pattern, and of their parts, keys of kerasParts.
func kerasRows(old, new string, parts ...string) (rows []weights.Rename) {
	for _, part := range parts {
		for _, r := range kerasParts[part] {
			r.Old, r.New = old+r.Old, new+r.New
			rows = append(rows, r)
		}
	}
	return rows
}

// kerasSeparable are the rows of a separable convolution, which is one layer of Keras's and two of ours.
func kerasSeparable(old, depthwise, pointwise string) []weights.Rename {
	return []weights.Rename{
		{Old: old + "/depthwise_kernel", New: depthwise + ".weight", Last: true},
		{Old: old + "/pointwise_kernel", New: pointwise + ".weight", Last: true},
	}
}

// kerasDense are the rows of a classifier, a dense layer or a 1×1 convolution.
func kerasDense(old, new string) []weights.Rename {
	return []weights.Rename{
		{Old: old + "/kernel", New: new + ".weight", Last: true, Reshape: true}, {Old: old + "/bias", New: new + ".bias"},
	}
}

// kerasLayers are a network's names of the layers of a mobile network's block, behind the block's own.
type kerasLayers struct {
	expand, expandNorm, depthwise, norm string
	squeeze, excite                     string // of squeeze and excitation
	project, projectNorm                string
}

// keras are the rows of a block, by the name that precedes its layers' and the scope that they are in here.
func (b mbConv) keras(old, new string, l kerasLayers) []weights.Rename {
	var rows []weights.Rename
	add := func(layer, to string, parts ...string) {
		rows = append(rows, kerasRows(old+layer, new+to, parts...)...)
	}
	switch b.kind {
	case inverted:
		add(l.expandNorm, "bn1", "norm")
		add(l.expand, "conv_pw", "kernel")
		add(l.projectNorm, "bn3", "norm")
		add(l.project, "conv_pwl", "kernel")
		add(l.norm, "bn2", "norm")
		add(l.depthwise, "conv_dw", "depthwise_kernel")
	case separable:
		add(l.projectNorm, "bn2", "norm")
		add(l.project, "conv_pw", "kernel")
		add(l.norm, "bn1", "norm")
		add(l.depthwise, "conv_dw", "depthwise_kernel")
	case fused:
		add(l.expandNorm, "bn1", "norm")
		add(l.expand, "conv_exp", "kernel")
		add(l.projectNorm, "bn2", "norm")
		add(l.project, "conv_pwl", "kernel")
	case single:
		add(l.projectNorm, "bn1", "norm")
		add(l.project, "conv", "kernel")
	}
	if b.squeezed > 0 {
		add(l.squeeze, "se.conv_reduce", "kernel", "bias")
		add(l.excite, "se.conv_expand", "kernel", "bias")
	}
	return rows
}

// kerasPredictions is the classifier of most networks.
func kerasPredictions(g *nn.Builder, x nn.Value) nn.Value {
	return g.Linear("predictions", g.GlobalAvgPool(x), g.Classes)
}

// KerasModes are what the modes of Keras's preprocess_input stand for; with none a network takes images from 0 to 255.
var KerasModes = map[string]Recipe{
	"caffe": kerasCaffe,
	"tf":    {Mean: half, Std: half},
	"torch": {Mean: imageNetMean, Std: imageNetStd},
	"none":  kerasBytes,
}

// kerasBytes is the recipe of networks that take images from 0 to 255 and bring them to a scale of their own.
var kerasBytes = Recipe{Std: [3]float64{1. / 255, 1. / 255, 1. / 255}}

// kerasCaffe is the recipe of mode "caffe": channels blue, green, red, from 0 to 255, minus ImageNet's means.
var kerasCaffe = Recipe{
	Mean: [3]float64{123.68 / 255, 116.779 / 255, 103.939 / 255}, Std: [3]float64{1. / 255, 1. / 255, 1. / 255}, BGR: true,
}
