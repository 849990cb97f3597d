package samples_test

import (
	"fmt"

	"zoobench/bench/record"
	"zoobench/bench/samples"
)

// Two networks on the same 200 images: one alone is right on 25 of them, the other alone on 5.
func ExampleCompare() {
	one, other := samples.Evaluation{Name: "one"}, samples.Evaluation{Name: "other"}
	for i := range 200 {
		file, right, wrong := fmt.Sprintf("%03d.png", i), []int{0}, []int{1}
		a, b := right, right
		switch {
		case i < 25:
			b = wrong
		case i < 30:
			a = wrong
		}
		one.Samples = append(one.Samples, record.Sample{File: file, Labels: right, Top5: a})
		other.Samples = append(other.Samples, record.Sample{File: file, Labels: right, Top5: b})
	}
	c, err := samples.Compare([]samples.Evaluation{other, one}, samples.Top1)
	if err != nil {
		panic(err)
	}
	for _, r := range c.Ranks {
		fmt.Printf("%d. %-5s %.1f %%, between %.1f and %.1f\n", r.Rank, r.Model, r.Share, r.Lo, r.Hi)
	}
	fmt.Printf("p = %.4f\n", c.Pairs[0].P)
	// Output:
	// 1. one   97.5 %, between 94.3 and 98.9
	// 2. other 87.5 %, between 82.2 and 91.4
	// p = 0.0003
}
