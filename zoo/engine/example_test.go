package engine_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// A checkpoint's file is opened, fitted to a graph, packed once and run over images. This network says how much red,
// green and blue an image has.
func Example() {
	graph, err := nn.Build("colours", func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}, nn.Config{Size: 2, Classes: 3})
	check(err)

	dir, err := os.MkdirTemp("", "colours")
	check(err)
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "colours.safetensors")
	check(weights.WriteFile(file, []weights.Named{ // each colour's mean as it is
		{Name: "fc.weight", Shape: []int{3, 3}, Data: []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}},
		{Name: "fc.bias", Shape: []int{3}, Data: make([]float32, 3)},
	}, nil))

	source, err := weights.Open(file)
	check(err)
	defer source.Close()
	bound, err := weights.Bind(source, graph.Params, weights.Options{})
	check(err)
	e, err := engine.New(graph, bound, engine.Options{Threads: 1, Batch: 2})
	check(err)
	defer e.Close()

	images := []float32{ // channels last: two images of 2×2 pixels of red, green and blue
		1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1,
		0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0,
	}
	logits := make([]float32, 2*3)
	e.Run(logits, images, 2)
	fmt.Println(logits[:3], logits[3:])
	for _, l := range e.Layers() {
		fmt.Println(l.Op, l.Out, l.MACs, "MACs")
	}
	// Output:
	// [0.75 0 0.25] [0 1 0]
	// adaptive_avg_pool 3×1×1 0 MACs
	// linear 3×1×1 9 MACs
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
