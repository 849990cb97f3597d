package engine_test

import (
	"slices"
	"testing"

	"zoobench/zoo/engine"
)

// TestKinds looks at layers whose kinds are plain from the papers. Every step has one of the kinds.
func TestKinds(t *testing.T) {
	for _, test := range []struct {
		network string
		exact   bool
		want    map[string]engine.Kind // by the layer's name
	}{
		{"resnet50", true, map[string]engine.Kind{
			"conv1": engine.KindConv, "layer1.0.conv1": engine.KindConv1x1, "layer1.0.conv2": engine.KindConv, "fc": engine.KindLinear,
		}},
		{"resnet18", false, map[string]engine.Kind{"conv1": engine.KindConv, "layer1.0.conv1": engine.KindWinograd}},
		{"resnext50_32x4d", false, map[string]engine.Kind{"layer1.0.conv1": engine.KindConv1x1, "layer1.0.conv2": engine.KindGrouped}},
		{"mobilenetv1_100", false, map[string]engine.Kind{"blocks.4.0.conv_dw": engine.KindDepthwise}},
		{"vit_tiny_patch16_224", false, map[string]engine.Kind{"blocks.0.norm1": engine.KindNorm, "blocks.0.attn.qkv": engine.KindLinear}},
	} {
		g, _ := build(t, test.network, 0)
		found := map[string]engine.Kind{}
		for _, l := range newEngine(t, g, zeros{g}, engine.Options{Exact: test.exact}).Layers() {
			found[l.Name] = l.Kind
			if !slices.Contains(engine.Kinds(), l.Kind) {
				t.Errorf("%s: %s (%s): kind %q", test.network, l.Name, l.Op, l.Kind)
			}
			if test.exact && l.Kind == engine.KindWinograd {
				t.Errorf("%s: %s saves multiplications in an exact plan", test.network, l.Name)
			}
			if (l.Op == "attention") != (l.Kind == engine.KindAttention) || (l.Op == "max_pool") && l.Kind != engine.KindPool {
				t.Errorf("%s: %s has the kind %q", test.network, l.Op, l.Kind)
			}
		}
		for name, want := range test.want {
			if found[name] != want {
				t.Errorf("%s: %s: kind %q, want %q", test.network, name, found[name], want)
			}
		}
	}
}
