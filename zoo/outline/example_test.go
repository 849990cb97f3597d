package outline_test

import (
	"fmt"
	"log"

	"zoobench/zoo"
	"zoobench/zoo/outline"
)

// VGG's Table 1 from its graph: a line counts the convolutions that repeat.
func ExampleStages() {
	spec, err := zoo.Find("vgg16")
	if err != nil {
		log.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		log.Fatal(err)
	}
	for _, stage := range outline.Stages(g) {
		fmt.Println(stage.Size)
		for _, line := range stage.Lines {
			fmt.Println("  " + line.Text)
		}
	}
	// Output:
	// 224×224
	//   2 × conv 3×3, 64 +bias · relu
	// 112×112
	//   max pool 2×2/2
	//   2 × conv 3×3, 128 +bias · relu
	// 56×56
	//   max pool 2×2/2
	//   3 × conv 3×3, 256 +bias · relu
	// 28×28
	//   max pool 2×2/2
	//   3 × conv 3×3, 512 +bias · relu
	// 14×14
	//   max pool 2×2/2
	//   3 × conv 3×3, 512 +bias · relu
	// 7×7
	//   max pool 2×2/2
	// 1×1
	//   conv 7×7, 4096 +bias · relu
	//   conv 1×1, 4096 +bias · relu
	//   global avg pool
	//   linear 1000
}

// Two libraries publish MobileNetV3 with one name and two epsilons.
func ExampleDiff() {
	var networks [2]outline.Network
	for i, name := range []string{"mobilenetv3_large_100", "tv_mobilenet_v3_large"} {
		spec, err := zoo.Find(name)
		if err != nil {
			log.Fatal(err)
		}
		g, err := spec.Graph(0, 0)
		if err != nil {
			log.Fatal(err)
		}
		networks[i] = outline.Network{Spec: spec, Graph: g}
	}
	for _, row := range outline.Diff(networks[0], networks[1]) {
		if !row.Same {
			fmt.Printf("%s, %s: %s or %s\n", row.Kind, row.Name, row.A, row.B)
		}
	}
	// Output:
	// figure, crop: 224 of 256, bicubic, center or 224 of 232, bilinear, center
	// detail, batch norm epsilon: 1e-05 or 0.001
}
