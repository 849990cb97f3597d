// Package record is the schema of zoobench's results and their way to and from disk.
//
// Contract: a record is one measured row with everything needed to repeat it, one JSON
// object on one line. The JSON is flat where tables want columns (model, batch,
// latency_p50_ns) and nested where they do not (machine, verdict, layers); the Go type
// groups the columns that are measured together, and a nil group was not measured.
// Durations are nanoseconds, sizes bytes, accuracies percent; a MAC is one multiply and
// one add of a convolution, linear layer or matrix product, for one image. Published
// figures live in their own group and never stand in for measured ones. A record is
// appended with one write and one fsync; a reader never fails on a bad line but reports
// it as data. New columns are only appended; an older schema is told apart by number.
//
// It leaves measuring to bench/load and bench/runner, verdicts on the figures to those
// who measure, and every question that takes more than one record to reports.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"zoobench/bench/stat"
)

// Schema is the version of the schema that this package writes and reads.
const Schema = 1

// A Kind says what a record measures and so which groups it must have.
type Kind string

// The kinds of record. Each names the group that holds its figures.
const (
	KindLatency  Kind = "latency"  // forward calls under a scenario: Timing, Footprint
	KindEval     Kind = "eval"     // predictions against labels: Accuracy
	KindLoad     Kind = "load"     // file to ready network: Footprint
	KindPipeline Kind = "pipeline" // decode, preprocess and forward, apart and together: Pipeline
	KindCost     Kind = "cost"     // counted from the graph, nothing timed: Cost
	KindHost     Kind = "host"     // the machine itself: Host
	KindTrain    Kind = "train"    // a network learned: Training
)

// A Record is one measured row. Names say the unit: _ns is nanoseconds, _bytes bytes, _percent and the accuracies percent. Model
// is empty for the machine's own rows only. A column that is missing was not measured, and not_measured can say why.
type Record struct {
	Schema     int       `json:"schema"`
	Kind       Kind      `json:"kind"`
	RunID      string    `json:"run_id"`
	JobID      string    `json:"job_id,omitempty"`     // hash of the job's settings
	Experiment string    `json:"experiment,omitempty"` // name of the experiment in experiments.yaml
	Time       time.Time `json:"time"`                 // when the measurement ended
	Machine    Machine   `json:"machine"`

	Model         string  `json:"model,omitempty"`        // network, as resnet50
	Family        string  `json:"family,omitempty"`       // network family, as resnet
	Year          int     `json:"year,omitempty"`         // year of the network's publication
	Checkpoint    string  `json:"checkpoint,omitempty"`   // tag after the dot, as tv_in1k; empty with generated weights
	WeightsFile   string  `json:"weights_file,omitempty"` // file of the weights; FILE#SECTION where a section was asked for
	WeightsSHA256 string  `json:"weights_sha256,omitempty"`
	Recipe        *Recipe `json:"recipe,omitempty"`
	RecipeSHA256  string  `json:"recipe_sha256,omitempty"`
	Dataset       string  `json:"dataset,omitempty"`        // folder or archive of the images
	LabelsFile    string  `json:"labels_file,omitempty"`    // label file of a folder without class folders
	ClassMapFile  string  `json:"class_map_file,omitempty"` // file that says which class has which index
	Split         string  `json:"split,omitempty"`          // the part of the dataset that was read, as val
	Reading       string  `json:"reading,omitempty"`        // how the labels were read, in words
	Exif          string  `json:"exif,omitempty"`           // "apply" where images were turned by their Exif orientation
	DatasetSet    string  `json:"dataset_set,omitempty"`    // the published set that the images are of, "" where that is unknown
	DatasetSHA256 string  `json:"dataset_sha256,omitempty"` // hash of the images and labels that were used
	Answers       string  `json:"answers,omitempty"`        // the classes among which answers were chosen, "" for all
	CorruptedBy   string  `json:"corrupted_by,omitempty"`   // whose corrupted images an accuracy is of, "" for images as they are

	ImgSize  int    `json:"img_size,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	Threads  int    `json:"threads,omitempty"`
	Scenario string `json:"scenario,omitempty"` // single_stream, multi_stream, offline or server

	Asked     *Settings `json:"settings_asked,omitempty"`
	Effective *Settings `json:"settings_effective,omitempty"`

	// ImagesPerSec is the images done over the time they took: forward calls alone in a
	// latency row, file to prediction in an eval row.
	ImagesPerSec float64 `json:"images_per_s,omitempty"`

	// JoulesPerImage is the energy of the processor packages over the images done while they took it, warm-up, idle time
	// and other programs included.
	JoulesPerImage float64 `json:"joules_per_image,omitempty"`

	*Cost
	*Timing
	*Footprint
	*Accuracy
	*Pipeline
	*Host

	Interference *Interference `json:"interference,omitempty"` // what kept the process from its processors

	Plan      *Plan      `json:"plan,omitempty"`   // how the engine computed
	Layers    []Layer    `json:"layers,omitempty"` // the plan's steps, in order of execution
	Recheck   *Recheck   `json:"recheck,omitempty"`
	Published *Published `json:"published,omitempty"`

	// SamplesFile is an eval row's per-sample file (see Sample), in the run's folder.
	SamplesFile string `json:"samples_file,omitempty"`

	// NotMeasured maps a column's JSON name to why this run has no value for it.
	NotMeasured map[string]string `json:"not_measured,omitempty"`
	Verdict     Verdict           `json:"verdict"`

	WeightsSection string `json:"weights_section,omitempty"` // dictionary of the file that was read, as state_dict
	WeightsPrefix  string `json:"weights_prefix,omitempty"`  // prefix that was cut from the file's names, as module.
	WeightsNames   string `json:"weights_names,omitempty"`   // library whose parameter names the file has; "" for the network's own
	RecipeSource   string `json:"recipe_source,omitempty"`   // checkpoint whose preprocessing is used, as timm's tv_in1k

	Training *Training `json:"training,omitempty"` // of a train row, and of the eval row of what it left, there without a curve

	Part *Part `json:"part,omitempty"` // of an eval row of some of the images, as a sharded run has them

	Calibration *Calibration `json:"calibration,omitempty"` // of a row in int8
}

// Ran returns the settings that the record was measured with, as far as it says.
func (r *Record) Ran() Settings {
	for _, s := range []*Settings{r.Effective, r.Asked} {
		if s != nil {
			return *s
		}
	}
	return Settings{}
}

// A Recipe is a checkpoint's preprocessing.
type Recipe struct {
	ImgSize       int        `json:"img_size"`
	Resize        int        `json:"resize,omitempty"` // the shorter edge before the crop
	CropPct       float64    `json:"crop_pct"`
	CropMode      string     `json:"crop_mode,omitempty"`
	Interpolation string     `json:"interpolation"`
	Mean          [3]float64 `json:"mean"`
	Std           [3]float64 `json:"std"`
	BGR           bool       `json:"bgr,omitempty"` // channels are blue, green, red; mean and std begin with red all the same
}

// Hash identifies the recipe: the SHA-256 of its fields as text, in hexadecimal.
func (r *Recipe) Hash() string {
	text := fmt.Appendf(nil, "size %d, resize %d, crop %v, %s, %s, mean %v, std %v",
		r.ImgSize, r.Resize, r.CropPct, r.CropMode, r.Interpolation, r.Mean, r.Std)
	if r.BGR {
		text = append(text, ", bgr"...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Cost is counted from the graph, for one image.
type Cost struct {
	Params      int64 `json:"params"`
	MACs        int64 `json:"macs"`
	Activations int64 `json:"activations"` // elements put out by the layers that MACs counts
}

// Timing holds the latency of queries: of a forward call of a batch each, but of Streams
// images in the multi-stream and of one image, its wait included, in the server. A
// percentile that the number of samples does not carry (see stat.MinSamples) is 0 and left
// out of the JSON.
type Timing struct {
	P50        int64   `json:"latency_p50_ns,omitempty"`
	P50Lo      int64   `json:"latency_p50_lo_ns,omitempty"` // 95 % interval of the processes' medians; 0 for one process
	P50Hi      int64   `json:"latency_p50_hi_ns,omitempty"`
	P90        int64   `json:"latency_p90_ns,omitempty"`
	P95        int64   `json:"latency_p95_ns,omitempty"`
	P99        int64   `json:"latency_p99_ns,omitempty"`
	P999       int64   `json:"latency_p999_ns,omitempty"`
	Min        int64   `json:"latency_min_ns"`
	Max        int64   `json:"latency_max_ns"`
	Mean       float64 `json:"latency_mean_ns"`
	N          int     `json:"n"`
	Warmup     int     `json:"warmup_n"`   // warm-up runs before the first sample
	WarmupTime int64   `json:"warmup_ns"`  // time of the warm-up
	Span       int64   `json:"span_ns"`    // from the first sample's start to the last sample's end
	Samples    []int64 `json:"samples_ns"` // every sample, in order of measurement

	Late       int `json:"late_queries,omitempty"`       // server: queries over the latency bound, unanswered ones included
	Unanswered int `json:"unanswered_queries,omitempty"` // server: queries still in the queue when the time was up

	Processes []Process `json:"processes,omitempty"` // processes that took the samples, in order
	// BetweenPercent is the standard deviation of the processes' medians, in percent of the median; within_percent is
	// how much of it the samples of one process explain. See stat.ProcessSpread.
	BetweenPercent float64 `json:"between_percent,omitempty"`
	WithinPercent  float64 `json:"within_percent,omitempty"`
}

// Footprint is what a network takes up once ready, and the time to get there.
type Footprint struct {
	WeightsBytes int64 `json:"weights_bytes"` // memory of the weights, as packed for the kernels
	ArenaBytes   int64 `json:"arena_bytes"`
	PeakRSSBytes int64 `json:"peak_rss_bytes"`    // largest resident memory of the network's own process
	Load         int64 `json:"load_ns"`           // time from file (or generator) to ready, without trials
	Tune         int64 `json:"tune_ns,omitempty"` // time of trials of algorithms, including looking up remembered ones
}

// Accuracy holds top-1 and top-5 in percent of all images with 95 % Wilson intervals. An
// unreadable image counts as wrong.
type Accuracy struct {
	Images          int      `json:"n_images"`
	Top1Images      int      `json:"top1_images"`
	Top5Images      int      `json:"top5_images"`
	Top1            float64  `json:"top1"`
	Top1Lo          float64  `json:"top1_lo"`
	Top1Hi          float64  `json:"top1_hi"`
	Top5            float64  `json:"top5"`
	Top5Lo          float64  `json:"top5_lo"`
	Top5Hi          float64  `json:"top5_hi"`
	Unreadable      int      `json:"unreadable"`
	UnreadableFiles []string `json:"unreadable_files,omitempty"`

	// ImageNotes counts images whose files are out of the ordinary, by what they are: damaged, exif_orientation, cmyk and so on.
	ImageNotes map[string]int `json:"image_notes,omitempty"`
}

// A Part says which of an evaluation's images a row is of. Rows of all parts join to the row of all images.
type Part struct {
	From        int    `json:"from"`         // the first image's index
	To          int    `json:"to"`           // the index behind the last image's
	Of          int    `json:"of"`           // images of the whole evaluation
	ItemDigests []byte `json:"item_digests"` // 32 bytes an image, in base64; dataset_sha256 is the SHA-256 of those of all images
	NotFinite   int    `json:"not_finite_images,omitempty"`
}

// NewAccuracy derives percentages and intervals from counts of images. Unreadable names
// the files that could not be decoded, already counted in images and as wrong. It panics
// where a count exceeds images.
func NewAccuracy(images, top1, top5 int, unreadable []string) *Accuracy {
	percent := func(k int) (share, lo, hi float64) {
		lo, hi = stat.Wilson(k, images)
		return 100 * float64(k) / float64(max(images, 1)), 100 * lo, 100 * hi
	}
	a := &Accuracy{
		Images: images, Top1Images: top1, Top5Images: top5,
		Unreadable: len(unreadable), UnreadableFiles: unreadable,
	}
	a.Top1, a.Top1Lo, a.Top1Hi = percent(top1)
	a.Top5, a.Top5Lo, a.Top5Hi = percent(top5)
	return a
}

// Pipeline holds the medians, per image, of the stages from file to prediction.
type Pipeline struct {
	Decode     int64 `json:"decode_p50_ns"`
	Preprocess int64 `json:"preprocess_p50_ns"`
	Forward    int64 `json:"forward_p50_ns"`
	EndToEnd   int64 `json:"end_to_end_p50_ns"`
	PipelineN  int   `json:"pipeline_n"`
}

// Host describes what the machine can do and how steady it is.
type Host struct {
	PeakGFLOPS   float64 `json:"peak_gflops_per_core"`
	ReadGBytes   float64 `json:"read_gbytes_per_s_per_core"`
	TimerStep    int64   `json:"timer_resolution_ns"`
	TimerCost    int64   `json:"timer_overhead_ns"`
	NoisePercent float64 `json:"noise_percent"`        // relative spread of a loop that never leaves the registers
	DriftPercent float64 `json:"drift_percent"`        // change of the loop's median from before the run to after it
	AAPercent    float64 `json:"aa_percent,omitempty"` // difference between the medians of the same loop, measured twice in turn
}

// A Plan is how an engine computed: engines with the same hash, of one network with the same weights, give the same
// bits.
type Plan struct {
	Hash    string   `json:"hash"`
	Source  string   `json:"source"` // source of the choices: "trials", "table" (of measured preferences), or "given" by another record
	Choices []Choice `json:"choices,omitempty"`
	// MaxError is the largest of the layers' MaxError.
	MaxError float64 `json:"max_error,omitempty"`
}

// A Choice is the algorithm of a layer that more than one can compute.
type Choice struct {
	Layer     string `json:"layer"`
	Algorithm string `json:"algorithm"`
}

// A Layer is one step of the plan.
type Layer struct {
	Name      string `json:"name"`
	Op        string `json:"op"`
	Out       []int  `json:"out"` // shape without the batch, (C,H,W) or (N,C)
	Params    int64  `json:"params"`
	MACs      int64  `json:"macs"`
	Algorithm string `json:"algorithm,omitempty"`
	P50       int64  `json:"p50_ns,omitempty"`
	// MaxError is what the kernels' tests allow the algorithm: the rounding error of an output over the layer's largest
	// one, for normally distributed inputs and weights. Winograd's is about ten times a direct sum's. 0 where none is stated.
	MaxError float64 `json:"max_error,omitempty"`
	Kind     string  `json:"kind,omitempty"` // what the layer computes, one of zoo/engine's kinds
}

// Published are figures from the literature for the same network or checkpoint, shown
// beside measured ones and never in their place. Accuracies are percent, 0 where the
// source has none.
type Published struct {
	Top1    float64 `json:"top1,omitempty"`
	Top5    float64 `json:"top5,omitempty"`
	ImgSize int     `json:"img_size,omitempty"` // input size of the accuracies
	Params  int64   `json:"params,omitempty"`
	MACs    int64   `json:"macs,omitempty"`
	Dataset string  `json:"dataset,omitempty"`
	Source  string  `json:"source"` // where the figures are published
}

// A Verdict says whether a measurement is to be trusted. Reasons are why it is not,
// warnings what a reader should know nevertheless.
type Verdict struct {
	Valid    bool     `json:"valid"`
	Reasons  []string `json:"reasons,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Name returns the network with its checkpoint's tag, as resnet50.tv_in1k, or the network
// alone where the weights have none.
func (r *Record) Name() string {
	if r.Checkpoint == "" {
		return r.Model
	}
	return r.Model + "." + r.Checkpoint
}

// Measured reports whether the record has figures of a network, rather than why it has none.
func (r *Record) Measured() bool {
	return r.Timing != nil || r.Accuracy != nil || r.Training != nil && r.Kind == KindTrain
}

// Why returns the reason that column, a JSON name, was not measured: the column's own,
// else the reasons of an invalid verdict, else that it was not asked for.
func (r *Record) Why(column string) string {
	if why := r.NotMeasured[column]; why != "" {
		return why
	}
	if !r.Verdict.Valid && len(r.Verdict.Reasons) > 0 {
		return strings.Join(r.Verdict.Reasons, "; ")
	}
	return "not asked for"
}
