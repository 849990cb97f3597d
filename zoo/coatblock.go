package zoo

import "zoobench/zoo/nn"

// convBlock is the inverted residual block of the first two stages; the first of a stage halves the size.
func (c coAtNet) convBlock(g *nn.Builder, x nn.Value, out int, first bool) nn.Value {
	mid, stride := 4*x.C, 1
	y := g.BatchNorm("pre_norm", x, 1e-5)
	if !c.plain {
		y = g.Activate(y, nn.SiLU)
	}
	switch {
	case first && c.pooled:
		y = g.AvgPool(y, nn.K(2).S(2).Valid())
	case first:
		stride = 2
	}
	y = g.Activate(g.BatchNorm("norm1", g.Conv("conv1_1x1", y, mid, nn.K(1)), 1e-5), nn.SiLU)
	y = g.Conv("conv2_kxk", y, mid, nn.K(3).S(stride).G(nn.Depthwise))
	if c.early {
		y = squeezeExciteBy(g.In("se_early"), y, mid/4, c.squeeze)
	}
	y = g.Activate(g.BatchNorm("norm2", y, 1e-5), nn.SiLU)
	if !c.early {
		y = squeezeExciteBy(g.In("se"), y, mid/4, c.squeeze)
	}
	y = g.Conv("conv3_1x1", y, out, pointwise(c.plain))
	return g.Add(y, c.shortcut(g, x, out, first, c.plain))
}

// attentionBlock is the encoder of the last two stages; the first of a stage halves the size.
func (c coAtNet) attentionBlock(g *nn.Builder, x nn.Value, out int, first bool) nn.Value {
	y, one := x, pointwise(true)
	if first {
		y = c.halve(g, g.LayerNorm("norm1.norm", x, 1e-6))
	} else {
		y = g.LayerNorm("norm1", x, 1e-6)
	}
	a := nn.AttentionSpec{Heads: x.C / 32, HeadsFirst: true}
	a.Bias = c.positions(g.In("attn.rel_pos"), a.Heads, y.H, y.W)
	y = g.Attention(g.Conv("attn.qkv", y, 3*x.C, one), a)
	y = g.Conv("attn.proj", y, out, one)
	if c.scales {
		y = g.Scale("ls1.gamma", y)
	}
	x = g.Add(y, c.shortcut(g, x, out, first, !c.noBias))
	y = g.Activate(g.Conv("mlp.fc1", g.LayerNorm("norm2", x, 1e-6), 4*out, one), nn.GELU)
	y = g.Conv("mlp.fc2", y, out, one)
	if c.scales {
		y = g.Scale("ls2.gamma", y)
	}
	return g.Add(y, x)
}

// positions is the bias of relative positions on a grid of h×w.
func (c coAtNet) positions(g *nn.Builder, heads, h, w int) nn.Value {
	if c.rmlp == 0 {
		s := nn.Shape{C: heads, H: 2*h - 1, W: 2*w - 1}
		return g.Const("relative_position_bias_table", s, s.H*s.W, heads)
	}
	return g.Linear("mlp.fc2", g.ReLU(g.Linear("mlp.fc1", g.RelCoords(h, w), c.rmlp)), heads)
}

// shortcut is a block's residual.
func (c coAtNet) shortcut(g *nn.Builder, x nn.Value, out int, first, bias bool) nn.Value {
	in := x.C
	if first {
		x = c.halve(g, x)
	}
	if in == out {
		return x
	}
	return g.Conv("shortcut.expand", x, out, pointwise(bias))
}

func pointwise(bias bool) nn.Kernel { k := nn.K(1); k.Bias = bias; return k }

func (c coAtNet) halve(g *nn.Builder, x nn.Value) nn.Value {
	if c.maxPool {
		return g.MaxPool(x, nn.K(3).S(2))
	}
	return g.AvgPool(x, nn.K(2).S(2).Valid())
}
