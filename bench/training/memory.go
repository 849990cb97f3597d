package training

import (
	"fmt"
	"strings"

	"zoobench/internal/recipe"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
)

// bytes is about how much memory the run takes with batches of n images.
func (r *run) bytes(n int, checkpointing bool) int64 {
	total := train.Bytes(r.graph, train.Options{Batch: n, Frozen: r.frozen, Checkpointing: checkpointing})
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
	n, checkpointing := r.batches.n, r.recipe.Checkpointing
	want := r.bytes(n, checkpointing)
	if want <= free {
		return nil
	}
	var remedies []string
	try := func(checkpointing bool, how string) {
		for fits := n; fits >= 2; fits /= 2 {
			if b := r.bytes(fits, checkpointing); b <= free && !(fits == n && checkpointing == r.recipe.Checkpointing) {
				what := fmt.Sprintf("a batch of %d", fits)
				if fits == n {
					what = "the same batch"
				}
				remedies = append(remedies, fmt.Sprintf("%s%s takes %s", what, how, size(b)))
				return
			}
		}
	}
	if !checkpointing {
		try(true, " with checkpointing")
	}
	try(checkpointing, "")
	if len(remedies) == 0 {
		remedies = append(remedies, fmt.Sprintf("even a batch of 2 with checkpointing takes %s: take a smaller network or smaller images",
			size(r.bytes(2, true))))
	}
	return fmt.Errorf("training: %s at %d×%d pixels with a batch of %d takes about %s, %s are free; %s", r.graph.Name,
		r.about.Recipe.Size, r.about.Recipe.Size, n, size(want), size(free), strings.Join(remedies, "; "))
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
