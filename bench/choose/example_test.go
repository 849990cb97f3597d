package choose_test

import (
	"context"
	"fmt"

	"zoobench/bench/choose"
)

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
