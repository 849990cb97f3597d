package load_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"zoobench/zoo/engine"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// A nodeTest is one of the tests of operators that python3-onnx has: a file of one operator, its inputs and its results.
type nodeTest struct {
	m       *message.Model
	in, out []message.Tensor
}

// TestNodes runs those tests: $ONNX_NODES is their folder, see make test-onnx. An operator gets constants alone, and then each of
// its inputs of floats as images of several forms. No answer may be wrong; what is refused is listed with the reason.
func TestNodes(t *testing.T) {
	dir := os.Getenv("ONNX_NODES")
	if dir == "" {
		t.Skip("$ONNX_NODES is not set: see make test-onnx")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	passed, refused := map[string]int{}, map[string]map[string]int{}
	for _, e := range entries {
		test, op := readNodeTest(t, filepath.Join(dir, e.Name()))
		if test == nil {
			continue
		}
		right, why := test.run(t, e.Name())
		if right {
			passed[op]++
			continue
		}
		if refused[op] == nil {
			refused[op] = map[string]int{}
		}
		refused[op][why]++
		t.Logf("%s: refused: %s", e.Name(), why)
	}
	var table strings.Builder
	total, left := 0, 0
	for _, op := range slices.Sorted(maps.Keys(merged(passed, refused))) {
		n := 0
		for _, k := range refused[op] {
			n += k
		}
		total, left = total+passed[op], left+n
		fmt.Fprintf(&table, "| %s | %d | %d | %s |\n", op, passed[op], n, strings.Join(slices.Sorted(maps.Keys(refused[op])), "; "))
	}
	t.Logf("%d pass, %d are refused\n| operator | pass | refused | why |\n|---|---|---|---|\n%s", total, left, table.String())
	if total < 100 {
		t.Errorf("%d tests pass, want 100 at least", total)
	}
}

func merged(passed map[string]int, refused map[string]map[string]int) map[string]bool {
	all := map[string]bool{}
	for op := range passed {
		all[op] = true
	}
	for op := range refused {
		all[op] = true
	}
	return all
}

// readNodeTest reads a test, nil where it is of operators that nobody claims, or of other values than tensors.
func readNodeTest(t *testing.T, dir string) (test *nodeTest, op string) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return nil, ""
	}
	m, err := message.Decode(file)
	if err != nil || len(m.Graph.Nodes) == 0 {
		return nil, ""
	}
	for _, n := range m.Graph.Nodes {
		if n.Domain != "" || !load.Claimed(n.Op) {
			return nil, ""
		}
	}
	test = &nodeTest{m: m}
	for i, v := range m.Graph.Inputs {
		x, ok := readTensor(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", i)), v.Name)
		if !ok || x.Type != v.Type {
			return nil, ""
		}
		test.in = append(test.in, x)
	}
	for i, v := range m.Graph.Outputs {
		x, ok := readTensor(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("output_%d.pb", i)), v.Name)
		if !ok || x.Type != v.Type {
			return nil, ""
		}
		test.out = append(test.out, x)
	}
	return test, m.Graph.Nodes[len(m.Graph.Nodes)-1].Op
}

// readTensor reads a file that is a tensor: as the only one of a graph.
func readTensor(path, name string) (message.Tensor, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return message.Tensor{}, false
	}
	const graphTensor, modelGraph = 5, 7
	graph := protowire.AppendBytes(protowire.AppendTag(nil, graphTensor, protowire.BytesType), b)
	m, err := message.Decode(protowire.AppendBytes(protowire.AppendTag(nil, modelGraph, protowire.BytesType), graph))
	if err != nil || m.Graph.Tensors[0].Type.Size() == 0 {
		return message.Tensor{}, false
	}
	x := m.Graph.Tensors[0]
	x.Name = name
	return x, true
}

// run runs a test in every way; why is the first reason of a test that no way can have.
func (n *nodeTest) run(t *testing.T, name string) (right bool, why string) {
	note := func(way string, got [][]float32, err error) {
		var e *load.Error
		switch {
		case errors.As(err, &e):
			if why == "" || strings.Contains(why, "constants alone") {
				_, text, found := strings.Cut(e.Faults[0], "): ")
				if !found {
					text = e.Faults[0]
				}
				why = text
			}
		case err != nil:
			t.Errorf("%s, %s: %v", name, way, err)
		default:
			right = true
			for i, y := range got {
				if want := numbers(n.out[i]); y != nil && !alike(y, want) {
					t.Errorf("%s, %s: %d numbers %v, want %d %v", name, way, len(y), y[:min(len(y), 8)], len(want), want[:min(len(want), 8)])
				}
			}
		}
	}
	got, err := load.Folded(n.m, n.in)
	note("constants", got, err)
	for k, x := range n.in {
		if x.Type != message.Float32 || len(x.Dims) == 0 || len(numbers(x)) == 0 {
			continue
		}
		for form := range forms(x) {
			for out := range n.out {
				m, images, ok := n.framed(k, out, form)
				if !ok {
					continue
				}
				var b bytes.Buffer
				if err := message.Encode(&b, m, nil); err != nil {
					t.Fatal(err)
				}
				network, err := load.Read("x.onnx", b.Bytes(), "", load.Options{})
				if err != nil {
					note(form, nil, err)
					continue
				}
				shape := forms(x)[form]
				if in := network.Graph.Input(); !slices.Equal(shape[1:], []int64{int64(in.C), int64(in.H), int64(in.W)}) {
					continue // taken for images with channels last
				}
				results := make([][]float32, len(n.out))
				results[out], err = answersTo(network, images)
				note(fmt.Sprintf("input %d as %s", k, form), results, err)
			}
		}
	}
	return right, why
}

// answersTo are a network's for images (N,C,H,W).
func answersTo(n *load.Network, images []float32) ([]float32, error) {
	in := n.Graph.Input()
	count := len(images) / in.Elems()
	x := make([]float32, len(images))
	for i := range x {
		of, rest := i/in.Elems(), i%in.Elems()
		x[i] = images[of*in.Elems()+rest%in.C*in.H*in.W+rest/in.C]
	}
	e, err := engine.New(n.Graph, n.Weights, engine.Options{Threads: 1, Batch: count, Exact: true})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	y := make([]float32, count*n.Graph.Output().Elems())
	e.Run(y, x, count)
	return y, nil
}

// forms are the ways in which a tensor can be images: their shape, and whether a Reshape gives theirs or channels come last.
func forms(x message.Tensor) map[string][]int64 {
	all := map[string][]int64{}
	d := x.Dims
	switch len(d) {
	case 2:
		all["vectors"] = []int64{d[0], d[1], 1, 1}
	case 3:
		all["planes of one row"] = []int64{d[0], d[1], 1, d[2]}
		all["tokens"] = []int64{d[0], d[2], 1, d[1]}
	case 4:
		all["images"] = d
		all["images, channels last"] = []int64{d[0], d[3], d[1], d[2]}
	}
	all["one image"] = []int64{1, int64(len(numbers(x))), 1, 1}
	return all
}

// framed is a test as a classifier: one input is images of a form and the others are constants; a result is a row for each image.
func (n *nodeTest) framed(k, out int, form string) (m *message.Model, images []float32, ok bool) {
	x, y := n.in[k], n.out[out]
	shape := forms(x)[form]
	if y.Type != message.Float32 || len(numbers(y)) == 0 || shape[0] > 1 && (len(y.Dims) == 0 || y.Dims[0] != shape[0]) {
		return nil, nil, false
	}
	model := *n.m
	model.Opsets = slices.Clone(model.Opsets)
	for i := range model.Opsets { // an operator whose meaning has changed since has other settings
		model.Opsets[i].Version = max(model.Opsets[i].Version, load.MinOpset)
	}
	g := &model.Graph
	g.Outputs = []message.Value{{Name: "rows"}}
	g.Tensors = append(slices.Clone(g.Tensors), row("rows/shape", shape[0], -1), row("image/shape", x.Dims...))
	for i, t := range n.in {
		if i != k {
			g.Tensors = append(g.Tensors, t)
		}
	}
	in := message.Value{Name: "image", Type: message.Float32, Shaped: true}
	for _, d := range shape {
		in.Dims = append(in.Dims, message.Dim{Size: d, Known: true})
	}
	g.Inputs = []message.Value{in}
	first := message.Node{Op: "Reshape", In: []string{"image", "image/shape"}, Out: []string{x.Name}}
	images = numbers(x)
	if strings.HasSuffix(form, "last") || form == "tokens" {
		perm := []int64{0, 2, 3, 1}
		mid := message.Node{Op: "Transpose", In: []string{"image"}, Out: []string{"image/last"},
			Attributes: []message.Attribute{{Name: "perm", Kind: message.IsInts, Ints: perm}}}
		first.In[0] = "image/last"
		g.Nodes = append([]message.Node{mid, first}, g.Nodes...)
		c, pixels := int(shape[1]), int(shape[2]*shape[3])
		turned := make([]float32, len(images))
		for i := range turned {
			at, rest := i/(c*pixels), i%(c*pixels)
			turned[i] = images[at*c*pixels+rest%pixels*c+rest/pixels]
		}
		images = turned
	} else {
		g.Nodes = append([]message.Node{first}, g.Nodes...)
	}
	g.Nodes = append(slices.Clone(g.Nodes), message.Node{Op: "Reshape", In: []string{y.Name, "rows/shape"}, Out: []string{"rows"}})
	return &model, images, true
}

func row(name string, v ...int64) message.Tensor {
	return message.Tensor{Name: name, Type: message.Int64, Dims: []int64{int64(len(v))}, Ints: v}
}

// numbers are a tensor's.
func numbers(t message.Tensor) (x []float32) {
	size := t.Type.Size()
	for at := 0; at+size <= len(t.Raw); at += size {
		b := t.Raw[at : at+size]
		switch t.Type {
		case message.Float32:
			x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case message.Float16, message.BFloat16:
			y := []float32{0}
			weights.Decode(y, map[message.Type]weights.Dtype{message.Float16: weights.F16, message.BFloat16: weights.BF16}[t.Type], b)
			x = append(x, y...)
		case message.Float64:
			x = append(x, float32(math.Float64frombits(binary.LittleEndian.Uint64(b))))
		default:
			var v uint64
			for i := range b {
				v |= uint64(b[i]) << (8 * i)
			}
			shift := 64 - 8*size
			if x = append(x, float32(v)); t.Type == message.Int8 || t.Type == message.Int16 || t.Type == message.Int32 || t.Type == message.Int64 {
				x[len(x)-1] = float32(int64(v<<shift) >> shift)
			}
		}
	}
	return x
}

// alike reports whether numbers are equal but for rounding, by the bound that ONNX's own tests have.
func alike(got, want []float32) bool {
	return slices.EqualFunc(got, want, func(g, w float32) bool {
		return g == w || g != g && w != w || math.Abs(float64(g-w)) <= 1e-3*math.Abs(float64(w))+1e-6
	})
}
