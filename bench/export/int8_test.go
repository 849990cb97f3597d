package export

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/quantize/qdq"
	"zoobench/zoo/weights"
)

// calibration is a folder of images to quantise on.
const calibration = "../../datasets/testdata/preprocess"

// int8Task is a task in int8.
func int8Task(t *testing.T, model string) runner.Task {
	t.Helper()
	dir, err := filepath.Abs(calibration)
	if err != nil {
		t.Fatal(err)
	}
	return runner.Task{Job: experiment.Job{Model: model, Axes: record.Axes{Precision: engine.Int8, NoTune: true},
		Calibration: &experiment.Calibration{Data: dir, Images: 16}}}
}

func describe(t *testing.T, task runner.Task) *runner.Ready {
	t.Helper()
	r, err := runner.Describe(zoo.Default(), task)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// TestInt8 writes a network that is quantised on the way, and reads the file: the answers are the same bits.
func TestInt8(t *testing.T) {
	task := int8Task(t, "pocket_resnet8")
	t.Chdir(t.TempDir())
	r := describe(t, task)
	w, err := Write(t.Context(), r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	logits := func(r *runner.Ready) []float32 {
		n, err := r.Load(r.Options())
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		y := make([]float32, r.Graph.Output().Elems())
		n.Engine.Run(y, weights.Generator{}.Images(r.Graph.Input().H)[:r.Graph.Input().Elems()], 1)
		return y
	}
	want := logits(r)
	file := runner.Task{Job: experiment.Job{Model: w.Path, Axes: record.Axes{Precision: engine.Int8, NoTune: true}}}
	back := describe(t, file)
	if got := logits(back); !slices.Equal(got, want) {
		t.Errorf("logits %v, want %v", got[:3], want[:3])
	}
	if notes := strings.Join(back.Notes(), "; "); notes != "" {
		t.Errorf("notes %q", notes)
	}
	file.Precision = ""
	plain := describe(t, file)
	if logits(plain); !strings.Contains(strings.Join(plain.Notes(), "; "), "--precision int8 computes as the file does") {
		t.Errorf("notes %q", plain.Notes())
	}
}

// TestInt8Answers runs a file, and the same file with other numbers.
func TestInt8Answers(t *testing.T) {
	r := describe(t, int8Task(t, "pocket_resnet8"))
	n, err := r.Quantized(t.Context(), weights.Generator{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(r.Graph.Params)
	numbers, err := qdq.Of(r.Graph, src, n.Int8)
	if err != nil {
		t.Fatal(err)
	}
	f, err := onnx.New(r.Graph, src, onnx.Options{Int8: numbers})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	tensor := func(g *message.Graph, of message.Type, end string) *message.Tensor {
		for i := range g.Tensors {
			if x := &g.Tensors[i]; x.Type == of && strings.HasSuffix(x.Name, end) {
				return x
			}
		}
		t.Fatalf("no tensor …%s", end)
		return nil
	}
	for _, test := range []struct {
		name   string
		change func(*message.Graph)
		want   string
	}{
		{"nothing", func(*message.Graph) {}, ""},
		{"other weights", func(g *message.Graph) { slices.Reverse(tensor(g, message.Int8, "layer2.0.conv1.weight/int8").Raw) }, "other answers"},
		{"other biases", func(g *message.Graph) {
			for raw := tensor(g, message.Int32, "layer2.0.conv1.bias/int32").Raw; len(raw) > 0; raw = raw[4:] {
				raw[2] ^= 4
			}
		}, "other answers"},
		{"a zero point too few", func(g *message.Graph) {
			for i := range g.Nodes {
				if n := &g.Nodes[i]; n.Op == "DequantizeLinear" && len(n.In) == 3 && strings.HasSuffix(n.In[2], "zeros/16") {
					n.In[2] = n.In[1]
					return
				}
			}
		}, "zero points for"},
	} {
		m, err := message.Decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Graph.Tensors {
			m.Graph.Tensors[i].Raw = bytes.Clone(m.Graph.Tensors[i].Raw)
		}
		test.change(&m.Graph)
		err = answers(m, (*os.File)(nil), f.Input(), r.Graph, src, n.Int8)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// TestInt8Refuses names what is missing, and what does not go together.
func TestInt8Refuses(t *testing.T) {
	task := int8Task(t, "pocket_resnet8")
	t.Chdir(t.TempDir())
	task.Job.Calibration = nil
	if _, err := Write(t.Context(), describe(t, task), Options{}); err == nil || !strings.Contains(err.Error(), "--calibration") {
		t.Errorf("no images: %v", err)
	}
	if got := names(t, "."); len(got) > 0 {
		t.Errorf("files %v", got)
	}
}
