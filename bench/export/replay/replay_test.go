package replay

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// TestReplay runs files of small inputs, of networks with every operation and every option, and compares the answers with the
// engine's.
func TestReplay(t *testing.T) {
	for i, network := range []string{
		"squeezenet1_1", "googlenet", "densenet121", "mobilenetv3_small_100", "tv_mobilenet_v3_small", "shufflenet_v2_x0_5",
		"tf_efficientnet_b0", "ecaresnext26t_32x4d", "skresnet18", "legacy_seresnext26_32x4d", "resnetv2_50x1_bit", "nasnetamobile",
		"ghostnet_050", "regnety_002", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "convnext_tiny",
		"swin_tiny_patch4_window7_224", "coatnet_nano_rw_224", "coatnet_rmlp_nano_rw_224", "efficientnetv2_rw_t", "inception_v3",
		"keras_efficientnetb0",
	} {
		o := []onnx.Options{{}, {Opset: onnx.MaxOpset, Fold: true}}[i%2]
		t.Run(network, func(t *testing.T) { compare(t, network, o) })
	}
}

func compare(t *testing.T, network string, o onnx.Options) {
	size := map[string]int{"inception_v3": 96, "swin_tiny_patch4_window7_224": 224}[network]
	if size == 0 {
		size = 64
	}
	spec, err := zoo.Find(network)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(size, 10)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{Gain: 1}.Source(g.Params)
	f, err := onnx.New(g, src, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	m, err := message.Decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	image := weights.Generator{}.Batch(1, size)
	y, err := Run(m, nil, map[string]*Value{"x": {Dims: []int{1, 3, size, size}, Floats: image}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(g, src, engine.Options{Threads: 1, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	want := make([]float32, 10)
	e.Run(want, turned(&Value{Dims: []int{3, size * size}, Floats: image}, 1, 0).Floats, 1)
	worst, largest := 0.0, 0.0
	for i, v := range want {
		worst, largest = max(worst, math.Abs(float64(y.Floats[i]-v))), max(largest, math.Abs(float64(v)))
	}
	if len(y.Floats) != len(want) || !(worst <= 1e-4*largest) {
		t.Errorf("%d answers, %g from the engine's %d, of which the largest is %g", len(y.Floats), worst, len(want), largest)
	}
	t.Logf("%.1e of the largest answer", worst/largest)
}

// TestRefuses runs what is no whole network.
func TestRefuses(t *testing.T) {
	x := &Value{Dims: []int{1, 2}, Floats: []float32{1, 2}}
	one := func(n message.Node) message.Model {
		n.Name, n.Out = "n", []string{"y"}
		return message.Model{Graph: message.Graph{Nodes: []message.Node{n}, Outputs: []message.Value{{Name: "y"}}, Tensors: []message.Tensor{
			{Name: "short", Type: message.Float32, Dims: []int64{4}, Raw: make([]byte, 3)},
			{Name: "three", Type: message.Float32, Dims: []int64{3}, Raw: make([]byte, 12)},
		}}}
	}
	for _, test := range []struct {
		m    message.Model
		want string
	}{
		{message.Model{}, "no output"},
		{message.Model{Graph: message.Graph{Outputs: []message.Value{{Name: "y"}}}}, "nothing makes y"},
		{one(message.Node{Op: "LSTM", In: []string{"x"}}), "n: operator LSTM"},
		{one(message.Node{Op: "Relu", In: []string{"z"}}), `n: nothing makes "z"`},
		{one(message.Node{Op: "Relu", In: []string{"short"}}), "n: short: 3 bytes"},
		{one(message.Node{Op: "Add", In: []string{"x", "three"}}), "n: shapes [1 2] and [3]"},
		{one(message.Node{Op: "Sum", In: []string{"x", "x"}}), "n: 2 inputs"},
		{one(message.Node{Op: "Gemm", In: []string{"x", "x"}}), "n: want transB alone"},
	} {
		if _, err := Run(&test.m, nil, map[string]*Value{"x": x}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}
