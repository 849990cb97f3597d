package record

// A Calibration is where the numbers of a network in int8 come from: the images on which the ranges of its values were watched, and
// what followed from them.
type Calibration struct {
	Generated bool   `json:"generated,omitempty"` // the images were generated: the row's speed is right, its predictions are not
	InFile    bool   `json:"in_file,omitempty"`   // the weights' file has the numbers; nothing was quantised for this row
	Data      string `json:"data,omitempty"`      // folder, archive or set of the images
	Split     string `json:"split,omitempty"`
	Images    int    `json:"n_images"`
	Seed      uint64 `json:"seed"`             // seed of the random subset
	SHA256    string `json:"sha256,omitempty"` // hash of the images and labels, as dataset_sha256
	// Of a network that the run has trained: how its own images were read, of which those that are held out are left out.
	Ranks       bool    `json:"ranks,omitempty"`
	ClassRange  *[2]int `json:"class_range,omitempty"` // the first of the images' classes and the one behind the last
	HeldOut     float64 `json:"held_out,omitempty"`
	HeldOutSeed uint64  `json:"held_out_seed,omitempty"`

	Rule      string `json:"rule"`                // rule for the ranges of values
	Equalised bool   `json:"equalised,omitempty"` // scale was moved between layers
	// FloatShare is the share of the multiply-accumulates that stay in float32.
	FloatShare float64 `json:"float_share"`
	Numbers    string  `json:"numbers"` // hash of all weights and scales in int8: networks with the same one give the same bits
	// Shared is how many of an accuracy's images are among those of the calibration.
	Shared int `json:"shared_images,omitempty"`
}
