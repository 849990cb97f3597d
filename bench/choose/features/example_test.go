package features_test

import (
	"fmt"

	"zoobench/bench/choose/features"
	"zoobench/zoo"
)

func ExampleTap() {
	spec, err := zoo.Find("resnet50")
	if err != nil {
		fmt.Println(err)
		return
	}
	graph, err := spec.Graph(0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	tapped, width, err := features.Tap(graph)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(width, "features and then", tapped.Output().C-width, "logits")
	// Output: 2048 features and then 1000 logits
}
