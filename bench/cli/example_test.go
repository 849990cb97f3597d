package cli_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"zoobench/bench/cli"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

func ExampleMain() {
	code := cli.Main(zoo.Default(), []string{"ls", "vgg11", "--format", "csv"}, os.Stdin, os.Stdout, os.Stderr)
	if code != 0 {
		os.Exit(code)
	}
	// Output:
	// model,family,year,params,macs,activations,img_size,published_top1,checkpoints,aliases,paper,elements,shapes_top1,shapes_set
	// vgg11,vgg,2014,132863336,7609090048,7435240,224,69.05,"[""tv_in1k"",""IMAGENET1K_V1""]",,arXiv:1409.1556,132863336,0,
}

// Another module's main has every command work on networks of its own: it passes them to Main behind the zoo's. This one
// tells which of red, green and blue a picture has most of.
func ExampleMain_ownNetwork() {
	own := []zoo.Spec{{
		Name: "colours", Family: "own", Year: 2026, Size: 8,
		Params: 4000, MACs: 3000, // with ImageNet's 1000 classes, which is what a network has unless told otherwise
		Recipe: zoo.Recipe{CropPct: 1, Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.5, 0.5, 0.5}},
		Build: func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
		},
	}}
	list, err := zoo.Default().With(own)
	check(err)

	dir, err := os.MkdirTemp("", "colours")
	check(err)
	defer os.RemoveAll(dir)
	checkpoint, picture := filepath.Join(dir, "colours.safetensors"), filepath.Join(dir, "green.png")
	check(weights.WriteFile(checkpoint, []weights.Named{
		{Name: "fc.weight", Shape: []int{3, 3}, Data: []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}},
		{Name: "fc.bias", Shape: []int{3}, Data: make([]float32, 3)},
	}, nil))
	green := image.NewRGBA(image.Rect(0, 0, 16, 16))
	draw.Draw(green, green.Rect, image.NewUniform(color.RGBA{G: 255, A: 255}), image.Point{}, draw.Src)
	f, err := os.Create(picture)
	check(err)
	check(png.Encode(f, green))
	check(f.Close())

	for _, args := range [][]string{
		{"ls", "family:own"},
		{"predict", "colours", "--weights", checkpoint, picture},
	} {
		var out strings.Builder
		code := cli.Main(list, args, os.Stdin, &out, os.Stderr)
		for line := range strings.Lines(strings.ReplaceAll(out.String(), picture, "green.png")) {
			fmt.Println(strings.Join(strings.Fields(line), " ")) // as wide on every machine
		}
		fmt.Println("exit code", code)
	}
	// Output:
	// model family year params MACs activations size top-1, published checkpoints
	// colours own 2026 0.00 M 0.000 G 0.00 M 8 –
	// exit code 0
	// image rank class name probability
	// green.png 1 1 class 1 0.7870
	// green.png 2 0 class 0 0.1065
	// green.png 3 2 class 2 0.1065
	// exit code 0
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
