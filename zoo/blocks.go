package zoo

import "zoobench/zoo/nn"

// convBN is a convolution and its batch norm, under torchvision's names conv1 and bn1, conv2 and bn2 …
func convBN(g *nn.Builder, i string, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.BatchNorm("bn"+i, g.Conv("conv"+i, x, out, k), 1e-5)
}

// squeezeExcite gates each channel by two 1×1 convolutions over the mean of all pixels (Hu and others 2017, figure 2).
func squeezeExcite(g *nn.Builder, x nn.Value, squeezed int) nn.Value {
	y := g.ReLU(g.Conv("fc1", g.GlobalAvgPool(x), squeezed, nn.K(1).WithBias()))
	y = g.Conv("fc2", y, x.C, nn.K(1).WithBias())
	return g.Mul(x, g.Activate(y, nn.Sigmoid))
}

// round8 is the multiple of 8 nearest to v, at least 8 and at least limit·v: how channel counts are scaled (Howard and
// others 2017 as released; limit is 0.9 for layers, 0 for squeezes).
func round8(v, limit float64) int {
	n := max(8, int(v+4)/8*8)
	if float64(n) < limit*v {
		n += 8
	}
	return n
}

// normReLU6 is a batch norm and ReLU6, as the MobileNets have it.
func normReLU6(g *nn.Builder, name string, x nn.Value) nn.Value {
	return g.Activate(g.BatchNorm(name, x, 1e-5), nn.ReLU6)
}
