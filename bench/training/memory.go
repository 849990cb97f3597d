package training

import (
	"fmt"

	"zoobench/internal/recipe"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
)

// bytes is about how much memory the run takes with batches of n images.
func (r *run) bytes(n int) int64 {
	total := train.Bytes(r.graph, train.Options{Batch: n, Frozen: r.frozen})
	copies := int64(1) // the momentum
	if r.recipe.Optimizer.Kind == recipe.AdamW {
		copies++
	}
	if r.recipe.Average > 0 {
		copies += 2 // the average, and the weights that wait while it is evaluated
	}
	for _, p := range r.graph.Params {
		if p.Kind != nn.Aux {
			total += 4 * copies * int64(p.Elems())
		}
	}
	return total + 3*4*int64(n)*int64(r.batches.imageLen)
}

// enough refuses a run that does not fit into memory, and says what would.
func (r *run) enough() error {
	free := r.Memory
	if free == 0 {
		var known bool
		if free, known = freeMemory(); !known {
			return nil
		}
	}
	n := r.batches.n
	want := r.bytes(n)
	if want <= free {
		return nil
	}
	fits := n / 2
	for fits >= 2 && r.bytes(fits) > free {
		fits /= 2
	}
	remedy := fmt.Sprintf("a batch of %d takes %s", fits, size(r.bytes(max(fits, 1))))
	if fits < 2 {
		remedy = fmt.Sprintf("even a batch of 2 takes %s: take a smaller network or smaller images", size(r.bytes(2)))
	}
	return fmt.Errorf("training: %s at %d×%d pixels with a batch of %d takes about %s, %s are free; %s", r.graph.Name,
		r.about.Recipe.Size, r.about.Recipe.Size, n, size(want), size(free), remedy)
}

// size is a number of bytes in words.
func size(bytes int64) string {
	switch {
	case bytes < 1<<20:
		return fmt.Sprintf("%.0f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
