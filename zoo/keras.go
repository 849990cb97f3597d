package zoo

import (
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// What the networks of Keras Applications have in common. Keras 3.16 is the reference; its files are keras*.go. They
// are networks of their own, with the prefix keras_: none computes what its relative of timm or torchvision does, each
// file's head says in what. A layer has Keras's name, a parameter that name and PyTorch's part ("conv1_conv.weight").

// kerasTable is the table from the names of Keras's files, "conv1_conv/kernel". A kernel's output channels are its last
// dimension there.
func kerasTable(rows ...[]weights.Rename) weights.Table {
	return weights.Table{Name: "keras", Rows: slices.Concat(rows...)}
}

// kerasRows are the rows of layers whose names fit a pattern, and of their parts: "kernel", "bias", "depthwise_kernel" or
// "norm" for those of a batch norm.
func kerasRows(old, new string, parts ...string) (rows []weights.Rename) {
	for _, part := range parts {
		switch part {
		case "kernel", "depthwise_kernel":
			rows = append(rows, weights.Rename{Old: old + "/" + part, New: new + ".weight", Last: true})
		case "bias":
			rows = append(rows, weights.Rename{Old: old + "/bias", New: new + ".bias"})
		case "norm":
			rows = append(rows,
				weights.Rename{Old: old + "/gamma", New: new + ".weight"},
				weights.Rename{Old: old + "/beta", New: new + ".bias"},
				weights.Rename{Old: old + "/moving_mean", New: new + ".running_mean"},
				weights.Rename{Old: old + "/moving_variance", New: new + ".running_var"})
		}
	}
	return rows
}

// kerasPredictions is the classifier of most networks.
func kerasPredictions(g *nn.Builder, x nn.Value) nn.Value {
	return g.Linear("predictions", g.GlobalAvgPool(x), g.Classes)
}

// kerasCaffe is the recipe of mode "caffe": channels blue, green, red, from 0 to 255, minus ImageNet's means.
var kerasCaffe = Recipe{
	Mean: [3]float64{123.68 / 255, 116.779 / 255, 103.939 / 255}, Std: [3]float64{1. / 255, 1. / 255, 1. / 255}, BGR: true,
}
