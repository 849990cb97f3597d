// Package experiment reads experiments.yaml and turns it into jobs.
//
// Contract: reading is strict. An unknown key or word, a wrong type, a value out of range,
// a network that the zoo lacks, a name given twice: each is an error with file, line and
// column, the nearest valid words where there are any, and all of a file's errors come at
// once, in the order of their positions. A file over 1 MiB, an anchor within itself and
// aliases that expand beyond measure are refused before they cost time. Jobs come in an
// order that depends on the file alone, all timed jobs before all accuracy jobs, and each
// has an identity made from its settings, so that a run that was cut short goes on where
// it was.
//
// It knows networks and instruction sets by the caller's word only, and leaves the doing
// of jobs to bench/runner. YAML stays inside this package.
package experiment

import (
	"time"

	"zoobench/bench/load"
)

// Known is what the reader needs to know to check names.
type Known struct {
	// Networks returns the networks that a pattern selects, in the zoo's order: a name, an
	// alias, a name with the wildcards of path.Match, or family: and a family's name.
	// Where it selects none, the nearest names. Required.
	Networks func(pattern string) (names, nearest []string)
	// File says why the file of this path is no network, nil if it is one; nil makes a network's file an error.
	File func(path string) error
	// ISAs are the valid names of instruction sets; none makes the isa axis an error.
	ISAs []string
	// Precisions are the valid names of precisions; none makes the precision axis an error.
	Precisions []string
	// Sets reports whether a word names a set of images rather than a path; nil for none.
	Sets func(word string) bool
	// Corruptions returns the corruptions that a word selects, "" for images as they are, or an error that lists what there is.
	// Nil makes the corruption axis an error.
	Corruptions func(word string) ([]string, error)
}

// DefaultProcesses is in how many processes a latency is measured where nobody says otherwise: Student's interval of five
// medians is 2.8 times as wide as the standard error, of three 4.3 times.
const DefaultProcesses = 5

// A File is a parsed experiments.yaml.
type File struct {
	Path        string
	Run         []string // experiments that run where none is asked for by name
	Experiments []Experiment
}

// An Experiment asks one question and names what to measure for it: the product of its
// axes. Axes that the file leaves out hold their one default.
type Experiment struct {
	Name     string
	Question string // one sentence

	Models []string // networks' names, patterns resolved
	ISA    []string // default "": the best that the machine has
	// Precision lists what products are computed with, of timed and of accuracy jobs; default "", which is float32.
	Precision []string
	Threads   []int // default 1
	Batch     []int // default 1
	ImgSize   []int // default 0: the network's own
	Scenario  []load.Scenario

	Latency  *Latency  // nil where no latency is measured
	Accuracy *Accuracy // nil where no accuracy is measured
	Training *Training // nil where nothing is trained; Accuracy is then of what is trained

	Calibration *Calibration // of rows in int8; nil where the file names no images for it

	Exact     bool          // direct algorithms only
	NoTune    bool          // the table of measured defaults, no trials
	Processes int           // that a latency is measured in, in turn with the other rows
	Timeout   time.Duration // of one job's process; 0 for none
	MaxMemory int64         // bytes, of one job's process; 0 for no limit
	Price     float64       // of an hour of the machine, in any currency; 0 where the file has none
}

// Latency is how latency is measured; zero fields are load's defaults.
type Latency struct {
	MinDuration  time.Duration `json:",omitzero"`
	MaxDuration  time.Duration `json:",omitzero"`
	MinSamples   int           `json:",omitzero"`
	Streams      int           `json:",omitzero"` // multi-stream: images a query
	Rate         float64       `json:",omitzero"` // server: images a second
	LatencyBound time.Duration `json:",omitzero"` // server
	Seed         uint64        `json:",omitzero"` // server
}

// Accuracy is what accuracy is measured on. Paths are absolute; those that the file gives
// as relative start at its own folder.
type Accuracy struct {
	Data   string `json:",omitzero"` // folder; empty for what the cache folder holds
	Labels string `json:",omitzero"` // label file of a flat folder
	// ClassMap is a file that says which class has which index, Split one of Data's splits, as val, and Exif is "apply" where
	// images are turned by their Exif orientation.
	ClassMap string `json:",omitzero"`
	Split    string `json:",omitzero"`
	Exif     string `json:",omitzero"`
	Answers  string `json:",omitzero"` // among which classes answers are chosen, as datasets.Options has it; a file's path is absolute
	Limit    int    `json:",omitzero"` // images, 0 for all
	Seed     uint64 `json:",omitzero"` // of the subset that Limit draws
	Threads  int    `json:",omitzero"` // 0 for all cores
	Batch    int    `json:",omitzero"` // 0 for the runner's choice
	// Corruption lists what the images are worsened with, a job each: "" for images as they are, which none stands for too.
	Corruption []string `json:"-"`
	// Checkpoints to evaluate; none means every one of Models that the cache has.
	Checkpoints []Checkpoint `json:",omitzero"`

	// Of networks that the experiment trains: that each class folder is a class, whatever its name says; the classes that they
	// learn; and the share of Data's images that their training holds out, drawn by its seed, which is evaluated then. Zero is all.
	Ranks       bool    `json:",omitzero"`
	ClassRange  [2]int  `json:",omitzero"`
	HeldOut     float64 `json:",omitzero"`
	HeldOutSeed uint64  `json:",omitzero"`
}

// CalibrationImages is how many images a network is quantised on where nobody says otherwise.
const CalibrationImages = 128

// Calibration is the images on which networks are quantised that run in int8. Their labels are not used, but the images are balanced
// over the classes.
type Calibration struct {
	Data   string // folder or archive, absolute, or set
	Split  string `json:",omitzero"`
	Images int    // number of images, drawn evenly from the classes
	Seed   uint64 `json:",omitzero"` // of the draw

	// PassOver leaves out images that cannot be read, which are an error otherwise.
	PassOver bool `json:",omitzero"`

	// Of networks that the experiment trains, as Accuracy has them; the images that are held out are left out.
	Ranks       bool    `json:",omitzero"`
	ClassRange  [2]int  `json:",omitzero"`
	HeldOut     float64 `json:",omitzero"`
	HeldOutSeed uint64  `json:",omitzero"`
}

// A Checkpoint is one set of weights: a tag that the store knows, a file, or both.
type Checkpoint struct {
	Network string
	Tag     string `json:",omitzero"`
	File    string `json:",omitzero"`
}
