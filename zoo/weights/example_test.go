package weights_test

import (
	"fmt"
	"os"
	"path/filepath"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// A checkpoint is opened, fitted to a network's parameters and read by their names.
func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tiny.safetensors")
	err = weights.WriteFile(path, []weights.Named{
		{Name: "fc.weight", Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, 6}},
		{Name: "fc.bias", Shape: []int{2}, Data: []float32{7, 8}},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	file, err := weights.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	shape, _ := weights.ShapeOf(file, "fc.weight")
	fmt.Println("classes:", shape[0])

	params := []nn.Param{{Name: "fc.weight", Shape: []int{2, 3}}, {Name: "fc.bias", Shape: []int{2}}}
	bound, err := weights.Bind(file, params, weights.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]float32, 3)
	if err := bound.Read("fc.weight", 3, row); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("second row:", row)

	params[1].Shape = []int{3}
	_, err = weights.Bind(file, params, weights.Options{})
	fmt.Println(err)
	// Output:
	// classes: 2
	// second row: [4 5 6]
	// weights: tiny.safetensors: fc.bias: shape [2], want [3]
}

// A network without a file gets numbers that depend on names alone.
func ExampleGenerator() {
	params := []nn.Param{{Name: "conv1.weight", Shape: []int{64, 3, 7, 7}}}
	source := weights.Generator{Seed: 1, Gain: 1.4142135}.Source(params)
	x, err := source.Float32("conv1.weight")
	fmt.Println(x[:3], err)
	// Output: [0.09163714 -0.09672003 -0.11566757] <nil>
}
