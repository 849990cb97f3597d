package zoo

import (
	"math"
	"slices"

	"zoobench/zoo/weights"
)

// kerasPublished is Keras's library with the weights that it publishes.
const kerasPublished = "keras imagenet"

var kerasFactor = Variant{Library: kerasPublished, Of: kerasOfPublished,
	Graph: "multiplies standardised images by 1/√deviation, as Keras does for its published weights"}

// kerasOfPublished reports whether a file has an EfficientNet's published weights, or was trained from them: its variances
// are ImageNet's deviations, or its network has the layer.
func kerasOfPublished(src weights.Source) bool {
	if f, ok := src.(*weights.File); ok && f.Keras() != nil {
		layers := f.Keras().Layers
		if slices.ContainsFunc(layers, func(l weights.KerasLayer) bool { return l.Name == "rescaling_1" }) {
			return true
		}
	}
	for _, name := range []string{"normalization/variance", "normalization.running_var"} { // Keras's and the network's own
		if variance, err := src.Float32(name); err == nil {
			near := func(v float32, deviation float64) bool { return math.Abs(float64(v)-deviation) < 1e-6 }
			same := slices.EqualFunc(variance, imageNetStd[:], near)
			src.Release(name)
			return same
		}
	}
	return false
}
