package export

import (
	"bytes"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// TestAnswers runs a file, and the same file with another operator, another setting and without a branch.
func TestAnswers(t *testing.T) {
	r := ready(t, record.Axes{ImgSize: 64, NumClasses: 5})
	src := weights.Generator{}.Source(r.Graph.Params)
	f, err := onnx.New(r.Graph, src, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	change := func(op string, how func(n *message.Node)) func(*message.Graph) {
		return func(g *message.Graph) {
			for i := range g.Nodes {
				if g.Nodes[i].Op == op {
					how(&g.Nodes[i])
					return
				}
			}
			t.Fatalf("no %s", op)
		}
	}
	for _, test := range []struct {
		name   string
		change func(*message.Graph)
		want   string
	}{
		{"nothing", func(*message.Graph) {}, ""},
		{"another function", change("HardSwish", func(n *message.Node) { n.Op = "Relu" }), "other answers than the engine"},
		{"another epsilon", change("BatchNormalization", func(n *message.Node) { n.Attributes[0].Float = 0.1 }), "other answers than the engine"},
		{"a residual added twice", change("Add", func(n *message.Node) { n.In[1] = n.In[0] }), "other answers than the engine"},
		{"an unknown operator", change("Relu", func(n *message.Node) { n.Op = "Softplus" }), "operator Softplus"},
	} {
		m, err := message.Decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		test.change(&m.Graph)
		err = answers(m, nil, f.Input(), r.Graph, src, nil)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}
