package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
)

// A planner makes an Engine's steps from its graph.
//
//	unify   which nodes one step computes: a convolution takes the batch norm, sum and activation behind it along
//	join    which depthwise convolutions run together with their neighbours
//	place   where each step's value lives; parts of a concatenation live in the whole
//	choose  which algorithm computes each convolution
//	emit    the steps themselves, with packed weights
type planner struct {
	*Engine
	weights Weights
	options Options

	uses      []int // by node: how many nodes read it
	reader    []int // by node: the last that reads it
	groups    []group
	algorithm []kernels.Algorithm // by group, of convolutions that are no depthwise ones
	owner     []int               // by node: the group that computes it; −1 for nodes that compute nothing
	alias     []int               // by node: the node in whose memory its value is, itself for most
	channel   []int               // by node: its first channel there
	boundary  int                 // groups before it run few images at a time
	places    []place
	put       []bool
	int8      []bool                // by group: whether it is computed in bytes
	inBytes   []bool                // by node: whether its value's place has bytes
	copies    map[int]place         // by node: its value in the other form
	converted map[int]bool          // by node: whether that copy is made
	failed    atomic.Pointer[error] // the first weights that could not be read
}

func (p *planner) plan() error {
	if err := p.layOut(); err != nil {
		return err
	}
	if err := p.choose(); err != nil {
		return err
	}
	for i := range p.groups {
		if i == p.boundary {
			p.byImage = len(p.steps)
		}
		if err := p.emit(i); err != nil {
			return err
		}
		if err := p.failed.Load(); err != nil {
			return *err
		}
		p.written = append(p.written, written{len(p.steps), p.groups[i].last(), p.at(p.groups[i].last())})
	}
	if p.boundary == len(p.groups) {
		p.byImage = len(p.steps)
	}
	p.output = p.at(len(p.graph.Nodes) - 1)
	p.dropConstants()
	return nil
}

// dropConstants forgets the constants that no step reads, as those that a kernel has packed.
func (p *planner) dropConstants() {
	read := map[int]bool{}
	for _, s := range p.steps {
		for _, at := range append([]place{s.src, s.gate}, s.add...) {
			if at.buffer == constBuffer {
				read[at.node] = true
			}
		}
	}
	maps.DeleteFunc(p.constants, func(i int, _ []float32) bool { return !read[i] })
}

// layOut decides which nodes are one step and where every value lives.
func (p *planner) layOut() error {
	constants, err := interp.Constants(p.graph, p.weights)
	if err != nil {
		return err
	}
	p.constants = constants
	p.unify()
	if p.options.Quantized == nil {
		p.join()
	}
	p.formats()
	p.placeAll()
	p.live()
	p.boundary = p.cutBatch()
	for i := range p.buffers {
		b := &p.buffers[i]
		b.images = p.imagesOf(b.last)
		if b.first < p.boundary && b.last >= p.boundary {
			b.first = 0 // it keeps the first images' values while the others go through the layers before it
		}
	}
	p.arena = kernels.Alloc(packArena(p.buffers))
	return nil
}

// placeAll gives every group's value a place. Concatenations come first, from the last to the first, so that a part of
// a part lives in the whole.
func (p *planner) placeAll() {
	nodes := p.graph.Nodes
	p.places = make([]place, len(nodes))
	p.put = make([]bool, len(nodes))
	in := p.graph.Input()
	p.places[0], p.put[0] = place{buffer: inputBuffer, stride: in.C, shape: in}, true
	for i, n := range nodes {
		if n.Const {
			p.places[i], p.put[i] = place{buffer: constBuffer, node: i, stride: n.Out.C, shape: n.Out}, true
		}
	}
	for g := len(p.groups) - 1; g >= 0; g-- {
		i := p.groups[g].last()
		if nodes[i].Op != nn.Concat {
			continue
		}
		if !p.put[i] {
			p.places[i], p.put[i] = p.sideBySide(i)
		}
		p.fresh(i)
		channel := p.places[i].channel
		for _, in := range nodes[i].In {
			part := p.alias[in]
			if !p.put[part] && nodes[part].Out == nodes[in].Out && p.channel[in] == 0 && p.alike(part, i) {
				p.places[part] = p.places[i]
				p.places[part].channel, p.places[part].shape = channel, nodes[part].Out
				p.put[part] = true
			}
			channel += nodes[in].Out.C
		}
	}
	for g := range p.groups {
		p.fresh(p.groups[g].last())
	}
}

// sideBySide is where a concatenation's parts already stand in its order, as those of a prefix of a longer one do.
func (p *planner) sideBySide(i int) (place, bool) {
	n := &p.graph.Nodes[i]
	whole := p.at(n.In[0])
	channel := whole.channel
	for _, in := range n.In {
		at := p.at(in)
		if !p.put[p.alias[in]] || at.buffer < 0 || at.buffer != whole.buffer || at.channel != channel || !p.alike(p.alias[in], i) {
			return place{}, false
		}
		channel += at.shape.C
	}
	whole.shape = n.Out
	return whole, true
}

// fresh gives a value a buffer of its own, unless it has a place.
func (p *planner) fresh(i int) {
	if p.put[i] {
		return
	}
	s := p.graph.Nodes[i].Out
	p.places[i], p.put[i] = p.room(s, p.inBytes[i], p.quant(i)), true
}

// room is a new buffer for one value.
func (p *planner) room(s nn.Shape, bytes bool, quant kernels.Quant) place {
	p.buffers = append(p.buffers, buffer{elems: s.Elems(), bytes: bytes, first: math.MaxInt, last: -1})
	return place{buffer: len(p.buffers) - 1, stride: s.C, shape: s, bytes: bytes, quant: quant}
}

// live finds out which groups use each buffer.
func (p *planner) live() {
	use := func(at place, g int) {
		if at.buffer >= 0 {
			b := &p.buffers[at.buffer]
			b.first, b.last = min(b.first, g), max(b.last, g)
		}
	}
	for g := range p.groups {
		use(p.at(p.groups[g].last()), g)
		p.reads(g, func(_, node int, bytes bool) {
			at, home := p.in(node, bytes), p.at(node)
			use(at, g)
			if at.bytes != home.bytes && p.buffers[at.buffer].first == g {
				use(home, g) // the first that reads a copy makes it
			}
		})
	}
	use(p.at(len(p.graph.Nodes)-1), len(p.groups)) // read by Run itself
}

// cutBatch is the number of groups that take few images of a batch at a time, the groups behind them taking all. What
// the former read again for every image is their weights; what the latter move through the caches is all images'
// activations. The cut is where these are least together. On one thread, batches of 8 take 0.76 of the time that whole
// batches take in MobileNetV2, 0.78 in EfficientNet-B0, 0.83 in SqueezeNet and 0.95 in ResNet-50, GoogLeNet,
// DenseNet-121 and ShuffleNetV2 (Zen 4, the least of several runs in turn).
func (p *planner) cutBatch() int {
	if p.few = p.batch; p.batch == 1 {
		return 0
	}
	p.few = min(p.batch, p.pool.Size())
	nodes := p.graph.Nodes
	sum := 0 // the activations behind, for one more cut from the back
	cost := make([]int, len(p.groups)+1)
	for k := len(p.groups) - 1; k >= 0; k-- {
		g := &p.groups[k]
		n := &nodes[g.nodes[0]]
		sum += nodes[g.last()].Out.Elems() + nodes[n.In[0]].Out.Elems()
		cost[k] = sum
	}
	best, weights := 0, 0
	for k := range cost {
		if cost[k] += weights; cost[k] < cost[best] {
			best = k
		}
		if k == len(p.groups) {
			break
		}
		for _, i := range p.groups[k].nodes {
			weights += int(p.graph.NodeParams(i))
		}
		if n := &nodes[p.groups[k].nodes[0]]; n.Op == nn.Conv && p.groups[k].middle == nil {
			if s := p.geometry(&p.groups[k]); s.PrefersWinograd() {
				weights += 3 * p.graph.Params[n.Weight].Elems() // four points of the transform for each weight
			}
		}
	}
	return best
}

// imagesOf is how many images group k takes at a time.
func (p *planner) imagesOf(k int) int {
	if k < p.boundary {
		return p.few
	}
	return p.batch
}

// at is the place of a node's value.
func (p *planner) at(i int) place {
	at := p.places[p.alias[i]]
	at.channel += p.channel[i]
	at.shape = p.graph.Nodes[i].Out
	return at
}

// param is a parameter's values; a node without it has none.
func (p *planner) param(i int) ([]float32, error) {
	if i < 0 {
		return nil, nil
	}
	want := p.graph.Params[i]
	v, err := p.weights.Float32(want.Name)
	if err != nil {
		return nil, err
	}
	if len(v) != want.Elems() {
		return nil, fmt.Errorf("%s: %d elements, want %v", want.Name, len(v), want.Shape)
	}
	p.countDenormals(v)
	return v, nil
}

// countDenormals counts weights below the normal range where they are not flushed to zero.
func (p *planner) countDenormals(v []float32) {
	if par.Flushes {
		return
	}
	n := int64(0)
	for _, x := range v {
		if b := math.Float32bits(x) << 1; b != 0 && b < 1<<24 { // without its sign, the exponent's bits are 0
			n++
		}
	}
	p.denormals.Add(n)
}

func (p *planner) release(params ...int) {
	for _, i := range params {
		if i >= 0 {
			p.weights.Release(p.graph.Params[i].Name)
		}
	}
}

// factorsOf is what a group's batch norms, layer scales and constants do to each channel together: a factor, then a
// shift, in float64.
func (p *planner) factorsOf(g *group) (scale, shift []float64, err error) {
	for _, i := range g.factors {
		a, b, err := p.factor(&p.graph.Nodes[i])
		if err != nil {
			return nil, nil, err
		}
		if scale == nil {
			scale, shift = a, b
			continue
		}
		for c := range scale {
			scale[c] *= a[c]
			shift[c] = shift[c]*a[c] + b[c]
		}
	}
	return scale, shift, nil
}

// factor is one node's factor and shift of each channel.
func (p *planner) factor(n *nn.Node) (scale, shift []float64, err error) {
	if n.Op == nn.Affine {
		return slices.Clone(n.Scale), slices.Clone(n.Shift), nil
	}
	var v [4][]float32
	for k, param := range []int{n.Weight, n.Bias, n.Mean, n.Var} {
		if v[k], err = p.param(param); err != nil {
			return nil, nil, err
		}
	}
	scale, shift = make([]float64, n.Out.C), make([]float64, n.Out.C)
	for c := range scale {
		if scale[c] = 1; n.Weight >= 0 {
			scale[c] = float64(v[0][c])
		}
		if n.Op == nn.BatchNorm {
			scale[c] /= math.Sqrt(float64(v[3][c]) + n.Eps)
			shift[c] = -float64(v[2][c]) * scale[c]
		}
		if n.Bias >= 0 {
			shift[c] += float64(v[1][c])
		}
	}
	p.release(n.Weight, n.Bias, n.Mean, n.Var)
	return scale, shift, nil
}

// filters is a group's weights, a channel at a time, with standardisation and factors multiplied in, and its bias. The
// weights are read piece by piece while they are packed; p.failed keeps the first error of that.
func (p *planner) filters(g *group) (filter func(oc int, dst []float32), bias []float32, err error) {
	n := &p.graph.Nodes[g.nodes[0]]
	if bias, err = p.param(n.Bias); err != nil {
		return nil, nil, err
	}
	scale, shift, err := p.factorsOf(g)
	if err != nil {
		return nil, nil, err
	}
	if scale != nil {
		for c, v := range bias {
			shift[c] += float64(v) * scale[c]
		}
		bias = float32s(shift)
	}
	in, out := p.factors(p.alias[n.In[0]]), p.factors(g.last())
	bias = scaled(bias, out)
	weight, taps := p.graph.Params[n.Weight], max(n.Kernel.H*n.Kernel.W, 1)
	depth := weight.Elems() / n.Out.C
	return func(oc int, dst []float32) {
		if err := p.weights.Read(weight.Name, oc*depth, dst); err != nil {
			p.failed.CompareAndSwap(nil, &err)
			return
		}
		p.countDenormals(dst)
		for ; len(dst) > 0; oc, dst = oc+1, dst[depth:] {
			filter := dst[:depth]
			mean, s := 0.0, 1.0
			if n.Kernel.StdEps > 0 {
				mean, s = standard(filter, n.Kernel.StdEps)
			}
			if scale != nil {
				s *= scale[oc]
			}
			if out != nil {
				s *= float64(out[oc])
			}
			if mean != 0 || s != 1 {
				for k, v := range filter {
					filter[k] = float32((float64(v) - mean) * s)
				}
			}
			if in != nil {
				divideInputs(filter, in, oc*n.Kernel.Groups/n.Out.C, taps)
			}
		}
	}, slices.Clone(bias), nil
}

// standard is the mean of a filter and one over its deviation.
func standard(w []float32, eps float64) (mean, scale float64) {
	for _, v := range w {
		mean += float64(v)
	}
	mean /= float64(len(w))
	variance := 0.0
	for _, v := range w {
		variance += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, 1 / math.Sqrt(variance/float64(len(w))+eps)
}

func float32s(v []float64) []float32 {
	if v == nil {
		return nil
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// acts are the graph's activations as the kernels know them.
var acts = map[nn.Act]kernels.Act{
	nn.None: kernels.None, nn.ReLU: kernels.ReLU, nn.ReLU6: kernels.ReLU6, nn.Sigmoid: kernels.Sigmoid, nn.SiLU: kernels.SiLU,
	nn.HardSigmoid: kernels.HardSigmoid, nn.HardSwish: kernels.HardSwish, nn.GELU: kernels.GELU, nn.GELUTanh: kernels.GELUTanh,
}
