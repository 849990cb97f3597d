package runner

import (
	"path/filepath"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/zoo"
)

// BenchmarkFirstLogits goes from a file to a network's first logits, with trials that are remembered.
func BenchmarkFirstLogits(b *testing.B) {
	b.Setenv("ZOOBENCH_CACHE", b.TempDir())
	for _, model := range []string{"resnet50", "vgg16"} {
		b.Run("model="+model, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "w.safetensors")
			writeGenerated(b, zoo.Default(), model, file, 0, "")
			logits := func() {
				n, err := Open(zoo.Default(), Task{Job: experiment.Job{Model: model}, Weights: file})
				if err != nil {
					b.Fatal(err)
				}
				n.Engine.Run(make([]float32, n.Graph.Output().Elems()), make([]float32, n.Graph.Input().Elems()), 1)
				n.Close()
			}
			logits() // with trials
			for b.Loop() {
				logits()
			}
		})
	}
}
