package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
)

// The forms that networks of 32×32 pixels have and their large relatives do not, and networks that have no large relative.

// three is the depths of three stages of n blocks each.
func three(n int) [4]int { return [4]int{n, n, n} }

// pocketResNet has 6n+2 layers, of 16, 32 and 64 channels.
func pocketResNet(n int, skip shortcut, g gate) func(*nn.Builder, nn.Value) nn.Value {
	return resnet{depths: three(n), block: basic{}, pocket: 16, skip: skip, gate: g}.build
}

// pocketAlexNet has pools of stride 2 over pool×pool pixels, padded so that pools of both sizes put out as many.
func pocketAlexNet(pool int, act nn.Act) func(*nn.Builder, nn.Value) nn.Value {
	k := nn.K(pool).S(2).P((pool - 1) / 2)
	return alexForm{first: nn.K(5), pool: k, width: 16, grid: 4, hidden: 256, act: act, drop: 0.5}.build
}

// pocketEfficientNet leaves out the first two of B0's five halvings.
func pocketEfficientNet(width, depth float64) func(*nn.Builder, nn.Value) nn.Value {
	n := efficientNet(swish, width, depth)
	n.keep = 2
	return n.build
}

// pocketInception is an eighth of Inception-ResNet-v2's widths, with padded windows and fewer modules. cut leaves out the
// sums of its residual modules and nothing else.
func pocketInception(cut bool) func(*nn.Builder, nn.Value) nn.Value {
	half := k3.S(2)
	pool := step{pool: nn.MaxPool, k: half}
	return inceptionResNet{cut: cut, last: 192,
		stem: branch{{name: "conv2d_1a", out: 16, k: k3}, {name: "conv2d_2a", out: 32, k: k3}},
		rows: []inceptionResNetRow{
			{"repeat", 2, 1, branches{ // figure 16
				{{name: "branch0", out: 8, k: k1}},
				{{name: "branch1.0", out: 8, k: k1}, {name: "branch1.1", out: 8, k: k3}},
				{{name: "branch2.0", out: 8, k: k1}, {name: "branch2.1", out: 12, k: k3}, {name: "branch2.2", out: 16, k: k3}},
			}, nn.Shape{C: 32, H: 32, W: 32}},
			{"mixed_6a", 0, 0, branches{ // figure 7
				{{name: "branch0", out: 48, k: half}},
				{{name: "branch1.0", out: 32, k: k1}, {name: "branch1.1", out: 32, k: k3}, {name: "branch1.2", out: 48, k: half}},
				{pool},
			}, nn.Shape{C: 128, H: 16, W: 16}},
			{"repeat_1", 4, 1, branches{ // figure 17
				{{name: "branch0", out: 24, k: k1}},
				{{name: "branch1.0", out: 16, k: k1}, {name: "branch1.1", out: 20, k: k1x7}, {name: "branch1.2", out: 24, k: k7x1}},
			}, nn.Shape{C: 128, H: 16, W: 16}},
			{"mixed_7a", 0, 0, branches{ // figure 18
				{{name: "branch0.0", out: 32, k: k1}, {name: "branch0.1", out: 48, k: half}},
				{{name: "branch1.0", out: 32, k: k1}, {name: "branch1.1", out: 36, k: half}},
				{{name: "branch2.0", out: 32, k: k1}, {name: "branch2.1", out: 36, k: k3}, {name: "branch2.2", out: 40, k: half}},
				{pool},
			}, nn.Shape{C: 252, H: 8, W: 8}},
			{"repeat_2", 2, 1, branches{ // figure 19
				{{name: "branch0", out: 24, k: k1}},
				{{name: "branch1.0", out: 24, k: k1}, {name: "branch1.1", out: 28, k: k1x3}, {name: "branch1.2", out: 32, k: k3x1}},
			}, nn.Shape{C: 252, H: 8, W: 8}},
		}}.build
}

// allConv is the network without pools of Springenberg, Dosovitskiy, Brox, Riedmiller: Striving for Simplicity, 2014,
// arXiv:1412.6806, tables 1 (C) and 2: strides do what pools did.
type allConv struct {
	width int // channels of the first three layers; the next have twice as many
}

func (a allConv) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Dropout(x, 0.2)
	for i, l := range []struct {
		out, k, s int
	}{
		{a.width, 3, 1}, {a.width, 3, 1}, {a.width, 3, 2},
		{2 * a.width, 3, 1}, {2 * a.width, 3, 1}, {2 * a.width, 3, 2},
		{2 * a.width, 3, 1}, {2 * a.width, 1, 1}, {g.Classes, 1, 1},
	} {
		x = g.ReLU(g.Conv(fmt.Sprintf("conv%d", i+1), x, l.out, nn.K(l.k).S(l.s).WithBias()))
		if l.s == 2 {
			x = g.Dropout(x, 0.5)
		}
	}
	return g.Flatten(g.GlobalAvgPool(x))
}

// perceptron is hidden layers of so many units between the pixels and the classes: Urban and others: Do Deep Convolutional
// Nets Really Need to be Deep and Convolutional?, 2016, arXiv:1603.05691, section 2. Other sizes are averaged to 32×32.
type perceptron []int

func (p perceptron) build(g *nn.Builder, x nn.Value) nn.Value {
	if x.H != 32 || x.W != 32 {
		x = g.AdaptiveAvgPool(x, 32, 32)
	}
	x = g.Flatten(x)
	for i, units := range p {
		x = g.ReLU(g.Linear(fmt.Sprintf("fc%d", i+1), x, units))
	}
	return g.Linear(fmt.Sprintf("fc%d", len(p)+1), x, g.Classes)
}
