package nn_test

import (
	"fmt"
	"log"

	"zoobench/zoo/nn"
)

// A network of two residual blocks: shapes, names of parameters and costs follow from ten lines.
func ExampleBuild() {
	small := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.BatchNorm("bn1", g.Conv("conv1", x, 16, nn.K(3).S(2)), 1e-5))
		for i := range 2 {
			b := g.In("layer1.%d", i) // a scope of names
			y := b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, 16, nn.K(3)), 1e-5))
			y = b.BatchNorm("bn2", b.Conv("conv2", y, 16, nn.K(3)), 1e-5)
			x = b.ReLU(b.Add(y, x))
		}
		x = g.Expect(x, nn.Shape{C: 16, H: 16, W: 16}) // the size that a paper's table would print
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	graph, err := nn.Build("small", small, nn.Config{Size: 32, Classes: 10, Default: 32})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("input", graph.Input(), "output", graph.Output())
	fmt.Println(graph.ParamCount(), "parameters,", graph.MACs(), "MACs")
	p := graph.Params[5] // behind the first convolution's and its batch norm's
	fmt.Println(p.Name, p.Shape)

	_, err = nn.Build("too_deep", func(g *nn.Builder, x nn.Value) nn.Value {
		return g.MaxPool(x, nn.K(64).S(2).Valid())
	}, nn.Config{Size: 32, Classes: 10})
	fmt.Println(err)
	// Output:
	// input 3×32×32 output 10×1×1
	// 9978 parameters, 2470048 MACs
	// layer1.0.conv1.weight [16 16 3 3]
	// nn: too_deep at 32×32: max_pool in too_deep: window 64×64/2 does not fit into 32×32 pixels
}
