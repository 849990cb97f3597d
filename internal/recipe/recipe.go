// Package recipe is what a training run does to parameters, labels and images, as data, and the arithmetic that follows from it:
// optimizers, schedules of the learning rate, averages of weights, clipped gradients, mixed images.
//
// The contract: a Recipe with a seed says everything that is random. What step s does with a batch depends on the seed and on s
// alone, so that a run that was stopped goes on to the same bits. Optimizers have PyTorch's order of operations, for parameters
// of float32 and of float64 alike, so that the code that is compared with PyTorch's figures is the code that is used. Check names
// the first value that is out of range, with what was wanted.
//
// It leaves to others gradients (zoo/train), what is done to one image (datasets/augment), the text of a recipe
// (bench/experiment), and the steps of a run (bench/training).
package recipe

import (
	"fmt"
	"math"
	"math/rand/v2"

	"zoobench/datasets/augment"
)

// Recipe is how a network is trained.
type Recipe struct {
	Epochs int
	Batch  int
	Seeds  []uint64 // a run for each

	Optimizer Optimizer
	Schedule  Schedule
	Labels    Labels
	Augment   augment.Policy // without size, interpolation, mean and deviation, which are the network's

	NoDropout bool `json:",omitzero"` // whether dropout and stochastic depth are left out of the network

	// Checkpointing keeps some values of a pass alone and computes the others again: less memory, more time, the same bits.
	Checkpointing bool `json:",omitzero"`

	// Average is how much of the moving average of all weights a step keeps; evaluation and the result take the average.
	// 0 takes the weights of the last step.
	Average float64

	// Clip is the largest norm that all gradients together may have; 0 sets no limit.
	Clip float64

	// HeadEpochs is in how many epochs before the others the classifier alone learns, at a schedule of the same shape whose
	// highest rate is HeadRate; 0 means the same rate. In the others a layer learns at a rate between LowerRate, at the first
	// layer, and 1, at the classifier, times the schedule's; 0 means 1 for all.
	HeadEpochs          int
	HeadRate, LowerRate float64
}

// Limits of what a recipe can sensibly ask for.
const (
	MaxEpochs = 100_000
	MaxBatch  = 65_536
)

// Check names the first thing that is out of range.
func (r Recipe) Check() error {
	switch {
	case r.Epochs < 1 || r.Epochs > MaxEpochs:
		return fmt.Errorf("train: %d epochs, want 1 to %d", r.Epochs, MaxEpochs)
	case r.Batch < 1 || r.Batch > MaxBatch:
		return fmt.Errorf("train: a batch of %d images, want 1 to %d", r.Batch, MaxBatch)
	case len(r.Seeds) == 0:
		return fmt.Errorf("train: no seed, want at least one")
	case !(r.Average >= 0 && r.Average < 1):
		return fmt.Errorf("train: average %v, want at least 0 and less than 1", r.Average)
	case !(r.Clip >= 0):
		return fmt.Errorf("train: clip %v, want at least 0", r.Clip)
	case r.HeadEpochs < 0 || r.HeadEpochs > MaxEpochs:
		return fmt.Errorf("train: %d epochs of the classifier alone, want 0 to %d", r.HeadEpochs, MaxEpochs)
	case !(r.HeadRate >= 0) || math.IsInf(r.HeadRate, 0):
		return fmt.Errorf("train: learning rate %v of the classifier alone, want at least 0", r.HeadRate)
	case !(r.LowerRate >= 0 && r.LowerRate <= 1):
		return fmt.Errorf("train: lower rate %v, want 0 to 1", r.LowerRate)
	}
	for _, part := range []interface{ Check() error }{r.Optimizer, r.Schedule, r.Labels, r.Augment} {
		if err := part.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Identity is the recipe without what leaves a run's bits as they are.
func (r Recipe) Identity() Recipe {
	r.Checkpointing = false
	return r
}

// Random is the source of what is random in one step for one purpose. Purposes below 1<<32 are this package's.
func Random(seed uint64, step int, purpose uint64) *rand.Rand {
	const spread = 0x9E3779B97F4A7C15 // neighbouring seeds and steps start far from each other
	return rand.New(rand.NewPCG(seed*spread+purpose, uint64(step+1)*spread))
}

// The purposes of random numbers; each has a sequence of its own.
const (
	forMixing uint64 = 1
	forOrder  uint64 = 2
)

// Order is the order in which an epoch shows n images.
func Order(seed uint64, epoch, n int) []int { return Random(seed, epoch, forOrder).Perm(n) }

// Standard is the recipe for a network that learns from scratch: He and others' (2015) for convolutions, with Nesterov's momentum
// and half a cosine. Attention and layer norms want AdamW and a lower rate.
func Standard(batch int, attention bool) Recipe {
	r := Recipe{
		Epochs: 60, Batch: batch, Seeds: []uint64{1},
		Optimizer: Usual(SGD),
		Schedule:  Schedule{Kind: Cosine, Rate: 0.1 * float64(batch) / 128, Warmup: 0.05},
		Labels:    Labels{Smoothing: 0.1},
	}
	if attention {
		r.Optimizer = Usual(AdamW)
		r.Schedule.Rate, r.Clip = 1e-3*float64(batch)/128, 1
	}
	return r
}

// Head is the schedule of the epochs in which the classifier alone learns.
func (r Recipe) Head() Schedule {
	s := r.Schedule
	if r.HeadRate > 0 {
		s.Rate = r.HeadRate
		s.Least = min(s.Least, s.Rate)
	}
	return s
}

// FineTuning is the recipe for a network that has weights already: the classifier alone, then all layers, the lower ones at lower
// rates, and an average of the weights. Few images, and so few steps an epoch, take more epochs.
func FineTuning(batch, images int) Recipe {
	steps := max(images/batch, 1)
	return Recipe{
		Epochs: min(max(200/steps, 5), 30), HeadEpochs: min(max(100/steps, 2), 20), Batch: batch, Seeds: []uint64{1},
		Optimizer: Usual(AdamW),
		Schedule:  Schedule{Kind: Cosine, Rate: 2e-4, Warmup: 0.1},
		Labels:    Labels{Smoothing: 0.1}, HeadRate: 5e-3, LowerRate: 0.1, Clip: 1, Average: 0.98,
	}
}

// Augmented is a policy of images for a network of that input size: images that are small anyway are padded, cropped and
// flipped, others cut.
func Augmented(size int) augment.Policy {
	if size <= 64 {
		return augment.Policy{Pad: size / 8, Flip: 0.5}
	}
	return augment.Policy{Scale: [2]float64{0.35, 1}, Flip: 0.5}
}
