package outline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// build makes a network of 16×16 pixels.
func build(t *testing.T, arch func(*nn.Builder, nn.Value) nn.Value) Network {
	t.Helper()
	s := &zoo.Spec{Name: "small", Size: 16, Build: arch}
	g, err := s.Graph(0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return Network{s, g}
}

// convBNReLU is a convolution with what rides on it.
func convBNReLU(g *nn.Builder, name string, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.ReLU(g.BatchNorm(name+"_bn", g.Conv(name, x, out, k), 1e-5))
}

func head(g *nn.Builder, x nn.Value) nn.Value { return g.Linear("fc", g.GlobalAvgPool(x), g.Classes) }

func TestStages(t *testing.T) {
	for _, test := range []struct {
		name string
		arch func(*nn.Builder, nn.Value) nn.Value
		want string
	}{
		{"layers without a block", func(g *nn.Builder, x nn.Value) nn.Value {
			x = convBNReLU(g, "a", x, 8, nn.K(3))
			x = convBNReLU(g, "b", x, 4, nn.K(3).WithBias())
			return head(g, g.MaxPool(x, nn.K(2).S(2).Valid()))
		}, `
16×16: conv 3×3, 8 · bn · relu (1)
16×16: conv 3×3, 4 +bias · bn · relu (1)
8×8: max pool 2×2/2 (1)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"equal lines are counted", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Conv("stem", x, 8, nn.K(1))
			for i := range 3 {
				x = convBNReLU(g, fmt.Sprintf("c%d", i), x, 8, nn.K(3))
			}
			return head(g, x)
		}, `
16×16: conv 1×1, 8 (1)
16×16: 3 × conv 3×3, 8 · bn · relu (3)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"blocks repeat, the first with a shortcut of its own", func(g *nn.Builder, x nn.Value) nn.Value {
			for i := range 3 {
				b := g.In("layer1.%d", i)
				y := b.Conv("conv1", x, 8, nn.K(3))
				if i == 0 {
					x = b.Conv("downsample.0", x, 8, nn.K(1))
				}
				x = b.ReLU(b.Add(y, x))
			}
			return head(g, x)
		}, `
16×16: 1 block: (1)
16×16:   conv 3×3, 8 (1)
16×16:   conv 1×1, 8 (1)
16×16:   add · relu (1)
16×16: 2 blocks: (2)
16×16:   conv 3×3, 8 (2)
16×16:   add · relu (2)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"pairs of blocks repeat", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Conv("stem", x, 8, nn.K(1))
			for i := range 4 {
				b := g.In("layer1.%d", i)
				y := b.Conv("conv1", x, 8, nn.K(3+2*(i%2)))
				x = b.Add(y, x)
			}
			return head(g, x)
		}, `
16×16: conv 1×1, 8 (1)
16×16: 2 × 2 blocks: (4)
16×16:   conv 3×3, 8 (2)
16×16:   add (2)
16×16:   conv 5×5, 8 (2)
16×16:   add (2)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"a stage ends blocks that would repeat", func(g *nn.Builder, x nn.Value) nn.Value {
			for i := range 2 {
				b := g.In("layer1.%d", i)
				x = b.ReLU(b.Conv("conv1", x, 8, nn.K(3).S(2)))
			}
			return head(g, x)
		}, `
8×8: conv 3×3/2, 8 · relu (1)
4×4: conv 3×3/2, 8 · relu (1)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"an odd size is of the stage of its halving, which takes the last size's name", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Conv("a", x, 8, nn.K(2).S(2).Valid())
			return head(g, g.Conv("b", x, 8, nn.K(2).Valid()))
		}, `
7×7: conv 2×2/2, 8 (1)
7×7: conv 2×2, 8 (1)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
		{"tokens are a stage", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Tokens(g.Conv("patch", x, 8, nn.K(4).S(4).Valid()))
			return head(g, g.Linear("mlp", x, 8))
		}, `
4×4: conv 4×4/4, 8 (1)
16 tokens: tokens (1)
16 tokens: linear 8 (1)
1×1: global avg pool (1)
1×1: linear 10 (1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var text strings.Builder
			for _, s := range Stages(build(t, test.arch).Graph) {
				for _, l := range s.Lines {
					fmt.Fprintf(&text, "\n%s: %s (%d)", s.Size, l.Text, l.Count)
				}
			}
			if got := text.String(); got != test.want {
				t.Errorf("got%s\nwant%s", got, test.want)
			}
		})
	}
}

// TestEveryLayerIsInALine counts the layers that the lines of every network of the zoo have, by their separators,
// against the graph's.
func TestEveryLayerIsInALine(t *testing.T) {
	for _, s := range zoo.All() {
		g, err := s.Graph(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, stage := range Stages(g) {
			for _, l := range stage.Lines {
				if !strings.HasSuffix(l.Text, "blocks:") && !strings.HasSuffix(l.Text, "1 block:") {
					got += l.Count * (1 + strings.Count(l.Text, " · "))
				}
			}
		}
		if want := len(wiring(g)) - 1; got != want {
			t.Errorf("%s: %d layers in lines, want %d", s.Name, got, want)
		}
	}
}

func TestScopeOf(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"fc", ""},
		{"conv1.weight", ""},
		{"layer1.0.conv1", "layer1.0"},
		{"layer1.0.downsample.1", "layer1.0"},
		{"features.1.block.0.0", "features.1.block.0"},
		{"Mixed_5b.branch1x1.conv", "Mixed_5b"},
		{"stages.0.branch1.conv", "stages.0"},
		{"cell_0.left.pool", "cell_0.left"},
	} {
		if got := scopeOf(test.name); got != test.want {
			t.Errorf("%s: block %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAlign(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{"", "", ""},
		{"abc", "abc", "aa bb cc"},
		{"abc", "", "a- b- c-"},
		{"", "ab", "-a -b"},
		{"abc", "axc", "aa b- -x cc"},
		{"abcd", "bd", "a- bb c- dd"},
		{"ab", "ba", "a- bb -a"},
	} {
		var got []string
		for _, p := range align(strings.Split(test.a, ""), strings.Split(test.b, ""), func(s string) string { return s }) {
			text := ""
			for _, s := range p {
				if s == nil {
					text += "-"
					continue
				}
				text += *s
			}
			got = append(got, text)
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%q and %q: %q, want %q", test.a, test.b, got, test.want)
		}
	}
}

// plain is a network of two convolutions; change makes it another one.
func plain(change func(k nn.Kernel, eps float64) (nn.Kernel, float64)) func(*nn.Builder, nn.Value) nn.Value {
	return func(g *nn.Builder, x nn.Value) nn.Value {
		k, eps := change(nn.K(3).S(2).P(1), 1e-5)
		for i := range 2 {
			x = g.ReLU(g.BatchNorm(fmt.Sprintf("bn%d", i), g.Conv(fmt.Sprintf("conv%d", i), x, 8, k), eps))
		}
		return head(g, x)
	}
}

// differing is the rows of a difference that are not figures and not the same.
func differing(a, b Network) (rows []Row) {
	return slices.DeleteFunc(Diff(a, b), func(r Row) bool { return r.Kind == FigureRow || r.Same })
}

func TestDiff(t *testing.T) {
	same := func(k nn.Kernel, eps float64) (nn.Kernel, float64) { return k, eps }
	for _, test := range []struct {
		name   string
		change func(nn.Kernel, float64) (nn.Kernel, float64)
		want   []Row
	}{
		{"the same", same, nil},
		{"a setting that no text has", func(k nn.Kernel, eps float64) (nn.Kernel, float64) { return k, 1e-3 },
			[]Row{{DetailRow, "batch norm epsilon", "1e-05", "0.001", false, 2}}},
		{"padding", func(k nn.Kernel, eps float64) (nn.Kernel, float64) { return k.Same(), eps },
			[]Row{{DetailRow, "conv 3×3/2 padding", "1", "top 0 left 0 bottom 1 right 1", false, 2}}},
		{"a window", func(k nn.Kernel, eps float64) (nn.Kernel, float64) { return nn.K(5).S(2), eps }, []Row{
			{LayerRow, "8×8", "conv 3×3/2, 8 · bn · relu", "conv 5×5/2, 8 · bn · relu", false, 1},
			{LayerRow, "4×4", "conv 3×3/2, 8 · bn · relu", "conv 5×5/2, 8 · bn · relu", false, 1},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := differing(build(t, plain(same)), build(t, plain(test.change))); !slices.Equal(got, test.want) {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// TestDiffOfConnections finds two graphs apart whose layers are alike, and no graph from itself.
func TestDiffOfConnections(t *testing.T) {
	network := func(second bool) Network {
		return build(t, func(g *nn.Builder, x nn.Value) nn.Value {
			a := g.ReLU(x)
			b := g.ReLU(a)
			if second {
				a = b
			}
			return head(g, g.Add(a, b))
		})
	}
	want := []Row{{Kind: DetailRow, Name: "connections", A: "its own", B: "its own", Count: 6}}
	if got := differing(network(false), network(true)); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := differing(network(true), network(true)); len(got) != 0 {
		t.Errorf("a network differs from itself: %+v", got)
	}
}

// TestStagesOfTwoInputSizesMeet pairs stages by halvings and names both sizes.
func TestStagesOfTwoInputSizesMeet(t *testing.T) {
	n := build(t, func(g *nn.Builder, x nn.Value) nn.Value { return head(g, g.Conv("a", x, 8, nn.K(3).S(2))) })
	larger, err := n.Spec.Graph(32, 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range Diff(n, Network{n.Spec, larger}) {
		if r.Kind == LayerRow {
			names = append(names, r.Name)
		}
	}
	if want := []string{"8×8|16×16", "1×1", "1×1"}; !slices.Equal(names, want) {
		t.Errorf("stages %q, want %q", names, want)
	}
}
