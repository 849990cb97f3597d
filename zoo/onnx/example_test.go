package onnx_test

import (
	"bytes"
	"fmt"
	"log"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// A network of four layers as a file, and what another program reads there.
func ExampleNew() {
	g, err := nn.Build("small", func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.BatchNorm("bn1", g.Conv("conv1", x, 8, nn.K(3)), 1e-5))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}, nn.Config{Size: 32, Classes: 10})
	if err != nil {
		log.Fatal(err)
	}
	f, err := onnx.New(g, weights.Generator{}.Source(g.Params), onnx.Options{Fold: true})
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		log.Fatal(err)
	}
	m, err := message.Decode(file.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range m.Graph.Nodes {
		fmt.Println(n.Op, n.In)
	}
	// Output:
	// Conv [x conv1.weight/folded conv1.bias/folded]
	// Relu [conv1/Conv]
	// GlobalAveragePool [act_3/Relu]
	// Reshape [adaptive_avg_pool_4/GlobalAveragePool ints/0,8]
	// Gemm [fc/Reshape fc.weight fc.bias]
}
