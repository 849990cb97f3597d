package train_test

import (
	"math"
	"slices"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/weights"
)

// TestKerasSteps takes a step with a network of each of Keras's families: the loss falls by what the gradients promise.
func TestKerasSteps(t *testing.T) {
	const classes, batch, small = 5, 4, 1e-2
	for _, network := range []string{
		"keras_vgg16", "keras_resnet50", "keras_resnet50v2", "keras_inceptionv3", "keras_inceptionresnetv2", "keras_xception",
		"keras_mobilenet_025", "keras_mobilenetv2_035", "keras_mobilenetv3small_minimalistic", "keras_densenet121",
		"keras_nasnetmobile", "keras_efficientnetb0", "keras_efficientnetv2b0", "keras_convnexttiny",
	} {
		t.Run(network, func(t *testing.T) {
			spec, err := zoo.Find(network)
			if err != nil {
				t.Fatal(err)
			}
			if testing.Short() && spec.Params > 20e6 {
				t.Skipf("%d parameters", spec.Params)
			}
			g, err := spec.GraphWith(nn.Config{Size: max(64, spec.Least), Classes: classes, Training: true})
			if err != nil {
				t.Fatal(err)
			}
			net, err := train.New(g, train.Initial(g, 1), train.Options{Batch: batch, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer net.Close()
			images, targets := weights.Generator{}.Batch(batch, g.Input().H), make([]float64, batch*classes)
			for i := range batch {
				targets[i*classes+i] = 1
			}
			before, err := net.Train(images, targets, 0)
			if err != nil {
				t.Fatal(err)
			}
			gradients, squares := make([][]float32, len(net.Gradients)), 0.0
			for i, d := range net.Gradients {
				gradients[i] = slices.Clone(d)
				for _, v := range d {
					squares += float64(v) * float64(v)
				}
			}
			for i, d := range gradients {
				for k, v := range d {
					net.Params[i][k] -= float32(small / squares * float64(v))
				}
			}
			after, err := net.Train(images, targets, 0)
			if err != nil {
				t.Fatal(err)
			}
			if fell := before - after; !(math.Abs(fell-small) < small/4) {
				t.Errorf("from a loss of %v it fell by %v, want %v", before, fell, small)
			}
		})
	}
}
