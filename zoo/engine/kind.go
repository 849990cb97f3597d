package engine

import (
	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A Kind is what a step of a plan computes, for tables that add up the time of like steps. The kind of a step of several
// nodes is that of its first one.
type Kind string

// The kinds of step.
const (
	KindConv        Kind = "conv"      // a convolution of all channels by windows of several pixels
	KindConv1x1     Kind = "conv1x1"   // of all channels, pixel by pixel
	KindWinograd    Kind = "winograd"  // of all channels, with fewer multiplications than its definition has
	KindGrouped     Kind = "grouped"   // of groups of channels
	KindDepthwise   Kind = "depthwise" // of each channel alone
	KindChannelConv Kind = "channel_conv"
	KindLinear      Kind = "linear"
	KindAttention   Kind = "attention"
	KindPool        Kind = "pool"
	KindNorm        Kind = "norm"        // statistics of the values themselves
	KindElementwise Kind = "elementwise" // value by value
	KindMove        Kind = "move"        // values are copied and none is computed
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		KindConv, KindConv1x1, KindWinograd, KindGrouped, KindDepthwise, KindChannelConv, KindLinear, KindAttention,
		KindPool, KindNorm, KindElementwise, KindMove,
	}
}

// stepKind is the kind of a node with so many input channels, computed by an algorithm, which is zero where there is no choice.
func stepKind(n *nn.Node, channels int, a kernels.Algorithm) Kind {
	switch n.Op {
	case nn.Conv:
		switch k := n.Kernel; {
		case a.Name != "" && !a.Direct:
			return KindWinograd
		case k.Groups > 1 && k.Groups == channels:
			return KindDepthwise
		case k.Groups > 1:
			return KindGrouped
		case k.H == 1 && k.W == 1:
			return KindConv1x1
		}
		return KindConv
	case nn.Linear:
		return KindLinear
	case nn.ChannelConv:
		return KindChannelConv
	case nn.Attention:
		return KindAttention
	case nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool:
		return KindPool
	case nn.GroupNorm, nn.LayerNorm:
		return KindNorm
	case nn.BatchNorm, nn.Scale, nn.Affine, nn.Mul, nn.Add, nn.Activate, nn.SplitSoftmax:
		return KindElementwise
	}
	return KindMove
}
