// Package train teaches networks: it computes losses and gradients on kernels, and changes parameters by them.
//
// The contract: a recipe is data, and with a seed it says everything that is random: what step s does with a batch depends
// on seed and s alone, so that a run that was stopped goes on to the same bits. Optimizers have PyTorch's order of
// operations, for parameters of float32 and of float64 alike, so that the code that is compared with PyTorch's figures is
// the code that is used.
//
// A Network's pass gives the same bits for the same parameters, images and step, whatever the number of workers. Its memory is
// planned: a value is kept until its last reader, forward or backward, has run. A loss that is not a number is an error that names
// the step and the first layer that puts out one that is none.
//
// It leaves to others what must be computed (zoo/train/twin, the gradients in float64), and what is done to one image
// (datasets/augment).
package train

import "math/rand/v2"

// random is the source of what is random in one step for one purpose.
func random(seed uint64, step int, purpose uint64) *rand.Rand {
	const spread = 0x9E3779B97F4A7C15 // neighbouring seeds and steps start far from each other
	return rand.New(rand.NewPCG(seed*spread+purpose, uint64(step+1)*spread))
}

// The purposes of random numbers; each has a sequence of its own.
const (
	forMixing   uint64 = 1
	forDropping uint64 = 1 << 32 // and on, one for each node
)
