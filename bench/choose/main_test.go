package choose

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// workerVariable makes the test binary be a worker.
const workerVariable = "ZOOBENCH_TEST_CHOOSE_WORKER"

func TestMain(m *testing.M) {
	if list := os.Getenv(workerVariable); list != "" {
		networks := zoo.Default()
		if list == "small" {
			networks = small()
		}
		if err := runner.WorkAlone(networks, nil, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// worker is this binary as a worker over a list, "small" or "zoo".
func worker(list string) runner.Worker {
	return runner.Worker{Path: os.Args[0], Env: []string{workerVariable + "=" + list}}
}

// small is a list of two networks for images of 16 pixels; the second takes about ten times as long.
func small() *zoo.List {
	of := func(width int) func(g *nn.Builder, x nn.Value) nn.Value {
		return func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.ReLU(g.Conv("conv1", x, width, nn.K(3).S(2).P(1).WithBias()))
			x = g.ReLU(g.Conv("conv2", x, width, nn.K(3).P(1).WithBias()))
			return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
		}
	}
	list, err := zoo.NewList([]zoo.Spec{
		{Name: "narrow", Build: of(16), Size: 16, Family: "small"},
		{Name: "wide", Build: of(64), Size: 16, Family: "small"},
	})
	if err != nil {
		panic(err)
	}
	return list
}

// cache makes a cache folder with generated weights for the small networks.
func cache(t *testing.T) runner.Cache {
	t.Helper()
	c := runner.Cache{Dir: t.TempDir()}
	if err := os.MkdirAll(c.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, s := range small().All() {
		g, err := s.Graph(0, 7)
		if err != nil {
			t.Fatal(err)
		}
		src := weights.Generator{}.Source(g.Params)
		var tensors []weights.Named
		for _, p := range g.Params {
			v, err := src.Float32(p.Name)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, weights.Named{Name: p.Name, Shape: p.Shape, Data: v})
		}
		if err := weights.WriteFile(filepath.Join(c.Weights(), s.Name+".made.safetensors"), tensors, nil); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// hues are the classes of images that a network of random weights can tell apart.
var hues = []struct {
	name  string
	color color.RGBA
}{{"blue", color.RGBA{40, 60, 220, 255}}, {"green", color.RGBA{40, 200, 60, 255}}, {"red", color.RGBA{220, 50, 40, 255}}}

// images makes a folder of n images of each hue: blocks of noise over its colour.
func images(t *testing.T, n int) string {
	t.Helper()
	root := t.TempDir()
	for c, hue := range hues {
		for i := range n {
			writeImage(t, filepath.Join(root, hue.name, fmt.Sprintf("%04d.png", i)), hue.color, uint64(c*100000+i))
		}
	}
	return root
}

func writeImage(t *testing.T, path string, base color.RGBA, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	m := image.NewRGBA(image.Rect(0, 0, 24, 24))
	shift := func(v uint8, by int) uint8 { return uint8(min(max(int(v)+by, 0), 255)) }
	for y := 0; y < 24; y += 4 {
		for x := 0; x < 24; x += 4 {
			by := rng.IntN(121) - 60
			c := color.RGBA{shift(base.R, by), shift(base.G, by), shift(base.B, by), 255}
			for i := range 16 {
				m.SetRGBA(x+i%4, y+i/4, c)
			}
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// options choose among the small networks, in little time.
func options(t *testing.T, data string) Options {
	return Options{List: small(), Cache: cache(t), Worker: worker("small"), Data: data, Threads: 1, MinDuration: 20 * time.Millisecond}
}
