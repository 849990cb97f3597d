// Package train computes a network's losses and gradients on kernels.
//
// The contract: a Network's pass gives the same bits for the same parameters, images and step, whatever the number of
// workers. Its memory is planned: a value is kept until its last reader, forward or backward, has run. A loss that is not a
// number is an error that names the step and the first layer that puts out one that is none.
//
// It leaves to others what must be computed (zoo/train/twin, the gradients in float64), how parameters follow their gradients
// (internal/recipe), and the steps of a run (bench/training).
package train

// forDropping is where the sequences of random numbers for what dropouts leave out begin, one for each node.
const forDropping = 1 << 32
