package train_test

import (
	"fmt"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train"
)

func TestDecays(t *testing.T) {
	g, err := nn.Build("small", func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.BatchNorm("norm", g.Conv("conv", x, 2, nn.K(1).WithBias()), 1e-5)
		x = g.Scale("gamma", g.Add(x, g.Const("pos", x.Shape, 1, 4, 2)))
		return g.Linear("fc", g.GlobalAvgPool(x), 2)
	}, nn.Config{Size: 2, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, decays := range train.Decays(g) {
		if decays {
			names = append(names, g.Params[i].Name)
		}
	}
	if got := fmt.Sprint(names); got != "[conv.weight fc.weight]" {
		t.Errorf("%s decay, want conv.weight and fc.weight", got)
	}
}
