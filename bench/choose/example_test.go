package choose_test

import (
	"context"
	"fmt"

	"zoobench/bench/choose"
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
	tapped, features, err := choose.Tap(graph)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(features, "features and then", tapped.Output().C-features, "logits")
	// Output: 2048 features and then 1000 logits
}

func ExampleAnswers_Merge() {
	answers, err := choose.LoadAnswers("reports/out/choose/" + choose.AnswersName)
	if err != nil {
		fmt.Println("choose first")
		return
	}
	answers, err = answers.Merge("pets", []string{"cats", "dogs"})
	if err != nil {
		fmt.Println(err)
		return
	}
	best, err := answers.BestCascades(context.Background(), 20e6) // of at most 20 ms in the mean
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range best {
		fmt.Printf("%s: %.1f %%\n", w.Name, 100*w.Accuracy.Value)
	}
	// Output: choose first
}
