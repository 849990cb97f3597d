package zoo

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// The names of transformers' parameters are made here from those of timm in another way than the tables do it: by the
// steps of the library's own conversion scripts, from a parameter's name to transformers'.

type replacement [2]string

func replaced(name string, steps ...replacement) string {
	for _, s := range steps {
		name = strings.ReplaceAll(name, s[0], s[1])
	}
	return name
}

var encoderSteps = []replacement{
	{"patch_embed.proj", "embeddings.patch_embeddings.projection"}, {"attn.proj", "attention.output.dense"},
	{"norm1", "layernorm_before"}, {"norm2", "layernorm_after"}, {"mlp.fc1", "intermediate.dense"}, {"mlp.fc2", "output.dense"},
}

// theirViT is for "vit." and "deit.".
func theirViT(prefix, head string) func(string) string {
	return func(name string) string {
		switch {
		case strings.HasPrefix(name, "head_dist."):
			return "distillation_classifier" + strings.TrimPrefix(name, "head_dist")
		case strings.HasPrefix(name, "head."):
			return head + strings.TrimPrefix(name, "head")
		case strings.HasPrefix(name, "norm."):
			return prefix + "layer" + name
		}
		name = replaced(name, encoderSteps...)
		return prefix + replaced(name, replacement{"blocks.", "encoder.layer."}, replacement{"attn.", "attention.attention."},
			replacement{"cls_token", "embeddings.cls_token"}, replacement{"dist_token", "embeddings.distillation_token"},
			replacement{"pos_embed", "embeddings.position_embeddings"})
	}
}

func theirSwin(name string) string {
	if strings.HasPrefix(name, "head.fc.") {
		return replaced(name, replacement{"head.fc", "classifier"})
	}
	for i := range 3 {
		name = strings.Replace(name, fmt.Sprintf("layers.%d.downsample", i+1), fmt.Sprintf("layers.%d_downsample", i), 1)
	}
	name = replaced(name, replacement{"_downsample", ".downsample"}, replacement{"layers.", "encoder.layers."},
		replacement{"patch_embed.norm", "embeddings.norm"})
	name = replaced(name, encoderSteps...)
	if strings.HasPrefix(name, "norm.") {
		name = "layer" + name
	}
	return "swin." + replaced(name, replacement{"attn.", "attention.self."})
}

func theirConvNeXt(name string) string {
	if strings.HasPrefix(name, "head.fc.") {
		return replaced(name, replacement{"head.fc", "classifier"})
	}
	return "convnext." + replaced(name, replacement{"head.norm", "layernorm"}, replacement{"stem.0", "embeddings.patch_embeddings"},
		replacement{"stem.1", "embeddings.layernorm"}, replacement{"stages.", "encoder.stages."}, replacement{"blocks.", "layers."},
		replacement{"downsample.", "downsampling_layer."}, replacement{"gamma", "layer_scale_parameter"}, replacement{"conv_dw", "dwconv"},
		replacement{".norm.", ".layernorm."}, replacement{"mlp.fc", "pwconv"})
}

func theirResNet(name string) string {
	if strings.HasPrefix(name, "fc.") {
		return replaced(name, replacement{"fc.", "classifier.1."})
	}
	if !strings.HasPrefix(name, "layer") {
		return "resnet.embedder.embedder." + replaced(name, replacement{"conv1", "convolution"}, replacement{"bn1", "normalization"})
	}
	var stage, block int
	var rest string
	fmt.Sscanf(strings.Replace(name, ".", " ", 2), "layer%d %d %s", &stage, &block, &rest)
	rest = replaced(rest, replacement{"downsample.0", "shortcut.convolution"}, replacement{"downsample.1", "shortcut.normalization"},
		replacement{"conv1", "layer.0.convolution"}, replacement{"conv2", "layer.1.convolution"}, replacement{"conv3", "layer.2.convolution"},
		replacement{"bn1", "layer.0.normalization"}, replacement{"bn2", "layer.1.normalization"}, replacement{"bn3", "layer.2.normalization"})
	return fmt.Sprintf("resnet.encoder.stages.%d.layers.%d.%s", stage-1, block, rest)
}

// theirMobileNetV2 counts the blocks but the first: two of the second stage, three of the third and so on.
func theirMobileNetV2(name string) string {
	before := []int{0, 0, 2, 5, 9, 12, 15}
	var stage, block int
	var rest string
	switch n, _ := fmt.Sscanf(strings.Replace(name, ".", " ", 3), "blocks %d %d %s", &stage, &block, &rest); {
	case strings.HasPrefix(name, "classifier."):
		return name
	case n == 3 && stage == 0:
		rest = "conv_stem." + replaced(rest, replacement{"conv_dw", "conv_3x3.convolution"}, replacement{"bn1", "conv_3x3.normalization"},
			replacement{"conv_pw", "reduce_1x1.convolution"}, replacement{"bn2", "reduce_1x1.normalization"})
	case n == 3:
		rest = fmt.Sprintf("layer.%d.", before[stage]+block) + replaced(rest,
			replacement{"conv_pwl", "reduce_1x1.convolution"}, replacement{"conv_pw", "expand_1x1.convolution"},
			replacement{"conv_dw", "conv_3x3.convolution"}, replacement{"bn1", "expand_1x1.normalization"},
			replacement{"bn2", "conv_3x3.normalization"}, replacement{"bn3", "reduce_1x1.normalization"})
	default:
		rest = replaced(name, replacement{"conv_stem", "conv_stem.first_conv.convolution"},
			replacement{"bn1", "conv_stem.first_conv.normalization"},
			replacement{"conv_head", "conv_1x1.convolution"}, replacement{"bn2", "conv_1x1.normalization"})
	}
	return "mobilenet_v2." + rest
}

// theirFile writes a network's generated weights under transformers' names, query, key and value apart.
func theirFile(t *testing.T, params []nn.Param, theirs func(string) string, prefix string) string {
	t.Helper()
	src := weights.Generator{Seed: 1}.Source(params)
	var named []weights.Named
	for _, p := range params {
		if p.Kind == nn.Aux {
			continue
		}
		x, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		name := prefix + theirs(p.Name)
		if !strings.Contains(name, ".qkv.") {
			named = append(named, weights.Named{Name: name, Shape: p.Shape, Data: x})
			continue
		}
		shape := slices.Clone(p.Shape)
		shape[0] /= 3
		for i, part := range []string{"query", "key", "value"} {
			named = append(named, weights.Named{Name: strings.Replace(name, "qkv", part, 1), Shape: shape, Data: x[i*len(x)/3 : (i+1)*len(x)/3]})
		}
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := weights.WriteFile(path, named, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTransformersNames loads files with transformers' names: each parameter has the very numbers that it has under its
// own name, so that the logits are the same.
func TestTransformersNames(t *testing.T) {
	vit, deit := theirViT("vit.", "classifier"), theirViT("deit.", "cls_classifier")
	for _, network := range []struct {
		name   string
		theirs func(string) string
		prefix string
		some   []string // names as the published files have them
	}{
		{"vit_tiny_patch16_224", vit, "", []string{"vit.embeddings.cls_token", "vit.embeddings.patch_embeddings.projection.bias",
			"vit.encoder.layer.11.attention.attention.query.weight", "vit.encoder.layer.0.attention.output.dense.bias",
			"vit.encoder.layer.3.intermediate.dense.weight", "vit.encoder.layer.3.output.dense.weight", "vit.layernorm.weight", "classifier.bias"}},
		{"deit_tiny_patch16_224", vit, "model.", nil},
		{"deit_tiny_distilled_patch16_224", deit, "", []string{"deit.embeddings.distillation_token", "cls_classifier.weight",
			"distillation_classifier.bias"}},
		{"swin_tiny_patch4_window7_224", theirSwin, "", []string{"swin.embeddings.norm.weight",
			"swin.encoder.layers.0.downsample.reduction.weight",
			"swin.encoder.layers.2.blocks.5.attention.self.value.bias", "swin.encoder.layers.0.blocks.1.attention.self.relative_position_bias_table",
			"swin.layernorm.bias", "classifier.weight"}},
		{"convnext_tiny", theirConvNeXt, "", []string{"convnext.embeddings.layernorm.weight",
			"convnext.encoder.stages.0.layers.0.layer_scale_parameter",
			"convnext.encoder.stages.1.downsampling_layer.1.weight", "convnext.encoder.stages.3.layers.2.pwconv2.bias",
			"convnext.layernorm.weight"}},
		{"resnet18", theirResNet, "", []string{"resnet.embedder.embedder.normalization.running_mean",
			"resnet.encoder.stages.1.layers.0.shortcut.convolution.weight", "resnet.encoder.stages.3.layers.1.layer.1.convolution.weight"}},
		{"resnet50", theirResNet, "net.", []string{"net.resnet.encoder.stages.0.layers.2.layer.2.normalization.bias", "net.classifier.1.weight"}},
		{"mobilenetv2_035", theirMobileNetV2, "", []string{"mobilenet_v2.conv_stem.first_conv.convolution.weight",
			"mobilenet_v2.conv_stem.reduce_1x1.normalization.running_var", "mobilenet_v2.layer.15.reduce_1x1.convolution.weight",
			"mobilenet_v2.layer.0.expand_1x1.normalization.weight", "mobilenet_v2.conv_1x1.convolution.weight", "classifier.weight"}},
	} {
		t.Run(network.name, func(t *testing.T) {
			spec, err := Find(network.name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := spec.GraphOf(transformers, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			f, err := weights.Open(theirFile(t, g.Params, network.theirs, network.prefix))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, name := range network.some {
				if _, ok := f.Lookup(name); !ok {
					t.Errorf("the test's file has no %s", name)
				}
			}
			if err := f.Fit(g.Params, spec.Renames...); err != nil {
				t.Fatal(err)
			}
			b, err := weights.Bind(f, g.Params, weights.Options{Tables: spec.Renames})
			if err != nil {
				t.Fatal(err)
			}
			if b.Table() != transformers || len(b.Ignored()) > 0 {
				t.Errorf("table %q, ignored %q", b.Table(), b.Ignored())
			}
			want := weights.Generator{Seed: 1}.Source(g.Params)
			for _, p := range b.Tensors() {
				x, err := b.Float32(p.Name)
				if err != nil {
					t.Fatal(err)
				}
				if w, _ := want.Float32(p.Name); !slices.Equal(x, w) {
					t.Errorf("%s has other numbers", p.Name)
				}
				part := make([]float32, len(x)-len(x)/2)
				if err := b.Read(p.Name, len(x)/2, part); err != nil || !slices.Equal(part, x[len(x)/2:]) {
					t.Errorf("%s: its second half has other numbers, %v", p.Name, err)
				}
			}
		})
	}
}

// TestTransformersMobileNetV2 runs MobileNetV2 as transformers computes it. The logits are PyTorch's, in float64, of the
// generator's weights, with the library's padding and epsilon.
func TestTransformersMobileNetV2(t *testing.T) {
	spec, err := Find("mobilenetv2_100")
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int][]float64{ // the first five of the first image, and of the second
		224: {-3.9320061, -1.6931030, 2.9508828, -1.4994842, -0.1749256, -5.0130426, -1.4173171, 2.8883572, -1.7368901, -0.2471494},
		200: {-4.6666635, -1.6809192, 2.8423764, -2.2015509, -0.0883449, -4.5696874, -1.5013832, 2.7961683, -2.0859129, 0.1909371},
	} {
		g, err := spec.GraphOf(transformers, size, 10)
		if err != nil {
			t.Fatal(err)
		}
		got := logitsOf(t, g, golden{Seed: 1, Size: size}.images())
		for i, want := range want {
			if have := got[i/5*10+i%5]; math.Abs(have-want) > 2e-4 {
				t.Errorf("%d pixels: image %d, class %d: %v, want %v", size, i/5, i%5, have, want)
			}
		}
	}
}

// TestJoinedErrors breaks a file whose query, key and value are apart.
func TestJoinedErrors(t *testing.T) {
	params := []nn.Param{{Name: "qkv.weight", Shape: []int{6, 2}}}
	table := weights.Table{Name: "apart", Rows: joined("", "qkv")}
	part := func(shape ...int) weights.Named {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return weights.Named{Shape: shape, Data: make([]float32, n)}
	}
	good := map[string]weights.Named{"query.weight": part(2, 2), "key.weight": part(2, 2), "value.weight": part(2, 2)}
	for _, test := range []struct {
		name, want string
		change     func(map[string]weights.Named)
	}{
		{"whole", "", func(map[string]weights.Named) {}},
		{"one missing", "qkv.weight: is incomplete: only query.weight, value.weight of its parts are there",
			func(m map[string]weights.Named) { delete(m, "key.weight") }},
		{"one too large", "qkv.weight: shape [3 2], want [2 2]", func(m map[string]weights.Named) { m["value.weight"] = part(3, 2) }},
		{"one of more dimensions", "qkv.weight: shape [2 2 1], want [2 2]", func(m map[string]weights.Named) { m["key.weight"] = part(2, 2, 1) }},
		{"NaN in the last", "qkv.weight: 1 elements are NaN or infinite, the first NaN at index 9",
			func(m map[string]weights.Named) { m["value.weight"].Data[1] = float32(math.NaN()) }},
		{"both forms", "key.weight and qkv.weight are both qkv.weight", func(m map[string]weights.Named) { m["qkv.weight"] = part(6, 2) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := map[string]weights.Named{}
			for name, p := range good {
				all[name] = part(p.Shape...)
			}
			test.change(all)
			var named []weights.Named
			for _, name := range slices.Sorted(maps.Keys(all)) {
				n := all[name]
				n.Name = name
				named = append(named, n)
			}
			path := filepath.Join(t.TempDir(), "f.safetensors")
			if err := weights.WriteFile(path, named, nil); err != nil {
				t.Fatal(err)
			}
			f, err := weights.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			_, err = weights.Bind(f, params, weights.Options{Tables: []weights.Table{table}})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("have %v, want %q", err, test.want)
			}
		})
	}
}
