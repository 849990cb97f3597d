package zoo

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// kerasOptions are what Keras's functions are called with.
type kerasOptions struct {
	Alpha        float64 `json:"alpha"`
	Minimalistic bool    `json:"minimalistic"`
}

// kerasSpec is the network of Keras's function and its options: of an alpha that nobody publishes weights for, one that
// is not in the list.
func (g golden) kerasSpec() (*Spec, error) {
	s, err := Find(g.kerasName())
	if err == nil || g.Options.Alpha == 0 {
		return s, err
	}
	known := g
	known.Options.Alpha = 0
	if s, err = Find(known.kerasName()); err != nil {
		return nil, err
	}
	other, alpha := *s, g.Options.Alpha
	switch s.Family {
	case kerasMobileNetV1s.name:
		other.Build = kerasMobileNet(alpha).build
	case kerasMobileNetV2s.name:
		other.Build = kerasMobileNetV2(alpha).build
	case kerasMobileNetV3s.name:
		other.Build = kerasMobileNetV3(alpha, strings.Contains(s.Name, "small"), g.Options.Minimalistic).build
	default:
		return nil, fmt.Errorf("%s has no alpha", s.Name)
	}
	other.Name, other.Size = g.kerasName(), 0 // the row's counts are of another width
	return &other, nil
}

// kerasName is the network's name by Keras's function and its options.
func (g golden) kerasName() string {
	name := "keras_" + strings.ToLower(g.Model)
	if a := g.Options.Alpha; a != 0 && a != 1 {
		name += fmt.Sprintf("_%03.0f", 100*a)
	}
	if g.Options.Minimalistic {
		name += "_minimalistic"
	}
	return name
}

// source is the golden's generated weights. Keras's layer for statistics copies them when a file is read, not when a
// generator sets them: the references of EfficientNet subtract 0 and divide by 1.
func (g golden) source() weights.Source {
	src := g.generator().Source(g.StateDict)
	if g.Counted == 0 {
		return src
	}
	return changed{src, func(name string, _ int, v float32) float32 {
		switch name {
		case "normalization/mean":
			return 0
		case "normalization/variance":
			return 1
		}
		return v
	}}
}

// changed is a source with other values.
type changed struct {
	weights.Source
	to func(name string, i int, v float32) float32
}

func (c changed) Float32(name string) ([]float32, error) {
	x, err := c.Source.Float32(name)
	x = slices.Clone(x)
	for i, v := range x {
		x[i] = c.to(name, i, v)
	}
	return x, err
}

func (c changed) Read(name string, first int, dst []float32) error {
	err := c.Source.Read(name, first, dst)
	for i, v := range dst {
		dst[i] = c.to(name, first+i, v)
	}
	return err
}

// moved is how close anybody can be to a golden of Keras's, over MaxAbs: twice what the last bits of pixels and weights move.
// The references are no closer themselves. Keras's numpy backend has JAX convolve, in single precision: VGG16, which has no
// norms, lies 5e-7 from the oracle, and all others as far as PyTorch's own float32 runs of their relatives lie from float64.
//
// What moves by 1e-5 in most networks moves by more in EfficientNets, whose logits reach a million. EfficientNetB0, V2B2 and V2S
// move by 0.26, 0.89 and 1.6: their goldens fix names, shapes and counts, not logits. Those of B1 (2.4e-4), B3 (1.1e-3) and
// V2B0 (1.8e-3) fix the code that all of them are built by.
func (g golden) moved(t *testing.T) float64 {
	t.Helper()
	spec, graph := g.graph(t)
	shake := func(_ string, i int, v float32) float32 { return math.Nextafter32(v, float32(math.Inf(1-i%2*2))) }
	run := func(src weights.Source, images []float32) []float64 {
		bound, err := weights.Bind(src, graph.Params, weights.Options{Tables: spec.Renames})
		if err != nil {
			t.Fatal(err)
		}
		logits, _, err := runEngine(engine.Options{Batch: 2, Exact: true})(graph, bound, images)
		if err != nil {
			t.Fatal(err)
		}
		return logits
	}
	images := g.images()
	logits := run(g.source(), images)
	for i, v := range images {
		images[i] = shake("", i, v)
	}
	most := 0.0
	for i, v := range run(changed{g.source(), shake}, images) {
		most = max(most, math.Abs(v-logits[i]))
	}
	return 2 * most / g.MaxAbs
}

// TestKerasLeast builds each of Keras's networks for the smallest images that Keras takes, and for none smaller.
func TestKerasLeast(t *testing.T) {
	for _, s := range All() {
		if !strings.HasPrefix(s.Name, "keras_") {
			continue
		}
		least := 32
		switch s.Family {
		case "keras_inception_v3", "keras_inception_resnet":
			least = 75
		case "keras_xception":
			least = 71
		}
		if _, err := s.Graph(least, 0); err != nil {
			t.Errorf("at %d pixels: %v", least, err)
		}
		want := fmt.Sprintf("zoo: %s: input size %d, want at least %d", s.Name, least-1, least)
		if _, err := s.Graph(least-1, 0); err == nil || err.Error() != want {
			t.Errorf("at %d pixels: %v, want %s", least-1, err, want)
		}
	}
}

// TestKerasApplications counts the networks: every function of keras.applications, and every option that Keras publishes
// weights for.
func TestKerasApplications(t *testing.T) {
	var want []string
	for _, f := range []struct{ name, options string }{
		{"vgg", "16 19"}, {"resnet", "50 101 152 50v2 101v2 152v2"}, {"inception", "v3 resnetv2"}, {"xception", ""},
		{"mobilenet", " _025 _050 _075"}, {"mobilenetv2", " _035 _050 _075 _130 _140"},
		{"mobilenetv3large", " _075 _minimalistic"}, {"mobilenetv3small", " _075 _minimalistic"},
		{"densenet", "121 169 201"}, {"nasnet", "mobile large"}, {"efficientnet", "b0 b1 b2 b3 b4 b5 b6 b7 v2b0 v2b1 v2b2 v2b3 v2s v2m v2l"},
		{"convnext", "tiny small base large xlarge"},
	} {
		for _, option := range strings.Split(f.options, " ") {
			want = append(want, "keras_"+f.name+option)
		}
	}
	var got []string
	for _, s := range All() {
		if strings.HasPrefix(s.Name, "keras_") {
			got = append(got, s.Name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d networks %v, want %d %v", len(got), got, len(want), want)
	}
}

// TestKerasFiles reads one network from each of the forms that Keras writes.
func TestKerasFiles(t *testing.T) {
	i := slices.IndexFunc(built(t), func(g golden) bool { return g.file == "keras_MobileNet_128_alpha0.25" })
	g := built(t)[i]
	spec, graph := g.graph(t)
	for _, name := range []string{"mobilenet_2_5_128_tf.h5", "mobilenet_2_5_128.weights.h5", "mobilenet_2_5_128.keras"} {
		t.Run(name, func(t *testing.T) {
			f, err := weights.Open(testenv.Shared(t, "keras", "h5", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			bound, err := weights.Bind(f, graph.Params, weights.Options{Tables: spec.Renames})
			if err != nil {
				t.Fatal(err)
			}
			logits, _, err := runEngine(engine.Options{Batch: 2, Exact: true})(graph, bound, g.images())
			if err != nil {
				t.Fatal(err)
			}
			g.compareLogits(t, logits, 2e-5)
			if shape, ok := weights.ShapeOf(f, "classifier.weight", spec.Renames...); !ok || shape[0] != 1000 {
				t.Errorf("the classifier is %v, want 1000 classes first", shape)
			}
		})
	}
}

// TestKerasFactor takes EfficientNet's published weights for what they are.
func TestKerasFactor(t *testing.T) {
	spec, err := Find("keras_efficientnetb0")
	if err != nil {
		t.Fatal(err)
	}
	variant := spec.Variant(kerasPublished)
	statistics := func(variance [3]float64) weights.Source {
		src := weights.Generator{}.Source([]nn.Param{{Name: "normalization/variance", Shape: []int{3}}})
		return changed{src, func(_ string, i int, _ float32) float32 { return float32(variance[i]) }}
	}
	for _, test := range []struct {
		name string
		src  weights.Source
		want bool
	}{
		{"deviations", statistics(imageNetStd), true},
		{"variances", statistics([3]float64{0.229 * 0.229, 0.224 * 0.224, 0.225 * 0.225}), false},
		{"ones", statistics([3]float64{1, 1, 1}), false},
		{"none", weights.Generator{}.Source(nil), false},
	} {
		if got := variant.Of(test.src); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	plain, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	published, err := spec.GraphOf(kerasPublished, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(published.Nodes) != len(plain.Nodes)+1 || published.Nodes[3].Op != nn.Affine || len(published.Params) != len(plain.Params) {
		t.Errorf("%d nodes and %d parameters, want one node more than %d, and %d parameters",
			len(published.Nodes), len(published.Params), len(plain.Nodes), len(plain.Params))
	}
}

// TestKerasFirst takes the names of Keras's published files one to one onto the parameters.
func TestKerasFirst(t *testing.T) {
	resNet := strings.NewReplacer("predictions/", "probs/")
	mobileNetV3 := func(name string) string {
		layer, part, _ := strings.Cut(name, "/")
		layer = strings.NewReplacer("conv_bn", "Conv/BatchNorm", "_squeeze_excite_conv", "/squeeze_excite/Conv",
			"logits", "Logits", "_expand", "/expand", "_depthwise", "/depthwise", "_project", "/project",
			"_bn", "/BatchNorm").Replace(layer)
		if rest, ok := strings.CutPrefix(layer, "conv"); ok {
			layer = "Conv" + rest
		}
		return layer + "/" + part
	}
	for file, old := range map[string]func(string) string{
		"keras_ResNet50":   resNet.Replace,
		"keras_ResNet50V2": resNet.Replace,
		"keras_DenseNet121": strings.NewReplacer("conv1_conv/", "conv1/conv/",
			"conv1_bn/", "conv1/bn/", "predictions/", "fc1000/").Replace,
		"keras_MobileNetV2":                       strings.NewReplacer("predictions/", "Logits/").Replace,
		"keras_MobileNetV3Large":                  mobileNetV3,
		"keras_MobileNetV3Small":                  mobileNetV3,
		"keras_MobileNetV3Large_minimalisticTrue": mobileNetV3,
	} {
		g := built(t)[slices.IndexFunc(built(t), func(g golden) bool { return g.file == file })]
		spec, graph := g.graph(t)
		names := paramNames(g.StateDict)
		for i, name := range names {
			names[i] = old(name)
		}
		i := slices.IndexFunc(spec.Renames, func(t weights.Table) bool { return t.Name == "keras, as first published" })
		if err := spec.Renames[i].Check(names, paramNames(graph.Params)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		params := slices.Clone(g.StateDict)
		for k := range params {
			params[k].Name = names[k]
		}
		bound, err := weights.Bind(g.generator().Source(params), graph.Params, weights.Options{Tables: spec.Renames})
		if err != nil || bound.Table() != "keras, as first published" {
			t.Errorf("%s: %v", file, err)
		}
	}
}
