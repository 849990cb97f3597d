// Package choose finds the network to take for images of one's own: it gives every checkpoint in the cache folder a head for
// these classes, tests all of them on the same images and times them on this machine.
//
// The contract: networks stay as they were published. Their features, what the classifier is given, come from the engine
// and the preprocessing that are used everywhere. A linear probe and a vote of the nearest neighbours learn from them and,
// where the classes are ImageNet's, the network's own head takes part without learning. Every image is predicted by heads
// that have not seen its fold, and the heads' settings do not depend on it either. Folds are stratified and drawn by a
// seed, and images that look the same are in one fold. The images are dealt out several times, in splits, so that nothing
// hangs on one draw of folds: figures are means over the splits. The splits are of the same images and so are not
// independent: intervals are those of as many images as there are, and tests compare the means image by image, images that
// look the same as one. An image that cannot be read is listed and counts as wrong for every network. Two networks are a
// tie where a test on the same images finds no difference: for accuracy McNemar's exact test, which with several splits
// flips the signs of the images' mean differences, for the other metrics a paired bootstrap. Among the ties within two
// points of the best, the quickest is picked. Several processes time each network, in rounds over all of them, and a network
// is quicker than another if the test of the processes' medians says so, corrected for all networks. Features, timings and
// predictions are kept in the cache under the hash of everything that they depend on. Accuracies on corrupted images, where they
// are asked for, are of the same heads and decide nothing.
//
// Where fine-tuning is asked for, the best networks by their probes also learn from the images, all of their layers, in a time that
// they share. They never learn from one fold of the first split and are compared with their probes on that one; they decide nothing.
//
// Other networks are judged as they are. Learning and statistics of heads are bench/choose/heads, features and their store
// bench/choose/features, steps of fine-tuning bench/training; timing is left to bench/runner and its processes, and flags and exit
// codes to bench/cli.
package choose

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/datasets/corrupt"
	"zoobench/zoo"
)

// Options set a choice. List, Cache and Data must be given.
type Options struct {
	List   *zoo.List
	Cache  runner.Cache
	Worker runner.Worker // of the processes that time networks

	Data   string // folder with a folder for each class
	Split  string // of Data's splits, as train; "" where there are none
	Images int    // at most so many, drawn by the seed and balanced over the classes; 0 for all
	Folds  int    // default 5
	Splits int    // how often the images are dealt out to folds; default 5
	Seed   uint64

	Networks    []string // patterns; none for all with a file in the cache folder
	Limits      Limits   // Percentile's default is 0.5
	Threads     int      // 0 for one a processor
	Batch       int      // images a forward call; default 1
	MinDuration time.Duration
	Metric      Metric // default byAccuracy
	Fresh       bool   // time networks again that were timed in the last 24 hours
	NoTune      bool   // time them by the table of measured preferences, without trials of algorithms
	// Precisions are those in which every checkpoint is a candidate, as record.Axes have them; none for float32, and for int8 of the
	// networks that exceed a limit on latency or memory in float32, but not by more than int8 can gain.
	Precisions []string

	lighter bool // Precisions were left out

	Corruptions []corrupt.Corruption // to test the heads on besides; the zero one, of images as they are, is passed over

	FineTune time.Duration // that the best candidates share to learn from the images, all of their layers; 0 for none

	Say  func(line string)                  // hears what goes on; nil hears nothing
	Step func(what string, done, total int) // hears how far a long task is; nil hears nothing
}

func (o *Options) fill() error {
	o.Folds, o.Splits, o.Batch = orDefault(o.Folds, 5), orDefault(o.Splits, 5), orDefault(o.Batch, 1)
	if o.Limits.Percentile == 0 {
		o.Limits.Percentile = 0.5
	}
	if o.MinDuration == 0 {
		o.MinDuration = 3 * time.Second
	}
	if o.Metric == "" {
		o.Metric = byAccuracy
	}
	if len(o.Precisions) == 0 {
		o.Precisions, o.lighter = []string{""}, true
	}
	if len(o.Networks) == 0 {
		o.Networks = []string{everything}
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Step == nil {
		o.Step = func(string, int, int) {}
	}
	const mostFolds, mostSplits = 20, 50
	if o.Folds < 3 || o.Folds > mostFolds {
		return fmt.Errorf("choose: %d folds, want 3 to %d: one to test on, one to choose settings with, one to learn from", o.Folds, mostFolds)
	}
	if o.FineTune < 0 {
		return fmt.Errorf("choose: time for fine-tuning %v, want more than 0", o.FineTune)
	}
	if o.Splits < 1 || o.Splits > mostSplits {
		return fmt.Errorf("choose: %d splits, want 1 to %d", o.Splits, mostSplits)
	}
	if o.Batch < 0 || o.Threads < 0 || o.Images < 0 || o.Limits.Latency < 0 || o.Limits.Params < 0 || o.Limits.Memory < 0 {
		return errors.New("choose: a limit, a batch, or a number of threads or images is negative")
	}
	if _, known := percentiles[o.Limits.Percentile]; !known {
		return fmt.Errorf("choose: percentile %g, want 0.5, 0.9, 0.95 or 0.99", o.Limits.Percentile)
	}
	o.Corruptions = slices.DeleteFunc(slices.Clone(o.Corruptions), func(c corrupt.Corruption) bool { return c == corrupt.Corruption{} })
	if !slices.Contains(Metrics(), string(o.Metric)) {
		return fmt.Errorf("choose: metric %q, want one of %v", o.Metric, Metrics())
	}
	return nil
}

func orDefault(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// percentiles are a record's.
var percentiles = map[float64]func(*record.Timing) int64{
	0.5:  func(t *record.Timing) int64 { return t.P50 },
	0.9:  func(t *record.Timing) int64 { return t.P90 },
	0.95: func(t *record.Timing) int64 { return t.P95 },
	0.99: func(t *record.Timing) int64 { return t.P99 },
}

// nearMiss is by how much a network may exceed a limit and still be tested, so that the answer can say what a looser limit
// would give.
const nearMiss = 2

// A badFile is a file that could not be read.
type badFile struct {
	File string `json:"file"`
	Err  string `json:"error"`
}

// A learningCurve is a network's learning curve.
type learningCurve struct {
	Name string `json:"name"`
	heads.Curve
}

// A Result is the answer with everything that it is derived from.
type Result struct {
	Time     time.Time      `json:"time"`
	Machine  record.Machine `json:"machine"`
	Data     string         `json:"data"`
	Split    string         `json:"split,omitempty"`
	Images   int            `json:"images"`
	Found    int            `json:"images_found"`
	Classes  []string       `json:"classes"`
	PerClass []int          `json:"images_per_class"`
	ImageNet bool           `json:"imagenet_classes"`
	Folds    int            `json:"folds"`
	Splits   int            `json:"splits"`
	Seed     uint64         `json:"seed"`
	Threads  int            `json:"threads"`
	Batch    int            `json:"batch"`
	Metric   Metric         `json:"metric"`
	Limits   Limits         `json:"limits"`

	Corruptions []string `json:"corruptions,omitempty"` // that heads were tested on besides
	CorruptedBy string   `json:"corrupted_by,omitempty"`

	Candidates []*Candidate       `json:"candidates"`
	Absent     []absentCheckpoint `json:"absent,omitempty"`
	Rows       []*Row             `json:"rows"` // the best first
	Pick       *Row               `json:"-"`    // nil where nothing fits
	PickName   string             `json:"pick,omitempty"`
	PickHead   string             `json:"pick_head,omitempty"`
	Reason     string             `json:"reason"`
	Expected   *float64           `json:"expected_of_best,omitempty"` // of the best row by the metric, on new images; see resampleRows
	Changes    []pickChange       `json:"changes"`
	Curves     []learningCurve    `json:"curves"`
	Rivals     []string           `json:"rivals,omitempty"`   // of by_class: rows that are picked under other limits on latency
	ByClass    []classScore       `json:"by_class,omitempty"` // of the pick, the worst first
	Hints      []string           `json:"hints,omitempty"`    // on small and unequal classes
	Confusions []confusion        `json:"confusions"`         // the pick's
	AllWrong   []wrongImage       `json:"all_wrong"`
	Cascades   []WhatIf           `json:"cascades,omitempty"`
	Ensembles  []WhatIf           `json:"ensembles,omitempty"`
	FineTune   time.Duration      `json:"fine_tune_ns,omitempty"`
	Tuned      []*TunedRow        `json:"fine_tuned,omitempty"` // the best first
	Unreadable []badFile          `json:"unreadable,omitempty"`
	Alike      [][]string         `json:"alike,omitempty"`    // images that look the same
	Disputed   [][]string         `json:"disputed,omitempty"` // of these, those with several labels
	Warnings   []string           `json:"warnings,omitempty"`

	HeadFile string `json:"head_file,omitempty"` // where the pick's head was saved
	ONNXFile string `json:"onnx_file,omitempty"` // where the pick was saved with its head

	Answers *Answers `json:"-"`
	Head    *Head    `json:"-"` // the pick's, learned from all images

	Task runner.Task `json:"-"` // of the pick's checkpoint
}

// errNothing says that there is no checkpoint, or that none could be measured.
var errNothing = errors.New("no checkpoint to choose from")

// chooser is a choice under way.
type chooser struct {
	o Options
	*Result
	task       *task
	titles     []string
	store      features.Store
	images     []features.Image
	readable   []bool         // (images)
	group      []int          // (images), the same number for those that look the same
	studies    []*heads.Study // by split
	contenders []*contender
	rivals     []*Row // of Result.Rivals
}

// A contender is a candidate with what it takes to measure and to test it.
type contender struct {
	*Candidate
	task     runner.Task
	timing   *record.Record // nil where it is not timed
	features features.Table // in the store's file
	key      string         // of its features in the cache
	head     *Head          // without weights
	logits   int
}

// fail notes why a contender takes no further part.
func (c *chooser) fail(cand *contender, why string) {
	cand.Err = why
	c.o.Say(cand.Name + ": " + why)
}

// Run chooses. The error is one of the input, of the cache or of the context; a network that fails is a candidate with
// its reason.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	task, err := openTask(o.Data, o.Split, o.Images, o.Seed)
	if err != nil {
		return nil, err
	}
	build, err := runner.Build()
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	c := &chooser{o: o, task: task, store: features.Store{Dir: filepath.Join(o.Cache.Dir, "choose"), Build: build}}
	c.Result = &Result{
		Time: time.Now().UTC(), Machine: record.ThisMachine(), Data: o.Data, Split: c.task.Split, Images: len(c.task.Files), Found: c.task.Found,
		Classes: c.task.Classes, ImageNet: c.task.ImageNet != nil,
		Folds: o.Folds, Splits: o.Splits, Seed: o.Seed, Threads: o.Threads, Batch: o.Batch,
		Metric: o.Metric, Limits: o.Limits, FineTune: o.FineTune, PerClass: make([]int, len(c.task.Classes)),
	}
	for _, worsened := range o.Corruptions {
		c.Corruptions = append(c.Corruptions, worsened.String())
		c.CorruptedBy = corruptedBy(o.Seed)
	}
	for i := range c.task.Classes {
		c.titles = append(c.titles, c.task.title(i))
	}
	for _, l := range c.task.Labels {
		c.PerClass[l]++
	}
	defer func() {
		for _, cand := range c.contenders {
			cand.features.Close()
		}
	}()
	for _, stage := range []func(context.Context) error{c.candidates, c.scan, c.time, c.test, c.decide, c.learn, c.fineTune} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	return c.Result, nil
}

// scan reads the images and deals them out to folds.
func (c *chooser) scan(ctx context.Context) (err error) {
	c.o.Say(fmt.Sprintf("%d images of %d classes in %s", len(c.task.Files), len(c.task.Classes), c.task.Root))
	c.images, err = c.store.Scan(ctx, c.task.Folder, func(done, total int) { c.o.Step("reading images", done, total) })
	if err != nil {
		return err
	}
	c.look()
	for i, image := range c.images {
		if !c.readable[i] {
			c.Unreadable = append(c.Unreadable, badFile{c.task.Files[i], image.Err})
		}
	}
	if poor := c.classesBelow(2); len(poor) > 0 {
		return fmt.Errorf("choose: class %s: fewer than 2 different readable images, want one to learn from and one to test on",
			strings.Join(poor, ", "))
	}
	for split := range c.Splits {
		fold := heads.Deal(c.task.Labels, c.group, c.readable, len(c.Classes), c.Folds, heads.SplitSeed(c.Seed, split))
		for f := range c.Folds {
			if !slices.Contains(fold, f) {
				return fmt.Errorf("choose: %s: no image is left for fold %d of %d; use fewer folds or more images", c.Data, f+1, c.Folds)
			}
		}
		c.studies = append(c.studies, &heads.Study{Classes: len(c.task.Classes), Labels: c.task.Labels, Fold: fold, Folds: c.Folds})
	}
	c.alike()
	c.warnOfImages()
	return nil
}

// warn notes a warning and says it.
func (c *chooser) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.Warnings = append(c.Warnings, text)
	c.o.Say("warning: " + text)
}

// warnOfImages warns of what makes the images poor to judge by.
func (c *chooser) warnOfImages() {
	for _, w := range c.task.Warnings {
		c.warn("%s", w)
	}
	if few := c.classesBelow(c.Folds); len(few) > 0 {
		c.warn("%d of %d classes have fewer different readable images than there are folds (%d): their results depend on very few images: %s",
			len(few), len(c.Classes), c.Folds, strings.Join(first(few, mostConfusions), ", "))
	}
	if k := len(c.Unreadable); k > 0 {
		c.warn("%d of %d images could not be read and count as wrong for every network", k, len(c.images))
	}
	notes := datasets.NoteCounts{}
	for _, image := range c.images {
		notes.Add(image.Notes)
	}
	for _, text := range notes.Words(len(c.images), false) {
		c.warn("%s", text)
	}
	if len(c.Disputed) > 0 {
		c.warn("images that look the same have different labels (%d times); the report lists them", len(c.Disputed))
	}
	if len(c.task.Files) < c.task.Found {
		c.warn("only %d of the %d images are used: a random sample, balanced over the classes, from seed %d",
			len(c.task.Files), c.task.Found, c.Seed)
	}
	if c.ImageNet {
		c.warn("the classes are ImageNet's: if the images are from its training set, the networks have already learned their labels, " +
			"and all results are too high")
	}
}

// classesBelow are the classes with fewer readable images than n, those that look the same counted once: they are in one
// fold.
func (c *chooser) classesBelow(n int) (few []string) {
	distinct := make([]map[int]bool, len(c.Classes))
	for class := range distinct {
		distinct[class] = map[int]bool{}
	}
	for i, class := range c.task.Labels {
		if c.readable[i] {
			distinct[class][c.group[i]] = true
		}
	}
	for class, groups := range distinct {
		if len(groups) < n {
			few = append(few, c.titles[class])
		}
	}
	return few
}

// look notes which images can be read and which look the same.
func (c *chooser) look() {
	c.readable = make([]bool, len(c.images))
	for i, image := range c.images {
		c.readable[i] = image.Err == ""
	}
	c.group = features.Groups(c.images)
}

// alike lists the groups of images that look the same.
func (c *chooser) alike() {
	members := map[int][]int{}
	for i, g := range c.group {
		members[g] = append(members[g], i)
	}
	for i := range c.group {
		m := members[i]
		if len(m) < 2 {
			continue
		}
		var files []string
		disputed := false
		for _, j := range m {
			files = append(files, c.task.Files[j])
			disputed = disputed || c.task.Labels[j] != c.task.Labels[m[0]]
		}
		if c.Alike = append(c.Alike, files); disputed {
			c.Disputed = append(c.Disputed, files)
		}
	}
}
