package record

import (
	"cmp"
	"time"
)

// Axes are the settings that rows of one network differ in. An experiment's job has them, a record has them twice (as asked
// for and as they were), and tables have a column for each; docs/adding.md says what a new one takes. Zero values are the
// network's, the checkpoint's or the machine's own.
type Axes struct {
	ImgSize    int    `json:"img_size,omitempty"` // pixels of the input per side
	Batch      int    `json:"batch,omitempty"`
	Threads    int    `json:"threads,omitempty"`   // number of threads, 0 for all cores
	ISA        string `json:"isa,omitempty"`       // instruction set, "" for the best that the machine has
	Precision  string `json:"precision,omitempty"` // numbers that products are computed with, as bf16; "" for float32
	Scenario   string `json:"scenario,omitempty"`
	Exact      bool   `json:"exact,omitempty"`       // direct algorithms only
	NoTune     bool   `json:"no_tune,omitempty"`     // the table of defaults, no trials
	NumClasses int    `json:"num_classes,omitempty"` // number of classes, 0 for the checkpoint's own, or the network's
	// Corruption is what an accuracy's images were worsened with before the network saw them, as "fog:3"; "" for nothing.
	Corruption string `json:"corruption,omitempty"`
}

// Settings are what a job asked for; a second group has what it ran with.
type Settings struct {
	Axes
	Processes   int           `json:"processes,omitempty"`       // processes that share a latency's duration and samples
	MinDuration time.Duration `json:"min_duration_ns,omitempty"` // least duration of all processes together
	MinSamples  int           `json:"min_samples,omitempty"`
	Timeout     time.Duration `json:"timeout_ns,omitempty"`
	Limit       int           `json:"limit,omitempty"` // number of images evaluated, 0 for all
	Seed        uint64        `json:"seed,omitempty"`
	Answers     string        `json:"answers,omitempty"` // classes of answers: all, own, a published set or a file; "" for the set's own

	MaxDuration  time.Duration `json:"max_duration_ns,omitempty"`
	Streams      int           `json:"streams,omitempty"`           // multi-stream: images a query
	Rate         float64       `json:"rate_images_per_s,omitempty"` // server: mean arrivals, images a second
	LatencyBound time.Duration `json:"latency_bound_ns,omitempty"`  // server: bound on the latency of queries, 0 for none

	PricePerHour float64 `json:"price_per_hour,omitempty"` // price of the machine, in the reader's currency; 0 where nobody said
}

// Or returns the axes with the zero ones taken from b.
func (a Axes) Or(b Axes) Axes {
	return Axes{
		ImgSize: cmp.Or(a.ImgSize, b.ImgSize), Batch: cmp.Or(a.Batch, b.Batch), Threads: cmp.Or(a.Threads, b.Threads),
		ISA: cmp.Or(a.ISA, b.ISA), Precision: cmp.Or(a.Precision, b.Precision), Scenario: cmp.Or(a.Scenario, b.Scenario),
		Exact: cmp.Or(a.Exact, b.Exact), NoTune: cmp.Or(a.NoTune, b.NoTune), NumClasses: cmp.Or(a.NumClasses, b.NumClasses),
		Corruption: cmp.Or(a.Corruption, b.Corruption),
	}
}

// Compare orders axes as tables order their rows, plain ones first.
func (a Axes) Compare(b Axes) int {
	flag := func(on bool) int {
		if on {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.Scenario, b.Scenario),
		cmp.Compare(a.ISA, b.ISA),
		cmp.Compare(a.Precision, b.Precision),
		cmp.Compare(flag(a.Exact), flag(b.Exact)),
		cmp.Compare(flag(a.NoTune), flag(b.NoTune)),
		cmp.Compare(a.ImgSize, b.ImgSize),
		cmp.Compare(a.Threads, b.Threads),
		cmp.Compare(a.Batch, b.Batch),
		cmp.Compare(a.NumClasses, b.NumClasses),
		cmp.Compare(a.Corruption, b.Corruption),
	)
}

// OwnChoice reports whether the engine chose algorithms as it does by itself.
func (a Axes) OwnChoice() bool { return !a.Exact && !a.NoTune }

// RanWith returns the axes that the record was measured with, as far as it says: its columns, else what it ran with, else what
// it was asked for.
func (r *Record) RanWith() Axes {
	a := Axes{ImgSize: r.ImgSize, Batch: r.Batch, Threads: r.Threads, Scenario: r.Scenario}
	for _, s := range []*Settings{r.Effective, r.Asked} {
		if s != nil {
			a = a.Or(s.Axes)
		}
	}
	a.ISA = cmp.Or(a.ISA, r.Machine.ISA)
	return a
}

// Named is a name of a network or a row with what makes its answers others than the plain network's: the precision, and what
// images were worsened with.
func (a Axes) Named(name string) string {
	if a.Precision != "" {
		name += " in " + a.Precision
	}
	if a.Corruption != "" {
		name += " with " + a.Corruption
	}
	return name
}

// Precisions that have a meaning for records: Float32 is the one that Axes leave empty, rows in Int8 have a calibration.
const (
	Float32 = "float32"
	Int8    = "int8"
)

// OtherPrecision is a precision as Axes have it: "" for float32.
func OtherPrecision(name string) string {
	if name == Float32 {
		return ""
	}
	return name
}
