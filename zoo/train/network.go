package train

import (
	"fmt"
	"math"
	"slices"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/nn"
	"zoobench/zoo/train/twin"
)

// Weights hands out parameters by their state-dict name, as zoo/weights does. Release ends the use of one.
type Weights interface {
	Float32(name string) ([]float32, error)
	Release(name string)
}

// Network is a graph that learns: its parameters in float32, and memory for passes over batches of one size, forward and
// backward, on kernels. The same parameters, images and step give the same bits, whatever the number of workers. It serves one
// goroutine at a time.
type Network struct {
	Graph     *nn.Graph
	Params    [][]float32 // by index in the graph; nil for those of kind Aux
	Gradients [][]float32 // of the last pass; nil for what is not learned
	Seed      uint64      // of what dropouts leave out

	n      int // images of a batch
	pool   *par.Pool
	layers []layer // by node; nil for the input

	values, dvalues []kernels.Tensor // by node
	first, second   [][]float32      // by node: its value's memory as it is computed, and as it is computed again
	schedule        *schedule
	learned         []bool           // by parameter
	wanted          []bool           // by node: whether a parameter learns from its gradient
	clamp           []int            // by node: the clamp that it computes in the same pass, see join; 0 for none
	joined          []bool           // by node: whether another one computes it
	started         []bool           // by node: whether its gradient has a first part
	spare           []float32        // for further parts
	room            kernels.GradRoom // of the convolutions' gradients
	sum             *kernels.Pointwise

	training bool
	step     int
	outputs  []float32   // of the last training pass, whose memory the pass backward uses again
	pending  [][]float32 // by parameter: what running statistics become with the step
}

// A layer computes one node, and takes the gradient of its value to its inputs and parameters. Both find tensors in the network.
type layer interface {
	forward() error
	backward() error
}

// Options say how a Network is planned.
type Options struct {
	Batch   int    // images of a pass
	Workers int    // 0 means one for each processor
	Frozen  []bool // by parameter: whether it stays as it is; nil freezes none

	// Checkpointing keeps values between some nodes alone and computes the others again for their gradients: less memory, about
	// a third more time, the same bits.
	Checkpointing bool
}

// New reads a graph's parameters and plans passes.
func New(g *nn.Graph, w Weights, o Options) (*Network, error) {
	if o.Batch < 1 {
		return nil, fmt.Errorf("train: %s: a batch of %d images, want at least 1", g.Name, o.Batch)
	}
	net := &Network{Graph: g, n: o.Batch, pool: par.New(o.Workers)}
	nodes := len(g.Nodes)
	net.values, net.dvalues = make([]kernels.Tensor, nodes), make([]kernels.Tensor, nodes)
	net.layers, net.started = make([]layer, nodes), make([]bool, nodes)
	net.sum = kernels.NewPointwise(nil, nil, kernels.None, net.pool.Size())
	net.Params, net.Gradients = make([][]float32, len(g.Params)), make([][]float32, len(g.Params))
	net.pending = make([][]float32, len(g.Params))
	net.want(o)
	net.join()
	for i, p := range g.Params {
		if p.Kind == nn.Aux {
			continue
		}
		values, err := w.Float32(p.Name)
		if err == nil && len(values) != p.Elems() {
			err = fmt.Errorf("%s: %d elements, want %d for shape %v", p.Name, len(values), p.Elems(), p.Shape)
		}
		if err != nil {
			net.Close()
			return nil, fmt.Errorf("train: %s: %w", g.Name, err)
		}
		net.Params[i] = slices.Clone(values)
		w.Release(p.Name)
		if net.learned[i] {
			net.Gradients[i] = make([]float32, len(values))
		}
		if p.Kind == nn.Buffer {
			net.pending[i] = slices.Clone(values)
		}
	}
	net.plan(o)
	return net, nil
}

// Close ends the workers.
func (net *Network) Close() { net.pool.Close() }

// want finds the nodes from whose gradients a parameter learns.
func (net *Network) want(o Options) {
	g := net.Graph
	net.learned, net.wanted = make([]bool, len(g.Params)), make([]bool, len(g.Nodes))
	for i, p := range g.Params {
		net.learned[i] = p.Kind == nn.Learned && (o.Frozen == nil || !o.Frozen[i])
	}
	for i, node := range g.Nodes {
		net.wanted[i] = net.learns(i)
		for _, in := range node.In {
			net.wanted[i] = net.wanted[i] || net.wanted[in]
		}
	}
}

// join finds the batch norms and sums whose one reader is a clamp: both are computed in one pass over memory, and the value
// between them, which nothing reads backward either, is not kept.
func (net *Network) join() {
	g := net.Graph
	net.clamp, net.joined = make([]int, len(g.Nodes)), make([]bool, len(g.Nodes))
	readers := make([]int, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, in := range n.In {
			readers[in]++
		}
	}
	for _, h := range g.Heads {
		readers[h.Node]++
	}
	for i, n := range g.Nodes {
		if n.Op != nn.Activate || !clamps(n.Act) || slow(g, i) {
			continue
		}
		in := n.In[0]
		if op := g.Nodes[in].Op; readers[in] == 1 && (op == nn.BatchNorm || op == nn.Add) && !slow(g, in) {
			net.clamp[in], net.joined[i] = i, true
		}
	}
}

// clamps reports whether a function is a clamp, whose slope follows from its result.
func clamps(act nn.Act) bool { return act == nn.ReLU || act == nn.ReLU6 }

// actOf is the activation function that a node computes in its own pass.
func (net *Network) actOf(i int) kernels.Act {
	if clamp := net.clamp[i]; clamp > 0 {
		return acts[net.Graph.Nodes[clamp].Act]
	}
	return kernels.None
}

// learns reports whether a node has parameters that learn.
func (net *Network) learns(i int) bool {
	node := &net.Graph.Nodes[i]
	return node.Weight >= 0 && net.learned[node.Weight] || node.Bias >= 0 && net.learned[node.Bias]
}

// segments are those of a schedule.
func (net *Network) segments(o Options) []int {
	if !o.Checkpointing {
		return []int{0}
	}
	return net.cut()
}

// plan makes the layers and gives each value and each gradient its memory.
func (net *Network) plan(o Options) {
	g := net.Graph
	size := 0
	for i := range g.Nodes {
		node := &g.Nodes[i]
		n := net.images(i)
		t := kernels.Tensor{N: n, H: node.Out.H, W: node.Out.W, C: node.Out.C, Stride: node.Out.C}
		net.values[i], net.dvalues[i] = t, t
		size = max(size, net.n*node.Out.Elems())
	}
	net.spare = make([]float32, size)
	for i := 1; i < len(g.Nodes); i++ {
		net.layers[i] = net.layer(i)
	}
	net.lay(net.segments(o))
}

// lay gives values and gradients the memory that segments want.
func (net *Network) lay(segments []int) {
	net.schedule = net.order(segments)
	blocks := net.blocks(net.schedule)
	total := place(blocks)
	arena := kernels.Alloc(total)
	net.first, net.second = make([][]float32, len(net.values)), make([][]float32, len(net.values))
	for _, b := range blocks {
		data := arena[b.at:][:b.size:b.size]
		switch {
		case b.gradient:
			net.dvalues[b.node].Data = data
		case b.again:
			net.second[b.node] = data
		default:
			net.first[b.node] = data
		}
	}
	for i, clamp := range net.clamp {
		if clamp > 0 {
			net.first[i], net.second[i] = net.first[clamp], net.second[clamp]
		}
	}
	for i := range net.values {
		net.values[i].Data = net.first[i]
	}
}

// images is how many copies of a node's value there are: one for all where it is constant.
func (net *Network) images(i int) int {
	if net.Graph.Nodes[i].Const {
		return 1
	}
	return net.n
}

// Train is one pass forward and backward over a batch, images (n,H,W,3) and targets (n, classes): it returns the loss and
// leaves gradients. What dropouts leave out depends on the seed and the step. A loss that is not a number is an error that
// names the first layer whose values are not.
func (net *Network) Train(images []float32, targets []float64, step int) (loss float64, err error) {
	classes := net.Graph.Output().Elems()
	if len(targets) != net.n*classes {
		return 0, fmt.Errorf("train: %s: %d targets for %d images, want %d", net.Graph.Name, len(targets), net.n, net.n*classes)
	}
	net.training, net.step = true, step
	if err := net.forward(images, nil); err != nil {
		return 0, err
	}
	net.outputs = append(net.outputs[:0], net.values[len(net.values)-1].Data...)
	clear(net.started)
	for _, head := range append(slices.Clone(net.Graph.Heads), nn.Head{Node: len(net.Graph.Nodes) - 1, Weight: 1}) {
		part, d := twin.CrossEntropy(wide(net.values[head.Node].Data), targets, net.n)
		loss += head.Weight * part
		net.give(head.Node, func(dst kernels.Tensor) {
			for i, v := range d {
				dst.Data[i] = float32(head.Weight * v)
			}
		})
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return loss, net.diagnose(images)
	}
	end := len(net.layers)
	for _, from := range slices.Backward(net.schedule.segments) {
		if err := net.back(from, end); err != nil {
			return 0, err
		}
		end = from
	}
	return loss, nil
}

// back takes gradients through a segment's nodes, once what they read is computed again.
func (net *Network) back(from, end int) error {
	for i := from; i < end; i++ {
		if net.schedule.again[i] == 0 {
			continue
		}
		net.values[i].Data = net.second[i]
		if err := net.layers[i].forward(); err != nil {
			return net.at(i, err)
		}
	}
	for i := end - 1; i >= max(from, 1); i-- {
		if !net.started[i] {
			continue
		}
		if err := net.layers[i].backward(); err != nil {
			return net.at(i, err)
		}
	}
	return nil
}

// Outputs are those of the last training pass, (n, classes), until the next one.
func (net *Network) Outputs() []float32 { return net.outputs }

// Evaluate is the outputs of a batch in evaluation mode, (n, outputs). They are the network's own until its next pass.
func (net *Network) Evaluate(images []float32) ([]float32, error) {
	net.training = false
	if err := net.forward(images, nil); err != nil {
		return nil, err
	}
	return net.values[len(net.values)-1].Data, nil
}

// Keep makes running statistics what the last training pass has made of them.
func (net *Network) Keep() {
	for i, p := range net.pending {
		copy(net.Params[i], p)
	}
}

// Settle makes the running statistics what Params has, where a caller has changed it, so that the next Keep begins from there.
func (net *Network) Settle() {
	for i, p := range net.pending {
		copy(p, net.Params[i])
	}
}

func (net *Network) forward(images []float32, see func(i int) error) error {
	if len(images) != len(net.values[0].Data) {
		return fmt.Errorf("train: %s: %d elements for %d images of %v", net.Graph.Name, len(images), net.n, net.Graph.Input())
	}
	for i := range net.values {
		net.values[i].Data = net.first[i]
	}
	copy(net.values[0].Data, images)
	for i := 1; i < len(net.layers); i++ {
		if err := net.layers[i].forward(); err != nil {
			return net.at(i, err)
		}
		if see != nil {
			if err := see(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// at says which node an error is of.
func (net *Network) at(i int, err error) error {
	return fmt.Errorf("train: %s: step %d: %s: %w", net.Graph.Name, net.step, net.nameOf(i), err)
}

func (net *Network) nameOf(i int) string {
	node := &net.Graph.Nodes[i]
	if node.Name != "" {
		return fmt.Sprintf("%v %s", node.Op, node.Name)
	}
	return fmt.Sprintf("node %d, %v", i, node.Op)
}

// diagnose repeats a pass whose loss is no number and names the first layer that puts out one that is none.
func (net *Network) diagnose(images []float32) error {
	err := net.forward(images, func(i int) error {
		for _, v := range net.values[i].Data {
			if v-v != 0 {
				return fmt.Errorf("train: %s: step %d: the loss is not a number: the first layer that puts out %v is %s",
					net.Graph.Name, net.step, v, net.nameOf(i))
			}
		}
		return nil
	})
	if err == nil {
		err = fmt.Errorf("train: %s: step %d: the loss is not a number, of outputs that are", net.Graph.Name, net.step)
	}
	return err
}

// give adds a part to the gradient of a node's value, where somebody wants it: write fills all of dst.
func (net *Network) give(i int, write func(dst kernels.Tensor)) {
	if !net.wanted[i] {
		return
	}
	into := net.dvalues[i]
	if !net.started[i] {
		net.started[i] = true
		write(into)
		return
	}
	part := into
	part.Data = net.spare[:len(into.Data)]
	write(part)
	net.sum.Run(net.pool, into, into, kernels.Tensor{}, []kernels.Tensor{part})
}

// each calls f for every i below n, shared out over the workers.
func (net *Network) each(n int, f func(i int)) { net.pool.Run(n, task(f)) }

type task func(i int)

func (f task) Do(_, i int) { f(i) }

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
