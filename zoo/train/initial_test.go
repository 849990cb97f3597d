package train_test

import (
	"math"
	"slices"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/train/internal/small"
)

// TestInitial compares the deviation and the largest of each kind of parameter with their laws.
func TestInitial(t *testing.T) {
	g := small.Build(t, 8, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.BatchNorm("norm", g.Conv("conv", x, 64, nn.K(3).WithBias()), 1e-5)
		x = g.Add(x, g.Const("pos", x.Shape, 1, 64, 64))
		return g.Linear("linear", g.Scale("gamma", x), 48)
	})
	for _, test := range []struct {
		name            string
		mean, deviation float64
	}{
		{"conv.weight", 0, math.Sqrt(2. / (64 * 9))}, {"conv.bias", 0, 0}, {"norm.weight", 1, 0}, {"norm.bias", 0, 0},
		{"norm.running_mean", 0, 0}, {"norm.running_var", 1, 0}, {"pos", 0, 0.02}, {"gamma", 1, 0},
		{"linear.weight", 0, 1 / math.Sqrt(3*64)}, {"linear.bias", 0, 0},
	} {
		x, err := train.Initial(g, 3).Float32(test.name)
		if err != nil {
			t.Fatal(err)
		}
		mean, squares := 0.0, 0.0
		for _, v := range x {
			mean += float64(v) / float64(len(x))
		}
		for _, v := range x {
			squares += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
		}
		if d := math.Sqrt(squares); math.Abs(d-test.deviation) > 0.05*test.deviation || math.Abs(mean-test.mean) > 0.1*test.deviation {
			t.Errorf("%s: mean %v, deviation %v, want %v and %v", test.name, mean, d, test.mean, test.deviation)
		}
		again, _ := train.Initial(g, 3).Float32(test.name)
		other, _ := train.Initial(g, 4).Float32(test.name)
		if !slices.Equal(x, again) || test.deviation > 0 && slices.Equal(x, other) {
			t.Errorf("%s: the same seed gives other values, or another seed the same", test.name)
		}
	}
	if _, err := train.Initial(g, 3).Float32("none"); err == nil {
		t.Error("no error for a name that is no parameter's")
	}
}

// TestFrozen holds that a frozen part leaves the other parameters' gradients as they are, and that its batch norm takes the
// running statistics.
func TestFrozen(t *testing.T) {
	build := func(fixed bool) *nn.Graph {
		momentum := 0.1
		if fixed {
			momentum = 0
		}
		return small.Build(t, 4, func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.ReLU(g.BatchNormMomentum("norm", g.Conv("first", x, 8, nn.K(3).WithBias()), 1e-5, momentum))
			return g.GlobalAvgPool(g.Conv("second", x, 4, nn.K(3).WithBias()))
		})
	}
	g := build(false)
	images, targets := make([]float32, 2*3*16), []float64{1, 0, 0, 1}
	for i := range images {
		images[i] = float32(math.Sin(float64(i)))
	}
	run := func(g *nn.Graph, frozen []bool) *train.Network {
		net, err := train.New(g, train.Initial(g, 1), train.Options{Batch: 2, Workers: 1, Frozen: frozen})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(net.Close)
		if _, err := net.Train(images, targets, 0); err != nil {
			t.Fatal(err)
		}
		net.Keep()
		return net
	}
	frozen := make([]bool, len(g.Params))
	for i, p := range g.Params {
		frozen[i] = slices.Contains([]string{"first.weight", "first.bias", "norm.weight", "norm.bias"}, p.Name)
	}
	got, want := run(g, frozen), run(build(true), nil)
	for i, p := range g.Params {
		switch {
		case frozen[i] && got.Gradients[i] != nil:
			t.Errorf("%s is frozen and has a gradient", p.Name)
		case !frozen[i] && !slices.Equal(got.Gradients[i], want.Gradients[i]):
			t.Errorf("gradient of %s: %v, want %v", p.Name, got.Gradients[i], want.Gradients[i])
		case p.Name == "norm.running_mean" && !slices.Equal(got.Params[i], make([]float32, 8)):
			t.Errorf("a frozen batch norm's running mean moved to %v", got.Params[i])
		}
	}
	if all, less := train.Bytes(g, train.Options{Batch: 2}), train.Bytes(g, train.Options{Batch: 2, Frozen: frozen}); less >= all {
		t.Errorf("%d bytes with a frozen part, want less than %d", less, all)
	}
}
