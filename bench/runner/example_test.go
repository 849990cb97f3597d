package runner_test

import (
	"fmt"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
)

func ExampleOpen() {
	n, err := runner.Open(zoo.Default(),
		runner.Task{Job: experiment.Job{Model: "squeezenet1_1", Axes: record.Axes{ImgSize: 64, NoTune: true, NumClasses: 10}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	logits := make([]float32, n.Graph.Output().Elems())
	n.Engine.Run(logits, make([]float32, n.Graph.Input().Elems()), 1)
	best, finite := runner.Top(logits, 5)
	fmt.Println(n.Graph.Input(), len(logits), len(best), finite)
	// Output:
	// 3×64×64 10 5 true
}
