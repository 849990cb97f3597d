package heads_test

import (
	"context"
	"fmt"

	"zoobench/bench/choose/heads"
	"zoobench/kernels/par"
)

// Twelve images of two classes, by two features that say nearly all.
func ExampleStudy_Probe() {
	features := heads.NewMatrix(12, 2)
	labels, group, readable := make([]int, 12), make([]int, 12), make([]bool, 12)
	for i := range 12 {
		labels[i], group[i], readable[i] = i%2, i, true // no two images look the same
		copy(features.Row(i), []float32{float32(i % 2), float32(i) / 100})
	}
	pool := par.New(1)
	defer pool.Close()
	study := heads.Study{Classes: 2, Labels: labels, Fold: heads.Deal(labels, group, readable, 2, 3, 0), Folds: 3, Pool: pool}
	probabilities, _, err := study.Probe(context.Background(), features, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome := heads.Decide(2, labels, readable, probabilities.Row)
	accuracy := outcome.Score().Accuracy
	fmt.Printf("accuracy %.0f %%, with 95 %% confidence from %.0f to %.0f %%\n", 100*accuracy.Value, 100*accuracy.Lo, 100*accuracy.Hi)
	// Output: accuracy 100 %, with 95 % confidence from 76 to 100 %
}
