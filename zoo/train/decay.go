package train

import "zoobench/zoo/nn"

// Decays says which parameters weight decay shrinks: those that convolutions and linear layers multiply by. Norms, biases,
// layer scales, and tables of tokens and positions keep their size.
func Decays(g *nn.Graph) []bool {
	decays := make([]bool, len(g.Params))
	for _, n := range g.Nodes {
		switch n.Op {
		case nn.Conv, nn.Linear, nn.ChannelConv:
			decays[n.Weight] = true
		}
	}
	return decays
}
