package nn

import (
	"math"
	"strings"
	"testing"
)

// TestTraining builds a network for evaluation and for training.
func TestTraining(t *testing.T) {
	arch := func(g *Builder, x Value) Value {
		x = g.Dropout(g.StochasticDepth(g.Dropout(x, 0), 0.25), 0.5)
		if g.Training {
			g.Head(g.Linear("aux", g.GlobalAvgPool(x), g.Classes), 0.3)
		}
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	g, err := Build("small", arch, Config{Size: 2, Classes: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 3 || len(g.Heads) != 0 || len(g.Params) != 2 {
		t.Errorf("for evaluation: %d nodes, %d heads and %d parameters, want 3, none and 2", len(g.Nodes), len(g.Heads), len(g.Params))
	}
	g, err = Build("small", arch, Config{Size: 2, Classes: 4, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := g.Nodes[1]; n.Op != Identity || n.Drop != 0.25 || !n.DropImages {
		t.Errorf("node 1 is %v with %v of images %v, want an identity that drops a quarter of images", n.Op, n.Drop, n.DropImages)
	}
	if n := g.Nodes[2]; n.Op != Identity || n.Drop != 0.5 || n.DropImages {
		t.Errorf("node 2 is %v with %v of images %v, want an identity that drops half of the elements", n.Op, n.Drop, n.DropImages)
	}
	if len(g.Heads) != 1 || g.Heads[0] != (Head{4, 0.3}) || g.Params[0].Name != "aux.weight" {
		t.Errorf("heads %v, first parameter %v", g.Heads, g.Params[0])
	}
}

func TestTrainingErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		arch func(g *Builder, x Value) Value
		want string
	}{
		{"all dropped", func(g *Builder, x Value) Value { return g.Dropout(x, 1) }, "share 1, want at least 0 and less than 1"},
		{"no number", func(g *Builder, x Value) Value { return g.Dropout(x, math.NaN()) }, "share NaN, want"},
		{"below nothing", func(g *Builder, x Value) Value { return g.StochasticDepth(x, -0.1) }, "share -0.1, want"},
		{"head of an image", func(g *Builder, x Value) Value { g.Head(x, 1); return x }, "head in small: 3×2×2, want 2×1×1"},
	} {
		_, err := Build("small", test.arch, Config{Size: 2, Classes: 2, Training: true})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// TestAll holds that every operation and activation has a name of its own.
func TestAll(t *testing.T) {
	names := map[string]bool{}
	for _, op := range Ops() {
		names[op.String()] = true
	}
	for _, act := range Acts() {
		names[act.String()] = true
	}
	if names[""] || len(names) != int(numOps)+int(numActs)-1 {
		t.Errorf("%d names of %d operations and %d activations", len(names), numOps, numActs-1)
	}
}
