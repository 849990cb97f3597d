package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/internal/testenv"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// TestKerasWithoutTop opens a file of Keras's without its classifier, as those with notop in their names: its parameters are
// there for training, and everything else says what it lacks.
func TestKerasWithoutTop(t *testing.T) {
	content, err := os.ReadFile(testenv.Shared(t, "keras", "h5", "mobilenet_2_5_128_tf.h5"))
	if err != nil {
		t.Fatal(err)
	}
	// A layer whose group lists no weights has none.
	of := bytes.Index(content, []byte("conv_preds/kernel:0"))
	list := bytes.LastIndex(content[:of], []byte("weight_names"))
	if list < of-200 {
		t.Fatal("the classifier's list of weights is not where it was")
	}
	copy(content[list:], "no")
	path := filepath.Join(t.TempDir(), "mobilenet_2_5_128_tf_no_top.h5")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := Describe(zoo.Default(), Task{Weights: path, Job: experiment.Job{Model: "keras_mobilenet_025"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	bound, err := r.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(bound.Absent(), " "); got != "classifier.weight classifier.bias" || r.Graph.Classes != 1000 {
		t.Errorf("without %s, %d classes", got, r.Graph.Classes)
	}
	_, err = r.Load(r.Options())
	want := "mobilenet_2_5_128_tf_no_top.h5: ends before the classifier: has no classifier.weight, classifier.bias; want the whole file; " +
		"zoobench train can begin with this one"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestKerasOtherNetwork says what a file of Keras's is not.
func TestKerasOtherNetwork(t *testing.T) {
	file := testenv.Shared(t, "keras", "h5", "mobilenet_2_5_128_tf.h5")
	for _, test := range []struct {
		network string
		classes int
		want    string
	}{
		{"mobilenetv1_100", 0, "a checkpoint of another network: 0 of 137 parameters fit; "},
		{"mobilenetv1_100", 0, "the file is one of Keras, whose networks have names that begin with keras_"},
		{"keras_mobilenet_050", 0, "a checkpoint of another network: 1 of 137 parameters fit; 136 of another shape: " +
			"conv_stem.weight: shape [3 3 3 8], want [3 3 3 16], "},
		{"keras_resnet50", 0, "a checkpoint of another network: "},
		{"keras_mobilenet_025", 10, "the file has 1000 classes, want 10"},
	} {
		_, err := Open(zoo.Default(), Task{Weights: file, Job: experiment.Job{
			Model: test.network, Axes: record.Axes{Threads: 1, Batch: 1, NumClasses: test.classes}}})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "mobilenet_2_5_128_tf.h5: ") {
			t.Errorf("%s: %v, want %s", test.network, err, test.want)
		}
	}
}

// TestKerasSizes names the files of MobileNets that were trained on smaller images, and prepares images of their size.
func TestKerasSizes(t *testing.T) {
	for _, test := range []struct {
		network string
		sizes   []string
	}{
		{"keras_mobilenet_025", []string{"imagenet", "imagenet_192", "imagenet_160", "imagenet_128"}},
		{"keras_mobilenet", []string{"imagenet", "imagenet_192", "imagenet_160", "imagenet_128"}},
		{"keras_mobilenetv2_035", []string{"imagenet", "imagenet_192", "imagenet_160", "imagenet_128", "imagenet_96"}},
		{"keras_mobilenetv2_130", []string{"imagenet"}},
	} {
		spec, err := zoo.Find(test.network)
		if err != nil {
			t.Fatal(err)
		}
		var tags []string
		for _, c := range spec.Checkpoints {
			tags = append(tags, c.Tag)
			if _, of, smaller := strings.Cut(c.URL(), "224"); smaller == (c.Tag != "imagenet") {
				t.Errorf("%s lies at %s%s", c.Name(), c.URL(), of)
			}
		}
		if !slices.Equal(tags, test.sizes) {
			t.Errorf("%s: %v, want %v", test.network, tags, test.sizes)
		}
	}
	file := testenv.Shared(t, "keras", "h5", "mobilenet_2_5_128_tf.h5")
	r, err := Describe(zoo.Default(), Task{Weights: file, Tag: "imagenet_128", Job: experiment.Job{Model: "keras_mobilenet_025"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if in := r.Graph.Input(); in.H != 128 || r.Recipe.Resize != 146 || r.Source != "keras's imagenet_128" {
		t.Errorf("a graph of %v, resized to %d, from %s", in, r.Recipe.Resize, r.Source)
	}
}

// TestKerasFactorByFile opens EfficientNet's weights with variances, and with the deviations that Keras publishes: the file
// alone says whether the network has the factor, and the record says so too.
func TestKerasFactorByFile(t *testing.T) {
	spec, err := zoo.Find("keras_efficientnetb0")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 3)
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]int{}
	for name, variance := range map[string][]float32{
		"variances":  {0.229 * 0.229, 0.224 * 0.224, 0.225 * 0.225},
		"deviations": {0.229, 0.224, 0.225},
	} {
		src := weights.Generator{}.Source(g.Params)
		var named []weights.Named
		for _, p := range g.Params {
			data, err := src.Float32(p.Name)
			if err != nil {
				t.Fatal(err)
			}
			if p.Name == "normalization.running_var" {
				data = variance
			}
			named = append(named, weights.Named{Name: p.Name, Shape: p.Shape, Data: data})
		}
		path := filepath.Join(t.TempDir(), name+".safetensors")
		if err := weights.WriteFile(path, named, nil); err != nil {
			t.Fatal(err)
		}
		task := Task{Weights: path, Job: experiment.Job{Model: spec.Name, Axes: record.Axes{Threads: 1, Batch: 1, NoTune: true, ImgSize: 32}}}
		n, err := Open(zoo.Default(), task)
		if err != nil {
			t.Fatal(err)
		}
		r := n.record(record.KindLatency, task)
		n.Close()
		nodes[name] = len(n.Graph.Nodes)
		if want := map[string]string{"deviations": "keras imagenet"}[name]; r.WeightsNames != want {
			t.Errorf("%s: names of %q, want %q", name, r.WeightsNames, want)
		}
	}
	if nodes["deviations"] != nodes["variances"]+1 {
		t.Errorf("%v layers, want one more with deviations", nodes)
	}
}
