package kernels_test

import (
	"fmt"

	"zoobench/kernels"
	"zoobench/kernels/par"
)

// A convolution is made once from its geometry and weights, then run over images: here a 3×3 that finds vertical edges,
// over one image of one channel, dark on the left and light on the right.
func ExampleConv() {
	pool := par.New(1)
	defer pool.Close()
	conv := kernels.NewConv(kernels.ConvShape{
		C: 1, H: 3, W: 6,
		OC: 1, OH: 3, OW: 6, // as large as the input, by a padding of 1
		KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: 1, Left: 1, Groups: 1,
		Weight: []float32{
			-1, 0, 1,
			-2, 0, 2,
			-1, 0, 1,
		},
		Act: kernels.ReLU,
	}, pool.Size())

	image := kernels.Tensor{N: 1, H: 3, W: 6, C: 1, Stride: 1, Data: []float32{
		0, 0, 0, 1, 1, 1,
		0, 0, 0, 1, 1, 1,
		0, 0, 0, 1, 1, 1,
	}}
	edges := image
	edges.Data = make([]float32, 3*6)
	conv.Run(pool, edges, image, kernels.Tensor{}) // no residual sum
	for y := range edges.H {
		fmt.Println(edges.Data[y*edges.W:][:edges.W])
	}
	// Output:
	// [0 0 3 3 0 0]
	// [0 0 4 4 0 0]
	// [0 0 3 3 0 0]
}
