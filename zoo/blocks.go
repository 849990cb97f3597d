package zoo

import (
	"strconv"

	"zoobench/zoo/nn"
)

// convBN is a convolution and its batch norm, under torchvision's names conv1 and bn1, conv2 and bn2 …
func convBN(g *nn.Builder, i string, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.BatchNorm("bn"+i, g.Conv("conv"+i, x, out, k), 1e-5)
}

// squeezeExcite gates each channel by two 1×1 convolutions over the mean of all pixels (Hu and others 2017, figure 2).
func squeezeExcite(g *nn.Builder, x nn.Value, squeezed int) nn.Value {
	return squeezeExciteBy(g, x, squeezed, nn.ReLU)
}

// squeezeExciteBy is squeezeExcite with another activation between the two.
func squeezeExciteBy(g *nn.Builder, x nn.Value, squeezed int, act nn.Act) nn.Value {
	y := g.Activate(g.Conv("fc1", g.GlobalAvgPool(x), squeezed, nn.K(1).WithBias()), act)
	y = g.Conv("fc2", y, x.C, nn.K(1).WithBias())
	return g.Mul(x, g.Activate(y, nn.Sigmoid))
}

// keep is how many halvings of the pixels a network of small images leaves out, from its first on.
type keep int

// stride is 1 instead of 2 as long as halvings are to be left out.
func (k *keep) stride(s int) int {
	if s == 2 && *k > 0 {
		*k--
		return 1
	}
	return s
}

// convNorm is a convolution and its batch norm, under timm's names conv and bn of a scope of their own.
func convNorm(g *nn.Builder, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.BatchNorm("bn", g.Conv("conv", x, out, k), 1e-5)
}

// numbered is a convolution and its batch norm as layers i and i+1 of a list.
func numbered(g *nn.Builder, i int, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.BatchNorm(strconv.Itoa(i+1), g.Conv(strconv.Itoa(i), x, out, k), 1e-5)
}

// roundTo is the multiple of n nearest to v, at least n and at least limit·v: how channel counts are scaled (Howard and
// others 2017 as released; limit is 0.9 for layers, 0 for squeezes).
func roundTo(n int, v, limit float64) int {
	m := max(n, int(v+float64(n)/2)/n*n)
	if float64(m) < limit*v {
		m += n
	}
	return m
}

// round8 is roundTo a multiple of 8.
func round8(v, limit float64) int { return roundTo(8, v, limit) }

// normReLU is a batch norm and ReLU, as pre-activation networks have it before a convolution.
func normReLU(g *nn.Builder, name string, x nn.Value) nn.Value {
	return g.ReLU(g.BatchNorm(name, x, 1e-5))
}

// mlp is the two linear layers of a transformer's block with a GELU between them.
func mlp(g *nn.Builder, x nn.Value, hidden int) nn.Value {
	y := g.Activate(g.Linear("fc1", x, hidden), nn.GELU)
	return g.Linear("fc2", y, x.C)
}
