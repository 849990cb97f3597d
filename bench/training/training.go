// Package training teaches a network of the zoo the classes of a folder of images, from scratch or from a checkpoint.
//
// The contract: a run is a pure function of its job. The same images, recipe and seed give the same bits, whatever the number of
// threads, whether or not the run was stopped: a state file, written whole and renamed, has all that the next step depends on,
// and a run that was killed at any moment goes on from it to the bits that it would have had. A part of the images is held out
// and never learned from. An image that cannot be read is left out by name. What would fail is said before the first step: a
// recipe out of range, classes without images, memory that does not suffice. A loss that is not a number ends the run with its
// step and layer. The result is an ordinary checkpoint with the classes' names, the preprocessing and the recipe.
//
// It leaves gradients to zoo/train, arithmetic of the recipe to internal/recipe, what is done to one image to datasets/augment,
// and how a checkpoint is read to bench/runner.
package training

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/internal/recipe"
	"zoobench/zoo"
)

// A Job is what to train, on what and how.
type Job struct {
	List    *zoo.List
	Task    runner.Task // the network, its checkpoint if it has one, and the input size if it is another than the network's own
	Images  *datasets.Files
	Learn   int      // number of images to learn from, drawn evenly from the classes by the seed; 0 for all that are not held out
	HeldOut float64  // share of each class's images that is held out
	Freeze  []string // patterns of parameters, as path.Match has them, that stay as they are
	Threads int      // 0 means one for each processor
	Out     string   // file of the result

	// Held are other images, of the same classes, that show after each epoch how well the network does; nil draws HeldOut of Images.
	Held *datasets.Files

	// Items are those of Images that are learned from, and Test those that are held out, where somebody has divided them already; nil
	// leaves that to HeldOut. The result says what the network takes each of Test for.
	Items, Test []int

	// Final asks for the accuracy of the result on the images that it learned from, as they are.
	Final bool

	// Adapt changes the recipe that fits the network and the number of images; nil leaves it.
	Adapt func(recipe.Recipe) (recipe.Recipe, error)

	Time      time.Duration  // as many epochs as fit into it; 0 takes the recipe's
	SaveEvery time.Duration  // between two states; 0 saves after every step
	Memory    int64          // bytes that the run may take; 0 asks the system
	Progress  func(Progress) // hears of each step; nil hears nothing
}

// Progress is where a run is.
type Progress struct {
	Epoch, Epochs int // counted from 1
	Step, Steps   int // of the whole run
	Batch         int // images of a step
	Loss          float64
	Accuracy      float64 // of the epoch's images so far, as they were varied
	ImagesPerSec  float64
	Left          time.Duration // about
	Done          *Epoch        // the epoch that ends with this step, nil within one
}

// An Epoch is a point of the learning curves.
type Epoch struct {
	Epoch    int     `json:"epoch"`
	HeadOnly bool    `json:"head_only,omitempty"` // the classifier alone learned
	Rate     float64 `json:"learning_rate"`       // of its last step
	Loss     float64 `json:"loss"`                // mean over its steps
	Accuracy float64 `json:"accuracy"`            // of the images that it learned from, as they were varied, 0 to 1
	Held     float64 `json:"held_out_accuracy"`   // 0 to 1
	HeldLoss float64 `json:"held_out_loss"`
	First    float64 `json:"first_gradient"` // mean over its steps of the norm of the gradient of the first layer's weights
}

// Summary is how a checkpoint was trained; it stands in the checkpoint.
type Summary struct {
	Recipe  recipe.Recipe `json:"recipe"`
	Seed    uint64        `json:"seed"`
	Start   string        `json:"start,omitempty"` // SHA-256 of the checkpoint that it began with; "" from scratch
	Freeze  []string      `json:"freeze,omitempty"`
	Images  int           `json:"images"` // learned from
	HeldOut int           `json:"held_out_images"`
	Curve   []Epoch       `json:"curve"`
	Final   float64       `json:"final_accuracy,omitempty"` // as Job.Final asks for it, 0 to 1
}

// A Result is a finished run.
type Result struct {
	Summary
	Network    string
	File       string
	Classes    []string
	Single     []string // classes of one image: it was learned from, and none is held out
	Unreadable []string // images that were left out
	Resumed    int      // the step from which an earlier run was continued; 0 for none

	Steps   int           // of the whole run
	Batch   int           // images of a step
	Took    time.Duration // for all steps and evaluations, what an earlier run did included
	Stepped time.Duration // for the steps alone
	Size    int           // pixels of the input per side
	Params  int64
	MACs    int64 // of one image, forward

	Activations int64

	Predicted []int // of Job.Test: the class that the network finds; -1 for an image that cannot be read
}

// Train carries out a job.
func Train(ctx context.Context, job Job) (*Result, error) {
	r, err := prepare(job)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.train(ctx)
}

// check refuses what cannot work before anything is read.
func (j *Job) check() error {
	switch {
	case j.Test != nil && (j.HeldOut != 0 || j.Held != nil || j.Learn != 0 || len(j.Items) == 0 || len(j.Test) == 0):
		return errors.New("training: want images to learn from and to test on, and no other way to hold some out")
	case j.Held == nil && j.Test == nil && !(j.HeldOut > 0 && j.HeldOut <= 0.9):
		return fmt.Errorf("training: held-out share %v, want more than 0 and at most 0.9", j.HeldOut)
	case j.Held != nil && j.HeldOut != 0:
		return fmt.Errorf("training: held-out share %v and other images, want one of them", j.HeldOut)
	case j.Threads < 0:
		return fmt.Errorf("training: %d threads, want at least 1, or 0 for one for each processor", j.Threads)
	case j.Out == "":
		return errors.New("training: no file for the result")
	}
	if info, err := os.Stat(filepath.Dir(j.Out)); err != nil || !info.IsDir() {
		return fmt.Errorf("training: %s: no folder %s to write into", j.Out, filepath.Dir(j.Out))
	}
	if info, err := os.Stat(j.Out); err == nil && info.IsDir() {
		return fmt.Errorf("training: %s: a folder, want a file for the result", j.Out)
	} else if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("training: %s: a device or a pipe, which the result would replace: want a file", j.Out)
	}
	return nil
}
