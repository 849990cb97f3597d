package train_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/train/internal/small"
	"zoobench/zoo/train/twin"
	"zoobench/zoo/weights"
)

// double are a network's parameters, and what it dropped, as the twin takes them.
func double(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// factors turns what a node drops from (n,H,W,C) to the twin's (n,C,H,W).
func factors(g *nn.Graph, i int, x []float32) []float64 {
	s := g.Nodes[i].Out
	pixels := s.H * s.W
	y := make([]float64, len(x))
	for k, v := range x {
		image, p, c := k/s.C/pixels, k/s.C%pixels, k%s.C
		y[(image*s.C+c)*pixels+p] = float64(v)
	}
	return y
}

// TestNetworkAgainstTwin compares loss, logits, gradients and running statistics over every operation.
func TestNetworkAgainstTwin(t *testing.T) {
	const n, step = 3, 5
	for _, test := range small.Cases {
		t.Run(test.Name, func(t *testing.T) {
			g := small.Build(t, test.Size, test.Arch)
			w := weights.Generator{Seed: 2}
			slow, err := twin.New(g, w.Source(g.Params))
			if err != nil {
				t.Fatal(err)
			}
			var first [][]float32
			for _, workers := range []int{1, 3} {
				fast, err := train.New(g, w.Source(g.Params), train.Options{Batch: n, Workers: workers})
				if err != nil {
					t.Fatal(err)
				}
				defer fast.Close()
				images, targets := w.Batch(n, test.Size), []float64{0.9, 0.1, 0.2, 0.8, 0.5, 0.5}
				want, err := slow.Train(twin.Batch{Images: images, Targets: targets, N: n, Drop: func(i int) []float64 {
					return factors(g, i, fast.Factors(i, step))
				}})
				if err != nil {
					t.Fatal(err)
				}
				loss, err := fast.Train(images, targets, step)
				if err != nil {
					t.Fatal(err)
				}
				close(t, "loss", loss, want.Loss, 1e-6)
				largest := 0.0
				for _, d := range want.Gradients {
					for _, v := range d {
						largest = max(largest, math.Abs(v))
					}
				}
				for i, p := range g.Params {
					for k, v := range want.Gradients[i] {
						close(t, fmt.Sprintf("gradient of %s[%d]", p.Name, k), float64(fast.Gradients[i][k]), v, 1e-5*largest)
					}
				}
				if first != nil && !slices.EqualFunc(first, fast.Gradients, slices.Equal) {
					t.Errorf("%d workers give other bits than one", workers)
				}
				first = fast.Gradients
				fast.Keep()
				for i, running := range want.Running {
					for k, v := range running {
						close(t, fmt.Sprintf("%s[%d]", g.Params[i].Name, k), float64(fast.Params[i][k]), v, 1e-6*(1+math.Abs(v)))
					}
				}
				logits, err := fast.Evaluate(images)
				if err != nil {
					t.Fatal(err)
				}
				net := &twin.Network{Graph: g, Params: make([][]float64, len(g.Params))}
				for i, p := range fast.Params {
					net.Params[i] = double(p)
				}
				wantLogits, err := net.Evaluate(images, n)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range wantLogits {
					close(t, fmt.Sprintf("logit %d in evaluation", i), float64(logits[i]), v, 1e-5*(1+math.Abs(v)))
				}
			}
		})
	}
}

// TestNotANumber names the first layer that puts out what is none.
func TestNotANumber(t *testing.T) {
	arch := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.Conv("first", x, 4, nn.K(3)))
		x = g.Conv("second", x, 4, nn.K(3))
		return g.GlobalAvgPool(x)
	}
	g := small.Build(t, 4, arch)
	w := weights.Generator{}
	net, err := train.New(g, w.Source(g.Params), train.Options{Batch: 2, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	net.Params[1][7] = float32(math.Inf(1))
	_, err = net.Train(w.Images(4), make([]float64, 4), 12)
	if err == nil || !strings.Contains(err.Error(), "train: small: step 12: the loss is not a number: the first layer that puts out") ||
		!strings.HasSuffix(err.Error(), "is conv second") {
		t.Errorf("error %v, want step 12 and conv second", err)
	}
}

func TestNetworkErrors(t *testing.T) {
	g := small.Build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNorm("norm", x, 1e-5) })
	w := weights.Generator{}
	_, err := train.New(g, w.Source(g.Params), train.Options{Batch: 0, Workers: 1})
	if fmt.Sprint(err) != "train: small: a batch of 0 images, want at least 1" {
		t.Errorf("no images: error %v", err)
	}
	_, err = train.New(g, w.Source(nil), train.Options{Batch: 1, Workers: 1})
	if err == nil || !strings.Contains(err.Error(), "norm.weight") {
		t.Errorf("no parameters: error %v", err)
	}
	net, err := train.New(g, w.Source(g.Params), train.Options{Batch: 1, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	for _, test := range []struct {
		images  int
		targets int
		want    string
	}{
		{2, 2, "train: small: 2 elements for 1 images of 3×1×1"},
		{3, 1, "train: small: 1 targets for 1 images, want 2"},
		{3, 2, "train: small: step 0: batch_norm norm: a batch norm of one element a channel, want at least two: more images or larger ones"},
	} {
		if _, err := net.Train(make([]float32, test.images), make([]float64, test.targets), 0); fmt.Sprint(err) != test.want {
			t.Errorf("%d elements, %d targets: error %v, want %q", test.images, test.targets, err, test.want)
		}
	}
}
