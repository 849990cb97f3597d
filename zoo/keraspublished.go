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
	variance, err := src.Float32("normalization/variance")
	if err != nil || len(variance) != len(imageNetStd) {
		return false
	}
	for c, v := range variance {
		if math.Abs(float64(v)-imageNetStd[c]) > 1e-6 {
			return false
		}
	}
	return true
}
