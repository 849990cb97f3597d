package train_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"zoobench/internal/recipe"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/weights"
)

// BenchmarkStep is images a second, forward, backward and step of SGD, of batches of 128 images: over all
// steps, and in the fastest one, which other work on the machine disturbed least.
func BenchmarkStep(b *testing.B) {
	const n = 128
	for _, name := range []string{
		"pocket_resnet8", "pocket_resnet20", "pocket_resnet56", "pocket_seresnet20", "pocket_cbamresnet20", "pocket_mobilenetv2",
		"pocket_efficientnet_compound", "pocket_vit", "pocket_coatnet",
	} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("model=%s/threads=%d", name, workers), func(b *testing.B) {
				spec, err := zoo.Find(name)
				if err != nil {
					b.Skip(err)
				}
				g, err := spec.GraphWith(nn.Config{Classes: 100, Training: true, FromScratch: true})
				if err != nil {
					b.Fatal(err)
				}
				net, err := train.New(g, train.Initial(g, 1), train.Options{Batch: n, Workers: workers})
				if err != nil {
					b.Fatal(err)
				}
				defer net.Close()
				o := recipe.Usual(recipe.SGD)
				lengths, rules := make([]int, len(g.Params)), make([]recipe.Rule, len(g.Params))
				for i, p := range g.Params {
					lengths[i], rules[i] = p.Elems(), recipe.Rule{Rate: 1}
				}
				moments := recipe.NewMoments[float32](o, lengths)
				images, labels := weights.Generator{Seed: 1}.Batch(n, g.Input().H), make([]int, n)
				for i := range labels {
					labels[i] = i % 100
				}
				targets := recipe.Labels{}.Targets(labels, 100)
				step, least := 0, time.Duration(math.MaxInt64)
				for b.Loop() {
					start := time.Now()
					if _, err := net.Train(images, targets, step); err != nil {
						b.Fatal(err)
					}
					recipe.Update(o, moments, 0.01, net.Params, net.Gradients, rules)
					net.Keep()
					least = min(least, time.Since(start))
					step++
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
				b.ReportMetric(n/least.Seconds(), "best-images/s")
			})
		}
	}
}

// BenchmarkCheckpointing is a step with and without checkpointing: its memory as it is planned, and its time.
func BenchmarkCheckpointing(b *testing.B) {
	for _, c := range []struct {
		name     string
		n, image int
	}{{"pocket_resnet56", 128, 32}, {"resnet50", 8, 224}, {"vit_base_patch16_224", 8, 224}} {
		for _, checkpointing := range []bool{false, true} {
			b.Run(fmt.Sprintf("model=%s/batch=%d/checkpointing=%t", c.name, c.n, checkpointing), func(b *testing.B) {
				spec, err := zoo.Find(c.name)
				if err != nil {
					b.Fatal(err)
				}
				g, err := spec.GraphWith(nn.Config{Classes: 100, Training: true, FromScratch: true})
				if err != nil {
					b.Fatal(err)
				}
				o := train.Options{Batch: c.n, Workers: 1, Checkpointing: checkpointing}
				net, err := train.New(g, train.Initial(g, 1), o)
				if err != nil {
					b.Fatal(err)
				}
				defer net.Close()
				images, labels := weights.Generator{Seed: 1}.Batch(c.n, c.image), make([]int, c.n)
				targets := recipe.Labels{}.Targets(labels, 100)
				for b.Loop() {
					if _, err := net.Train(images, targets, 0); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(train.Bytes(g, o))/(1<<20), "planned-MiB")
			})
		}
	}
}
