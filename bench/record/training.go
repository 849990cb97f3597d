package record

// A Training is how a network learned.
type Training struct {
	Name         string   `json:"name,omitempty"` // of the recipe, as the experiment calls it
	RecipeSHA256 string   `json:"recipe_sha256"`  // hash of the recipe, seed apart
	Seed         uint64   `json:"seed"`
	Images       int      `json:"n_images"` // different ones that it learned from
	Classes      int      `json:"n_classes"`
	ClassRange   *[2]int  `json:"class_range,omitempty"`  // the first of the images' classes and the one behind the last
	HeldOut      float64  `json:"held_out,omitempty"`     // share of the same images that is evaluated instead; 0 where other images are
	StartFile    string   `json:"start_file,omitempty"`   // checkpoint that it began with, in the run's folder; "" for drawn weights
	StartSHA256  string   `json:"start_sha256,omitempty"` // hash of that file
	Freeze       []string `json:"freeze,omitempty"`       // patterns of the parameters that did not learn

	Epochs int     `json:"epochs"`
	Steps  int     `json:"steps"`
	Batch  int     `json:"batch"` // images of a step
	Loss   float64 `json:"loss"`  // mean of the last epoch's steps
	// Top1 is of the images that it learned from, as they are, at the end; HeldTop1 is the last point of the curve.
	Top1         float64 `json:"train_top1"`
	HeldTop1     float64 `json:"held_out_top1"`
	Wall         int64   `json:"wall_ns,omitempty"`      // time of all steps and of evaluations between them, in all processes
	ImagesPerSec float64 `json:"images_per_s,omitempty"` // images of steps over the time of the steps alone
	Curve        []Epoch `json:"curve,omitempty"`
	Unreadable   int     `json:"unreadable,omitempty"` // images that were left out
}

// An Epoch is a point of learning curves.
type Epoch struct {
	Epoch    int     `json:"epoch"`               // from 1
	HeadOnly bool    `json:"head_only,omitempty"` // the classifier alone learned
	Rate     float64 `json:"learning_rate"`       // of its last step
	Loss     float64 `json:"loss"`                // mean of its steps
	Top1     float64 `json:"train_top1"`          // of the images of its steps, as they were varied, before each step
	HeldTop1 float64 `json:"held_out_top1"`       // of images that it never learns from, after the epoch
	HeldLoss float64 `json:"held_out_loss"`       // of the same images
	First    float64 `json:"first_gradient_norm"` // mean of its steps of the norm of the gradient of the first layer's weights
}
