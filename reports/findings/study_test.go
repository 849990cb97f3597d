package findings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/bench/lessons"
)

// taught are lessons from three seeds, each "network.recipe top-1", and after it train=top-1, loss=epochs and gradient=first
// epoch's where lessons have them. Of 2 000 images the same ones are the easiest for every network; seeds differ by 0.2 points.
func taught(t testing.TB, texts ...string) (all []lessons.Lesson) {
	t.Helper()
	for _, text := range texts {
		words := strings.Fields(text)
		number := func(text string) float64 {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return v
		}
		network, recipe := named("pocket_" + words[0])
		data := "shapes"
		if recipe == "fine" {
			data = "shapes-64"
		}
		for seed := range 3 {
			shift := 0.2 * float64(seed-1)
			l := lessons.Lesson{Network: network, Recipe: recipe, Seed: uint64(seed), Data: data, Images: 10_000, Epochs: 8, Classes: 100,
				Test: answers("d", number(words[1])+shift)}
			for _, word := range words[2:] {
				name, value, _ := strings.Cut(word, "=")
				switch name {
				case "train":
					l.Seen = number(value) + shift/2
				case "loss":
					for v := range strings.SplitSeq(value, ",") {
						l.Curve = append(l.Curve, lessons.Point{Loss: number(v) + 0.01*shift, Gradient: 1})
					}
				case "gradient":
					l.Curve[0].Gradient = number(value) * (1 + 0.01*shift)
				default:
					t.Fatalf("%s: %s", text, word)
				}
			}
			all = append(all, l)
		}
	}
	return all
}

func answers(images string, top1 float64) lessons.Answers {
	const n = 2000
	ranks := make([]byte, n)
	for i := range ranks {
		ranks[i] = '2'
		if float64(i*7919%n) < top1*n/100 {
			ranks[i] = '1'
		}
	}
	return lessons.Answers{Images: images, Ranks: string(ranks)}
}

// A studyCase is lessons that confirm a claim, those of one network that refute it in the place of its own, and those that leave
// it open.
type studyCase struct {
	id              string
	confirm         []string
	refute, unclear string
	networks        []Network
}

func studyCases() []studyCase {
	costs := func(macs map[string]int64) (all []Network) {
		for name, n := range macs {
			all = append(all, network("pocket_"+name, "pocket", n, false))
		}
		return all
	}
	return []studyCase{
		{
			id:      "cnns-against-perceptrons",
			confirm: []string{"alexnet.base 40", "vgg11.base 70", "mlp2.base 5", "mlp4.base 4"}, refute: "mlp4.base 60", unclear: "mlp2.base 40",
			networks: costs(map[string]int64{"alexnet": 5e8, "vgg11": 6e8, "mlp2": 8e8, "mlp4": 9e8}),
		},
		{
			id: "relu-converges",
			confirm: []string{"alexnet.base 40 loss=4.5,3.4 gradient=2", "alexnet_sigmoid.base 1 loss=4.6,4.6 gradient=0.1",
				"alexnet_pool2.base 40 loss=4.5,3.4 gradient=2", "alexnet_pool2_sigmoid.base 1 loss=4.6,4.6 gradient=0.1"},
			refute: "alexnet_sigmoid.base 1 loss=3.3,3 gradient=0.1", unclear: "alexnet_sigmoid.base 1 loss=4.5,3.4 gradient=0.1",
		},
		{
			id: "dropout", confirm: []string{"alexnet.base 40 train=45", "alexnet.no-dropout 38 train=80"},
			refute: "alexnet.base 40 train=90", unclear: "alexnet.base 37 train=45",
		},
		{
			id: "overlapping-pools", confirm: []string{"alexnet.base 40", "alexnet_pool2.base 37"},
			refute: "alexnet.base 35", unclear: "alexnet.base 37",
		},
		{
			id: "traditional-parts", confirm: []string{"alexnet.base 40", "alexnet_silu.base 45", "alexnet.no-dropout 38", "vgg11_plain.base 50",
				"vgg11.base 70"},
			refute: "alexnet_silu.base 30", unclear: "alexnet_silu.base 40",
		},
		{
			id:      "plain-nets-degrade",
			confirm: []string{"plain20.base 80 train=90", "plain56.base 60 train=70", "resnet20.base 82 train=92", "resnet56.base 88 train=97"},
			refute:  "resnet56.base 70 train=80", unclear: "plain56.base 80 train=90",
		},
		{
			id: "depth-pays-with-residuals", confirm: []string{"resnet8.base 60", "resnet20.base 80", "resnet56.base 86"},
			refute: "resnet56.base 75", unclear: "resnet56.base 80",
		},
		{
			id: "pre-activation", confirm: []string{"preresnet56.base 89", "resnet56.base 86", "preresnet20.base 80.1", "resnet20.base 80"},
			refute: "preresnet56.base 84", unclear: "preresnet20.base 83",
		},
		{
			id:      "residuals-speed-training",
			confirm: []string{"inception_resnet.base 80 loss=3.3,1", "inception.base 79 loss=4.2,3"},
			refute:  "inception.base 79 loss=3,1", unclear: "inception.base 78 loss=4.2,3",
		},
		{
			id:      "se-at-every-depth",
			confirm: []string{"seresnet20.base 83", "resnet20.base 80", "seresnet56.base 88", "resnet56.base 86"},
			refute:  "seresnet56.base 84", unclear: "seresnet56.base 86",
		},
		{
			id:      "spatial-attention",
			confirm: []string{"cbamresnet20.base 85", "seresnet20.base 83", "cbamresnet56.base 89", "seresnet56.base 87"},
			refute:  "cbamresnet20.base 80", unclear: "cbamresnet20.base 83",
		},
		{
			id: "depthwise-at-equal-macs", confirm: []string{"mobilenetv1.base 75", "mobilenetv1_dense.base 70"},
			refute: "mobilenetv1.base 65", unclear: "mobilenetv1.base 70",
			networks: costs(map[string]int64{"mobilenetv1": 100e6, "mobilenetv1_dense": 103e6}),
		},
		{
			id: "inverted-residuals", confirm: []string{"mobilenetv2.base 75", "mobilenetv2_classic.base 70"},
			refute: "mobilenetv2.base 65", unclear: "mobilenetv2.base 70",
			networks: costs(map[string]int64{"mobilenetv2": 100e6, "mobilenetv2_classic": 100e6}),
		},
		{
			id: "mobilenet-v2-under-one-recipe", confirm: []string{"mobilenetv2.base 75", "mobilenetv1.base 70"},
			refute: "mobilenetv2.base 65", unclear: "mobilenetv2.base 70",
			networks: costs(map[string]int64{"mobilenetv2": 16e6, "mobilenetv1": 45e6}),
		},
		{
			id: "compound-best", confirm: []string{"efficientnet_compound.fine 75", "efficientnet_deep.fine 70", "efficientnet_wide.fine 71",
				"efficientnet_large.fine 72"},
			refute: "efficientnet_large.fine 77", unclear: "efficientnet_large.fine 75",
			networks: costs(map[string]int64{"efficientnet_compound": 100e6, "efficientnet_deep": 101e6, "efficientnet_wide": 102e6,
				"efficientnet_large": 103e6}),
		},
		{
			id: "augmentation", confirm: []string{"resnet20.augmented 85 train=86", "resnet20.base 80 train=95", "vgg11.augmented 78 train=80",
				"vgg11.base 75 train=99"},
			refute: "vgg11.augmented 70 train=71", unclear: "vgg11.augmented 75 train=76",
		},
		{
			id: "multi-scale-training", confirm: []string{"vgg11.scales 78", "vgg11.crops 75", "vgg16.scales 80", "vgg16.crops 77"},
			refute: "vgg16.scales 70", unclear: "vgg16.scales 77",
		},
		{
			id: "vit-needs-data", confirm: []string{"resnet20.few 70", "vit.few 10", "vit.many 40", "resnet20.many 90"},
			refute: "vit.few 75", unclear: "vit.many 30",
		},
		{
			id: "convolution-with-attention", confirm: []string{"coatnet.adamw 75", "vit.adamw 30", "efficientnet_wide.adamw 70"},
			refute: "efficientnet_wide.adamw 80", unclear: "efficientnet_wide.adamw 75",
			networks: costs(map[string]int64{"coatnet": 103e6, "vit": 200e6, "efficientnet_wide": 100e6}),
		},
		{
			id: "transfer-to-other-classes", confirm: []string{"resnet20.tuned-10 60", "resnet20.fresh-10 20", "resnet20.tuned-50 80",
				"resnet20.fresh-50 70"},
			refute: "resnet20.tuned-50 65", unclear: "resnet20.tuned-50 70",
		},
		{
			id: "recipes-spread-as-networks", confirm: []string{"resnet20.augmented 86", "resnet20.adamw 70", "resnet20.mixup 75",
				"resnet20.constant 79", "resnet20.base 80", "vgg16.base 78", "inception_resnet.base 79", "preresnet20.base 81", "seresnet20.base 82",
				"mobilenetv2.base 74"},
			refute: "mobilenetv2.base 20", unclear: "mobilenetv2.base 66",
		},
	}
}

// replaced are lessons with those of one network in the place of its own.
func replaced(texts []string, by string) []string {
	all := slices.Clone(texts)
	name, _, _ := strings.Cut(by, " ")
	for i, text := range all {
		if strings.HasPrefix(text, name+" ") {
			all[i] = by
			return all
		}
	}
	panic(by + ": no such lessons")
}

// TestStudy holds every claim of the study to lessons that confirm it, that refute it, that leave it open, and to lessons of
// which some are missing.
func TestStudy(t *testing.T) {
	cases := map[string]bool{}
	for _, c := range studyCases() {
		cases[c.id] = true
		last := len(c.confirm) - 1
		whole := taught(t, c.confirm...)
		for _, test := range []struct {
			name    string
			lessons []lessons.Lesson
			want    Verdict
		}{
			{"confirms", whole, Confirmed},
			{"refutes", taught(t, replaced(c.confirm, c.refute)...), Refuted},
			{"open", taught(t, replaced(c.confirm, c.unclear)...), Unresolved},
			{"one is missing", taught(t, c.confirm[:last]...), Untestable},
			{"two seeds", whole[:len(whole)-1], Untestable},
			{"of other images", func() []lessons.Lesson {
				all := slices.Clone(whole)
				l := &all[len(all)-1]
				l.Test.Images, l.Curve, l.Images = "other", nil, l.Images+1
				return all
			}(), Untestable},
		} {
			t.Run(c.id+"/"+test.name, func(t *testing.T) {
				var f Finding
				for _, found := range Test(nil, Given{Networks: c.networks, Lessons: test.lessons}) {
					if found.ID == c.id {
						f = found
					}
				}
				if f.Verdict != test.want {
					t.Fatalf("have %q, want %q: %s %v %v", f.Verdict, test.want, f.Summary, f.Rows, f.Missing)
				}
				if f.Verdict == Untestable {
					if len(f.Missing) == 0 {
						t.Error("nothing is said to be missing")
					}
					return
				}
				if !strings.HasPrefix(f.Summary, "In this study (") || !strings.Contains(f.Summary, "generated images") ||
					!strings.HasSuffix(f.Summary, ".") || len(f.Plot.Estimates) == 0 {
					t.Errorf("%q is no sentence with its scope, or %d estimates are too few", f.Summary, len(f.Plot.Estimates))
				}
				for _, row := range f.Rows {
					if len(row) != len(f.Heads) {
						t.Errorf("row %q, heads %q", row, f.Heads)
					}
				}
			})
		}
	}
	for _, c := range Claims() {
		if c.Tier == Studied && !cases[c.ID] {
			t.Errorf("%s: no case", c.ID)
		}
	}
}

// TestStudyOfOneRecipe compares nothing that one name of a recipe does not make equal.
func TestStudyOfOneRecipe(t *testing.T) {
	for name, change := range map[string]func(*lessons.Lesson){
		"another set":     func(l *lessons.Lesson) { l.Data = "cifar100" },
		"more images":     func(l *lessons.Lesson) { l.Images *= 2 },
		"more epochs":     func(l *lessons.Lesson) { l.Epochs++ },
		"more is asked":   func(l *lessons.Lesson) { l.Test.Ranks += "1" },
		"other questions": func(l *lessons.Lesson) { l.Test.Images = "x" },
		"another network": func(l *lessons.Lesson) { l.Network = "x" },
		"none":            func(*lessons.Lesson) {},
	} {
		all := taught(t, "alexnet.base 40", "alexnet_pool2.base 37")
		change(&all[0])
		for _, f := range Test(nil, Given{Lessons: all}) {
			if f.ID == "overlapping-pools" && (f.Verdict == Untestable) != (name != "none") {
				t.Errorf("%s: have %q: %v", name, f.Verdict, f.Missing)
			}
		}
	}
}

// TestScope names the images that a verdict is about.
func TestScope(t *testing.T) {
	for data, want := range map[string]string{
		"shapes": "In this study (32×32 generated images): ", "cifar10": "In this study (32×32 photographs, CIFAR-10): ",
		"flowers": "In this study (images of flowers): ",
	} {
		all := taught(t, "alexnet.base 40", "alexnet_pool2.base 37")
		for i := range all {
			all[i].Data = data
		}
		for _, f := range Test(nil, Given{Lessons: all}) {
			if f.ID == "overlapping-pools" && !strings.HasPrefix(f.Summary, want) {
				t.Errorf("%s: have %q, want %q first", data, f.Summary, want)
			}
		}
	}
}

// TestEpochsTo reads the epoch off the curve between two points.
func TestEpochsTo(t *testing.T) {
	g := guessing(100)
	for _, test := range []struct {
		losses []float64
		want   float64
	}{
		{[]float64{0.9 * g, 0.6 * g}, 1.5}, {[]float64{0.5 * g}, 0.5}, {[]float64{1.5 * g, 0.5 * g}, 1.75}, {[]float64{g, g, g}, 3},
		{[]float64{0.75 * g}, 1},
	} {
		l := lessons.Lesson{Classes: 100}
		for _, v := range test.losses {
			l.Curve = append(l.Curve, lessons.Point{Loss: v})
		}
		have, _ := epochsTo(0.75).of(&l)
		if len(have) != 1 || fmt.Sprintf("%.4f", have[0]) != fmt.Sprintf("%.4f", test.want) {
			t.Errorf("%v: have %v, want %v", test.losses, have, test.want)
		}
	}
}
