package experiment

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"zoobench/datasets/augment"
	"zoobench/internal/recipe"
)

func TestParseRecipe(t *testing.T) {
	base := recipe.Standard(128, false)
	for _, test := range []struct {
		name, text string
		want       func(*recipe.Recipe)
	}{
		{"nothing but one key", "train: {epochs: 3}", func(r *recipe.Recipe) { r.Epochs = 3 }},
		{"everything of SGD", `
train:
  epochs: 20
  batch: 64
  seeds: [1, 2, 3]
  head_epochs: 2
  head_learning_rate: 0.3
  lower_rate: 0.1
  optimizer: sgd
  momentum: 0.8
  nesterov: false
  weight_decay: 1.0e-4
  schedule: step
  learning_rate: 0.2
  warmup: 0.1
  drops: [0.5, 0.75]
  drop_factor: 0.2
  label_smoothing: 0.2
  mixup: 0.2
  cutmix: 1
  average: 0.99
  clip: 5
  augment: {pad: 4, flip: 0.5, brightness: 0.1, contrast: 0.2, saturation: 0.3, hue: 0.4, erase: 0.25}
`, func(r *recipe.Recipe) {
			*r = recipe.Recipe{
				Epochs: 20, Batch: 64, Seeds: []uint64{1, 2, 3}, HeadEpochs: 2, HeadRate: 0.3, LowerRate: 0.1,
				Optimizer: recipe.Optimizer{Kind: recipe.SGD, Momentum: 0.8, Decay: 1e-4},
				Schedule:  recipe.Schedule{Kind: recipe.Step, Rate: 0.2, Warmup: 0.1, Drops: []float64{0.5, 0.75}, Factor: 0.2},
				Labels:    recipe.Labels{Smoothing: 0.2, Mixup: 0.2, CutMix: 1}, Average: 0.99, Clip: 5,
				Augment: augment.Policy{Pad: 4, Flip: 0.5, Erase: 0.25,
					Jitter: augment.Jitter{Brightness: 0.1, Contrast: 0.2, Saturation: 0.3, Hue: 0.4}},
			}
		}},
		{"another optimizer starts from its usual values", "train: {learning_rate: 0.001, beta2: 0.99, optimizer: adamw}",
			func(r *recipe.Recipe) {
				r.Optimizer = recipe.Usual(recipe.AdamW)
				r.Optimizer.Beta2, r.Schedule.Rate = 0.99, 1e-3
			}},
		{"parts that are cut", "train: {augment: {scale: [0.2, 1], ratio: [0.5, 2]}}", func(r *recipe.Recipe) {
			r.Augment.Scale, r.Augment.Ratio = [2]float64{0.2, 1}, [2]float64{0.5, 2}
		}},
	} {
		want := base
		test.want(&want)
		got, err := ParseRecipe("r.yaml", strings.NewReader(test.text), base)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, error %v, want %+v", test.name, got, err, want)
		}
	}
}

func TestParseRecipeErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", `r.yaml:1:1: the file is empty, want "train"`},
		{"trains: {}", "r.yaml:1:1: file: unknown key \"trains\", nearest is \"train\"\nexperiment: r.yaml:1:1: file: no \"train\""},
		{"train: [1]", "r.yaml:1:8: train: have a list, want keys and values"},
		{"train: {epoch: 3}", `r.yaml:1:9: train: unknown key "epoch", nearest is "epochs"`},
		{"train: {epochs: 0}", `r.yaml:1:17: epochs: have "0", want 1 to 100000`},
		{"train: {epochs: 1.5}", `r.yaml:1:17: epochs: have the number "1.5", want a whole number`},
		{"train: {seeds: []}", "r.yaml:1:16: seeds: the list is empty"},
		{"train: {seeds: [1, 1]}", "r.yaml:1:20: seeds: 1 is given twice"},
		{"train: {seeds: [-1]}", `r.yaml:1:17: seeds: have "-1", want a whole number from 0 that fits 64 bits`},
		{"train: {optimizer: lion}", `r.yaml:1:20: optimizer: unknown word "lion", want one of sgd, adamw`},
		{"train: {momentum: 1}", "r.yaml:1:8: momentum 1, want at least 0 and less than 1"},
		{"train: {momentum: .nan}", `r.yaml:1:19: momentum: have ".nan", want 0 to 1`},
		{"train: {optimizer: adamw, momentum: 0.9}", "r.yaml:1:8: momentum 0.9, which only sgd has"},
		{"train: {learning_rate: 0}", "r.yaml:1:8: learning rate 0, want more than 0"},
		{"train: {learning_rate: fast}", `r.yaml:1:24: learning_rate: have the text "fast", want a number`},
		{"train: {drops: [0.5]}", "r.yaml:1:8: drops of the learning rate [0.5], which only a step schedule has"},
		{"train: {schedule: step}", "r.yaml:1:8: a step schedule without drops, want shares of all steps"},
		{"train: {augment: {flips: 4}}", `r.yaml:1:19: augment: unknown key "flips", nearest is "flip"`},
		{"train: {augment: {scale: [0.5]}}", "r.yaml:1:26: scale: have 1 numbers, want 2, as [0.5, 1]"},
		{"train: {augment: {pad: 4, scale: [0.5, 1]}}", "r.yaml:1:8: augment: pad 4 and scale [0.5 1]: both cut, want one"},
		{"train: {augment: {hue: 0.6}}", "r.yaml:1:8: augment: hue 0.6, want 0 to 0.5"},
		{"train: {epochs: 1}\n---\ntrain: {}", "r.yaml:2:1: a second document, want one"},
	} {
		_, err := ParseRecipe("r.yaml", strings.NewReader(test.text), recipe.Standard(128, false))
		if got := ""; err == nil || strings.TrimPrefix(err.Error(), "experiment: ") != test.want {
			if err != nil {
				got = err.Error()
			}
			t.Errorf("%q: error %q, want %q", test.text, got, test.want)
		}
	}
}

// TestTrainingDocument reads the example in docs/training.md, and finds every key of a recipe in its tables.
func TestTrainingDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/training.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, tables, _ := strings.Cut(example, "```\n")
	if _, err := ParseRecipe("docs/training.md", strings.NewReader(example), recipe.Standard(128, false)); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"train: {zzzzzzzz: 1}", "train: {augment: {zzzzzzzz: 1}}"} {
		_, err := ParseRecipe("r.yaml", strings.NewReader(wrong), recipe.Standard(128, false))
		_, keys, found := strings.Cut(err.Error(), "want one of ")
		if !found {
			t.Fatalf("error %v lists no keys", err)
		}
		for key := range strings.SplitSeq(keys, ", ") {
			if !strings.Contains(tables, "`"+key+"`") {
				t.Errorf("docs/training.md has no key %s", key)
			}
		}
	}
}
