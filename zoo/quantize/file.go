package quantize

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// form marks a file of int8 weights. Its number grows when what the numbers mean changes.
const form = "zoobench int8 1"

// Names of the tensors that a layer has beside its weight, and of a value's factors.
const (
	scaleOf8 = ".int8_scale"
	biasOf8  = ".int8_bias"
	factorOf = "int8_factor."
)

// About is what a file says of where its numbers come from. Write fills in the first three.
type About struct {
	Network string `json:"network"`
	Classes int    `json:"classes"`
	Size    int    `json:"size"` // of the images

	Library string `json:"library,omitempty"` // whose names the source has, see zoo.Variant
	Tag     string `json:"tag,omitempty"`     // the source's, if it was published
	Weights string `json:"weights_sha256"`    // of the source
	Program string `json:"program,omitempty"` // that made the file

	Trained json.RawMessage `json:"trained,omitempty"` // what the source says of itself if zoobench trained it

	Calibration Calibration `json:"calibration"`
}

// Calibration is the images that values were watched on.
type Calibration struct {
	Data   string `json:"data"` // where they come from
	Split  string `json:"split,omitempty"`
	Seed   uint64 `json:"seed"` // by which they were drawn
	SHA256 string `json:"sha256"`

	// Contents are the first bytes of the SHA-256 of each image's file, ContentBytes of each; none in files of older programs.
	Contents []byte `json:"contents,omitempty"`
}

// ContentBytes is how much of an image's hash Calibration.Contents has: enough that two images in a million do not share it.
const ContentBytes = 8

// header is a file's metadata as JSON.
type header struct {
	About
	Graph  string  `json:"graph"` // hash, see Fingerprint
	Recipe Recipe  `json:"recipe"`
	Layers []Layer `json:"layers"`
	Values []value `json:"values"`
}

// value is how a node's value becomes bytes.
type value struct {
	Node  int     `json:"node"`
	Scale float32 `json:"scale"`
	Zero  uint8   `json:"zero"`
}

// Fingerprint is a hash of what a graph computes: layers, their order and shapes, and parameters' names.
func Fingerprint(g *nn.Graph) string {
	h := sha256.New()
	for _, n := range g.Nodes {
		fmt.Fprintf(h, "%v %q %v %v %+v %v %g %d %d %d %v %v %v %v %d %+v %v\n", n.Op, n.Name, n.In, n.Out, n.Kernel, n.Act, n.Eps, n.Groups,
			n.From, n.To, n.Scale, n.Shift, n.FromGrid, n.ToGrid, n.Prefix, n.Attention, []int{n.Weight, n.Bias, n.Mean, n.Var})
	}
	for _, p := range g.Params {
		fmt.Fprintf(h, "%q %v\n", p.Name, p.Shape)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Write writes a network's int8 file: the numbers, and what of the weights w stays in float32.
func Write(path string, g *nn.Graph, w engine.Weights, n *Network, about About) error {
	about.Network, about.Classes, about.Size = g.Name, g.Classes, g.Input().H
	h := header{About: about, Graph: Fingerprint(g), Recipe: n.Recipe, Layers: n.Layers}
	for _, node := range sorted(n.Int8.Values) {
		q := n.Int8.Values[node]
		h.Values = append(h.Values, value{node, q.Scale, q.Zero})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	sketch, err := engine.NewSketch(g, nil, n.Int8)
	if err != nil {
		return err
	}
	var floats []weights.Named
	for _, i := range floatParams(g, sketch, n.Int8) {
		p := g.Params[i]
		x, err := w.Float32(p.Name)
		if err != nil {
			return err
		}
		floats = append(floats, weights.Named{Name: p.Name, Shape: p.Shape, Data: x})
	}
	var ints []weights.Named8
	for _, node := range sorted(n.Int8.Layers) {
		f, p := n.Int8.Layers[node], g.Params[g.Nodes[node].Weight]
		ints = append(ints, weights.Named8{Name: p.Name, Shape: p.Shape, Data: f.Weight})
		floats = append(floats, weights.Named{Name: p.Name + scaleOf8, Shape: []int{len(f.Scale)}, Data: f.Scale},
			weights.Named{Name: p.Name + biasOf8, Shape: []int{len(f.Bias)}, Data: f.Bias})
	}
	for _, node := range sorted(n.Int8.Factor) {
		f := n.Int8.Factor[node]
		floats = append(floats, weights.Named{Name: fmt.Sprint(factorOf, node), Shape: []int{len(f)}, Data: f})
	}
	return weights.WriteInt8(path, floats, ints, map[string]string{"format": form, "zoobench": string(text)})
}

// Sum is a hash of a network's numbers in int8: networks with the same one, of the same graph and weights, give the same bits.
func (n *Network) Sum() string {
	h := sha256.New()
	put := func(values ...any) {
		for _, v := range values {
			if err := binary.Write(h, binary.LittleEndian, v); err != nil {
				panic("quantize: " + err.Error()) // no value of a fixed size
			}
		}
	}
	for _, node := range sorted(n.Int8.Layers) {
		f := n.Int8.Layers[node]
		put(int64(node), f.Weight, f.Scale, f.Bias)
	}
	for _, node := range sorted(n.Int8.Values) {
		put(int64(node), n.Int8.Values[node].Scale, n.Int8.Values[node].Zero)
	}
	for _, node := range sorted(n.Int8.Factor) {
		put(int64(node), n.Int8.Factor[node])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// floatParams are the parameters that a network reads although it is in int8.
func floatParams(g *nn.Graph, sketch *engine.Sketch, q *engine.Quantized) []int {
	covered := map[int]bool{}
	for _, p := range sketch.Products {
		if _, ok := q.Layers[p.Node]; ok {
			for _, i := range p.Nodes {
				covered[i] = true
			}
		}
	}
	read := map[int]bool{}
	for i, n := range g.Nodes {
		for _, p := range []int{n.Weight, n.Bias, n.Mean, n.Var} {
			if p >= 0 && !covered[i] {
				read[p] = true
			}
		}
	}
	return sorted(read)
}

// Is reports whether a file is one of int8 weights, of whatever version.
func Is(f *weights.File) bool {
	const start = "zoobench int8"
	got := f.Metadata()["format"]
	return len(got) >= len(start) && got[:len(start)] == start
}

// Describe reads what a file of int8 weights says of itself.
func Describe(f *weights.File) (About, error) {
	h, err := readHeader(f)
	return h.About, err
}

func readHeader(f *weights.File) (h header, err error) {
	meta := f.Metadata()
	if got := meta["format"]; got != form {
		return h, fmt.Errorf("quantize: %s: written as %q, this program reads %q: quantise the network again", f.Name(), got, form)
	}
	if err := json.Unmarshal([]byte(meta["zoobench"]), &h); err != nil {
		return h, fmt.Errorf("quantize: %s: metadata zoobench: %w", f.Name(), err)
	}
	return h, nil
}

// Read reads a file's numbers for a graph. What the network has in float32 is in the file too, under its parameters' names.
func Read(f *weights.File, g *nn.Graph) (*Network, error) {
	h, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	r := reader{f: f, g: g, q: &engine.Quantized{
		Layers: map[int]engine.Filters{}, Values: map[int]kernels.Quant{},
	}, used: map[string]bool{}}
	if err := r.read(h); err != nil {
		return nil, fmt.Errorf("quantize: %s: %w", f.Name(), err)
	}
	return &Network{Int8: r.q, Recipe: h.Recipe, Layers: h.Layers}, nil
}

// A reader takes a file's numbers and believes none.
type reader struct {
	f    *weights.File
	g    *nn.Graph
	q    *engine.Quantized
	used map[string]bool // the file's tensors that were asked for
}

func (r *reader) read(h header) error {
	if h.Network != r.g.Name {
		return fmt.Errorf("it is of network %s, want %s", h.Network, r.g.Name)
	}
	if got := Fingerprint(r.g); h.Graph != got {
		return fmt.Errorf("its graph has the hash %s, this program's %s of %d classes at size %d has %s: quantise the network again",
			h.Graph, r.g.Name, r.g.Classes, r.g.Input().H, got)
	}
	sketch, err := engine.NewSketch(r.g, nil, &engine.Quantized{})
	if err != nil {
		return err
	}
	products := map[int]*engine.Product{}
	for i := range sketch.Products {
		products[sketch.Products[i].Node] = &sketch.Products[i]
	}
	if err := r.values(h.Values, sketch); err != nil {
		return err
	}
	if err := r.factors(sketch); err != nil {
		return err
	}
	if len(h.Layers) != len(products) {
		return fmt.Errorf("it has %d layers, want %d", len(h.Layers), len(products))
	}
	for _, l := range h.Layers {
		p := products[l.Node]
		if p == nil || p.Name != l.Name {
			return fmt.Errorf("layer %s of node %d: no such layer", l.Name, l.Node)
		}
		if _, twice := r.q.Layers[l.Node]; twice {
			return fmt.Errorf("layer %s: it is there twice", l.Name)
		}
		if l.Float {
			continue
		}
		if r.q.Layers[l.Node], err = r.layer(p); err != nil {
			return err
		}
	}
	for _, i := range floatParams(r.g, sketch, r.q) {
		if _, err := r.floats(r.g.Params[i].Name, r.g.Params[i].Shape); err != nil {
			return err
		}
	}
	for _, t := range r.f.Tensors() {
		if !r.used[t.Name] {
			return fmt.Errorf("%s: a tensor that nothing reads", t.Name)
		}
	}
	return nil
}

// values takes the scales of values.
func (r *reader) values(all []value, sketch *engine.Sketch) error {
	for _, v := range all {
		if !slices.Contains(sketch.Values, v.Node) {
			return fmt.Errorf("value of node %d: no step writes it", v.Node)
		}
		if _, twice := r.q.Values[v.Node]; twice {
			return fmt.Errorf("value of node %d: it is there twice", v.Node)
		}
		if !normal(v.Scale) {
			return fmt.Errorf("value of node %d: a scale of %g, want a number above 0", v.Node, v.Scale)
		}
		r.q.Values[v.Node] = kernels.Quant{Scale: v.Scale, Zero: v.Zero}
	}
	for _, node := range sketch.Values {
		if _, ok := r.q.Values[node]; !ok {
			return fmt.Errorf("value of node %d: no scale", node)
		}
	}
	return nil
}

// normal reports whether a scale is a positive number of the normal range.
func normal(x float32) bool { return x >= 0x1p-126 && x <= math.MaxFloat32 }

// factors takes the factors of values.
func (r *reader) factors(sketch *engine.Sketch) error {
	for _, m := range sketch.Movable {
		name := fmt.Sprint(factorOf, m.Value)
		if _, ok := r.f.Lookup(name); !ok {
			continue
		}
		x, err := r.floats(name, []int{r.g.Nodes[m.Value].Out.C})
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(x, func(v float32) bool { return !normal(v) }); i >= 0 {
			return fmt.Errorf("%s: channel %d: a factor of %g, want a number above 0", name, i, x[i])
		}
		if r.q.Factor == nil {
			r.q.Factor = map[int][]float32{}
		}
		r.q.Factor[m.Value] = x
	}
	return nil
}

// layer takes a layer's weights.
func (r *reader) layer(p *engine.Product) (f engine.Filters, err error) {
	param := r.g.Params[r.g.Nodes[p.Node].Weight]
	t, ok := r.f.Lookup(param.Name)
	if !ok || !slices.Equal(t.Shape, param.Shape) || t.Dtype != weights.I8 {
		return f, fmt.Errorf("%s: want 8-bit integers of shape %v", param.Name, param.Shape)
	}
	r.used[param.Name] = true
	if f.Weight, err = r.f.Int8(param.Name); err != nil {
		return f, err
	}
	if i := slices.Index(f.Weight, -128); i >= 0 {
		return f, fmt.Errorf("%s: element %d is -128, want -127 to 127", param.Name, i)
	}
	if f.Scale, err = r.floats(param.Name+scaleOf8, []int{p.OC}); err != nil {
		return f, err
	}
	if i := slices.IndexFunc(f.Scale, func(v float32) bool { return !normal(v) }); i >= 0 {
		return f, fmt.Errorf("%s: output channel %d: a scale of %g, want a number above 0", param.Name+scaleOf8, i, f.Scale[i])
	}
	f.Bias, err = r.floats(param.Name+biasOf8, []int{p.OC})
	return f, err
}

// floats is a tensor of numbers, all of them finite.
func (r *reader) floats(name string, shape []int) ([]float32, error) {
	t, ok := r.f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("%s: no such tensor", name)
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%s: shape %v, want %v", name, t.Shape, shape)
	}
	r.used[name] = true
	x := make([]float32, t.Len())
	if err := r.f.Read(name, 0, x); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(x, func(v float32) bool { return v-v != 0 }); i >= 0 {
		return nil, fmt.Errorf("%s: element %d is %g, want a number", name, i, x[i])
	}
	return x, nil
}

// sorted are a map's keys in order.
func sorted[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
