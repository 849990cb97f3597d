package weights

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
)

// listing is a file's tensors, "NAME [SHAPE] DTYPE" each.
func listing(f *File) (list []string) {
	for _, t := range f.Tensors() {
		list = append(list, fmt.Sprintf("%s %v %s", t.Name, t.Shape, t.Dtype))
	}
	return list
}

// modernTensors is what both files in Keras 3's form have: one says the layers' names, the archive has them in its config.json.
// An archive's layers come in the model's order.
func modernTensors(archive bool) []string {
	stem := []string{"stem/kernel [3 3 1 4] F32"}
	heads := []string{"head1/kernel [1 1 1 1] F32", "head1/bias [1] F32", "head2/kernel [1 1 1 1] F32", "head2/bias [1] F32"}
	norms := [][]string{
		{"stem_bn/gamma [4] F32", "stem_bn/beta [4] F32", "stem_bn/moving_mean [4] F32", "stem_bn/moving_variance [4] F32"},
		{"dw_bn/beta [4] F32", "dw_bn/moving_mean [4] F32", "dw_bn/moving_variance [4] F32"},
		{"sep_bn/beta [5] F32", "sep_bn/moving_mean [5] F32", "sep_bn/moving_variance [5] F32"},
	}
	dense := []string{"predictions/kernel [5 3] F32", "predictions/bias [3] F32", "predictions/2 [3] BF16"}
	depthwise := []string{"dw/depthwise_kernel [3 3 4 1] F32", "dw/bias [4] F32"}
	separable := []string{"sep/depthwise_kernel [3 3 4 1] F32", "sep/pointwise_kernel [1 1 4 5] F32", "sep/bias [5] F32"}
	layer := []string{"ln/gamma [5] F32", "ln/beta [5] F32"}
	own := []string{"own/0 [5] F32", "own/1 [5] F32"}
	if archive {
		norms[1][0] = "dw_bn/gamma [4] F32" // its configuration says so
		return slices.Concat(stem, norms[0], depthwise, norms[1], separable, norms[2], layer, own, heads, dense)
	}
	return slices.Concat(norms[0], norms[1], norms[2], stem, heads, dense, depthwise, layer, own, separable)
}

// TestKeras reads each of Keras's forms.
func TestKeras(t *testing.T) {
	legacy := []string{
		"conv1/kernel [3 2 1 4] F32", "conv1/bias [4] F32", "conv1_bn/gamma [4] F32", "conv1_bn/beta [4] F32",
		"conv1_bn/moving_mean [4] F32", "conv1_bn/moving_variance [4] F32", "block/conv/depthwise_kernel [3 3 4 1] F32",
		"again/kernel [2 2] F32", "deep/kernel [2] F32", "deeper/kernel [3] F32",
	}
	var whole []string
	for i := range 12 {
		whole = append(whole, fmt.Sprintf("conv%d/kernel [3 3 1 2] F32", i))
	}
	for _, c := range []struct {
		file, version, layers string
		config                bool
		tensors               []string
	}{
		{"keras_legacy.h5", "2.1.6", "input_1 conv1 conv1_bn block/conv dropout again inner", false, legacy},
		{"keras_first.h5", "2.1.6", "block1_conv1 bn", false, []string{
			"block1_conv1/kernel [3 3 1 2] F32", "block1_conv1/bias [2] F32", "bn/gamma [2] F32", "bn/beta [2] F32",
			"bn/moving_mean [2] F32", "bn/moving_variance [2] F32",
		}},
		{"keras_numbered.h5", "2.1.6", "conv2d batch_normalization conv2d_2 conv2d_1 conv_dw_1", false, []string{
			"conv2d/kernel [1 1 1 2] F32", "batch_normalization/gamma [2] F32", "batch_normalization/beta [2] F32",
			"batch_normalization/moving_mean [2] F32", "batch_normalization/moving_variance [2] F32",
			"conv2d_2/kernel [1 1 2 3] F32", "conv2d_1/kernel [1 1 2 2] F32", "conv_dw_1/depthwise_kernel [1 1 2 1] F32",
		}},
		{"keras_whole.h5", "2.15.0", "conv0 conv1 conv2 conv3 conv4 conv5 conv6 conv7 conv8 conv9 conv10 conv11 unknown unlisted", true,
			append(whole, "unlisted/kernel [2] F32")},
		{"keras_modern.weights.h5", "", "stem_bn dw_bn sep_bn stem head1 head2 predictions dw drop input ln own sep", false,
			modernTensors(false)},
		{"keras_archive.keras", "3.16.0", "input stem stem_bn dw dw_bn sep sep_bn ln own drop head1 head2 predictions", true,
			modernTensors(true)},
	} {
		t.Run(c.file, func(t *testing.T) {
			f, err := Open(filepath.Join("testdata", c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := listing(f); !slices.Equal(got, c.tensors) {
				t.Errorf("tensors:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.tensors, "\n"))
			}
			k := f.Keras()
			var layers, tensors []string
			for _, layer := range k.Layers {
				layers = append(layers, layer.Name)
				tensors = append(tensors, layer.Tensors...)
			}
			if got := strings.Join(layers, " "); got != c.layers || k.Version != c.version || json.Valid(k.Config) != c.config {
				t.Errorf("version %q, configuration %.40q, layers:\n%s\nwant %q, %t:\n%s", k.Version, k.Config, got, c.version, c.config, c.layers)
			}
			for i, tensor := range f.Tensors() {
				if tensors[i] != tensor.Name {
					t.Errorf("tensor %d of the layers is %s, want %s", i, tensors[i], tensor.Name)
				}
				x := mustFloat32(t, f, tensor.Name)
				part := make([]float32, len(x)-1)
				if err := f.Read(tensor.Name, 1, part); err != nil || !slices.Equal(part, x[1:]) {
					t.Errorf("%s: a part is %v, %v, want %v", tensor.Name, part, err, x[1:])
				}
				if !slices.Equal(x, count(len(x))) {
					t.Errorf("%s: %v", tensor.Name, x)
				}
				f.Release(tensor.Name)
			}
			if len(f.copies) != 0 {
				t.Errorf("%d copies are left", len(f.copies))
			}
		})
	}
	if open(t, "w.safetensors", safeOf(t, f32("w", 1))).Keras() != nil {
		t.Error("a file of another kind is Keras's")
	}
}

// TestKerasErrors says what a file lacks.
func TestKerasErrors(t *testing.T) {
	content := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	stored := func(weights []byte, name, text string) []byte {
		return zipped(map[string][]byte{"model.weights.h5": weights, name: []byte(text)}, zip.Store)
	}
	legacy := content("keras_legacy.h5")
	renamed := []byte(strings.Replace(string(legacy), "conv1/bias:0", "conv1/bias:1", 1))
	const pad = "\x00\x00\x00\x00\x00"
	again := []byte(strings.Replace(string(legacy), "again"+pad+"inner", "again"+pad+"again", 1))
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"none", content("keras_none.h5"), "HDF5, but not as Keras writes weights"},
		{"deflated", zipped(map[string][]byte{"model.weights.h5": legacy}, zip.Deflate),
			"model.weights.h5: zip: compressed or encrypted entry, which neither torch.save nor Keras writes"},
		{"configuration deflated", zipped(map[string][]byte{"model.weights.h5": nil, "config.json": []byte("{}")}, zip.Deflate),
			"config.json: zip: compressed or encrypted entry, which neither torch.save nor Keras writes"},
		{"cut", legacy[:20_000], "HDF5: the file is cut short: it has 20000 bytes, want 27648 (at byte 20000)"},
		{"no such tensor", renamed, "conv1: weight_names has conv1/bias:1, which is not there"},
		{"twice", again, "/: layer_names has again twice"},
		{"archive cut", stored(legacy[:20_000], "config.json", "{}"), "HDF5: the file is cut short"},
		{"no configuration", stored(content("keras_modern.weights.h5"), "config.json", "{"), "config.json: unexpected end of JSON input"},
		{"no metadata", stored(legacy, "metadata.json", "[]"), "metadata.json: json: "},
	} {
		_, err := parse("f", strings.NewReader(string(c.content)), int64(len(c.content)))
		if err == nil || !strings.HasPrefix(err.Error(), "weights: f: "+c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
			continue
		}
		named(t, err)
	}
}

// TestLegacyNames gives weights of older files the names of Keras 3's layers.
func TestLegacyNames(t *testing.T) {
	for _, c := range []struct{ stored, layer, weights, want string }{
		{"conv1", "conv1", "conv1/kernel:0 conv1/bias:0", "conv1/kernel conv1/bias"},
		{"conv1", "conv1", "conv1/kernel", "conv1/kernel"},
		{"conv1", "conv1", "conv1_3/kernel:0 conv1_3/bias:0", "conv1/kernel conv1/bias"},
		{"conv", "conv", "conv_1/kernel:0 conv_2/kernel:0", "conv_1/kernel conv_2/kernel"},
		{"conv1", "conv1", "model/conv1/kernel:0", "conv1/kernel"},
		{"conv2d_5", "conv2d_4", "conv2d_5/bias:0", "conv2d_4/bias"},
		{"conv1", "conv1", "kernel:0", "conv1/kernel"},
		{"conv1", "conv1", "conv1_W_1:0 conv1_b_1:0", "conv1/kernel conv1/bias"},
		{"bn", "bn", "bn_gamma:0 bn_beta:0 bn_running_mean:0 bn_running_std:0", "bn/gamma bn/beta bn/moving_mean bn/moving_variance"},
		{"model", "model", "conv1/kernel:0 conv2/kernel:0", "conv1/kernel conv2/kernel"},
		{"block/conv", "block/conv", "block/conv/kernel:0", "block/conv/kernel"},
	} {
		if got := strings.Join(legacyNames(c.stored, c.layer, strings.Fields(c.weights)), " "); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.stored, c.weights, got, c.want)
		}
	}
}

func TestKerasNames(t *testing.T) {
	for class, want := range map[string]string{
		"Conv2D": "conv2d", "DepthwiseConv2D": "depthwise_conv2d", "BatchNormalization": "batch_normalization", "ReLU": "re_lu",
		"GlobalAveragePooling2D": "global_average_pooling2d", "": "",
	} {
		if got := snakeCase(class); got != want {
			t.Errorf("%s is %s, want %s", class, got, want)
		}
	}
	names := []string{"conv2d_10", "9", "conv2d", "a", "conv2d_2", "10", "b1", "conv2d_1"}
	slices.SortFunc(names, natural)
	if got := strings.Join(names, " "); got != "9 10 a b1 conv2d conv2d_1 conv2d_2 conv2d_10" {
		t.Error(got)
	}
	got := nameLayers([]string{"conv2d_1", "conv2d_3", "dense", "block_1", "conv2d_x", "layer_scale_7", "conv2d_3"})
	want := autoNames{"conv2d_1": "conv2d", "conv2d_3": "conv2d_1", "dense": "dense", "layer_scale_7": "layer_scale"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestKerasPublished reads the reference data's files: the same network in three forms.
func TestKerasPublished(t *testing.T) {
	text, err := os.ReadFile(testenv.Shared(t, "keras", "keras_MobileNet_128_alpha0.25.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Weights [][2]json.RawMessage
		Layers  [][]json.RawMessage
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	first := map[string][]float32{}
	for _, name := range []string{"mobilenet_2_5_128_tf.h5", "mobilenet_2_5_128.weights.h5", "mobilenet_2_5_128.keras"} {
		f, err := Open(testenv.Shared(t, "keras", "h5", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i, row := range want.Weights {
			var tensor string
			var shape []int
			if err := errors.Join(json.Unmarshal(row[0], &tensor), json.Unmarshal(row[1], &shape)); err != nil {
				t.Fatal(err)
			}
			have, ok := f.Lookup(tensor)
			if !ok || !slices.Equal(have.Shape, shape) || len(f.Tensors()) != len(want.Weights) {
				t.Fatalf("%s: %s: %t, %v of %d, want %v of %d", name, tensor, ok, have.Shape, len(f.Tensors()), shape, len(want.Weights))
			}
			if listed := f.Tensors()[i].Name; !strings.HasSuffix(name, ".weights.h5") && listed != tensor {
				t.Errorf("%s: tensor %d is %s, want %s", name, i, listed, tensor)
			}
			x := mustFloat32(t, f, tensor)
			if first[tensor] == nil {
				first[tensor] = x
			}
			if !slices.Equal(x, first[tensor]) || x[0] == 0 || math.IsNaN(float64(x[0])) {
				t.Errorf("%s: %s: %v, want %v", name, tensor, x[:1], first[tensor][:1])
			}
		}
	}
	f, err := Open(testenv.Shared(t, "keras", "h5", "whole_model_latest.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if x := mustFloat32(t, f, "conv1/kernel"); len(f.Keras().Layers) != 1501 || !slices.Equal(x, count(216)) {
		t.Errorf("%d layers, conv1/kernel %v", len(f.Keras().Layers), x[:3])
	}
}
