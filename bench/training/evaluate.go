package training

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"zoobench/bench/runner"
	"zoobench/datasets"
)

// evaluate is the accuracy and the mean loss over the images of a source that can be read, of the average of the weights where
// the recipe takes one. It names the others. Where predicted is not nil, it gets the class that is found for each image.
func (r *run) evaluate(
	ctx context.Context, src datasets.Source, predicted []int,
) (accuracy, loss float64, unreadable []string, err error) {
	if average := r.state.average; average != nil {
		own := copies(r.net.Params)
		r.put(average)
		defer r.put(own)
	}
	loader, err := datasets.NewLoader(src, runner.Preprocessing(r.about.Recipe), datasets.LoadOptions{
		Batch: r.batches.n, Workers: r.batches.workers,
	})
	if err != nil {
		return 0, 0, nil, err
	}
	images := make([]float32, r.batches.n*r.batches.imageLen)
	rightOnes, all, at := 0, 0, 0
	for b, err := range loader.Batches(ctx) {
		if err != nil {
			return 0, 0, nil, err
		}
		clear(images[copy(images, b.Tensor):])
		scores, err := r.net.Evaluate(images)
		if err != nil {
			return 0, 0, nil, err
		}
		classes := len(r.classes)
		for i, item := range b.Items {
			if b.Errs[i] != nil {
				unreadable = append(unreadable, item.Name)
				continue
			}
			row := scores[i*classes:][:classes]
			if predicted != nil {
				predicted[at+i] = slices.Index(row, slices.Max(row))
			}
			all++
			rightOnes += right(row, item.Labels)
			loss += logSum(row) - float64(row[item.Labels[0]])
		}
		at += len(b.Items)
	}
	if all == 0 {
		return 0, 0, nil, fmt.Errorf("training: none of %d images to evaluate can be read", src.Len())
	}
	return float64(rightOnes) / float64(all), loss / float64(all), unreadable, nil
}

// put makes parameters the network's.
func (r *run) put(params [][]float32) {
	for i, p := range params {
		copy(r.net.Params[i], p)
	}
}

// logSum is the logarithm of the sum of exponentials.
func logSum(scores []float32) float64 {
	top := math.Inf(-1)
	for _, v := range scores {
		top = max(top, float64(v))
	}
	sum := 0.0
	for _, v := range scores {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}

func summary(s Summary) (json.RawMessage, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return text, nil
}
