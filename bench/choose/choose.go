// Package choose finds the network to take for pictures of one's own: it gives every checkpoint at hand a head for the
// person's classes, tests them all on the same pictures and times them on this machine.
//
// The contract: networks stay as they were published. Their features, what the classifier is given, come from the same
// engine and preprocessing as everywhere. A linear probe and a vote of the nearest neighbours learn from them and,
// where the classes are ImageNet's, the network's own head takes part without learning. Every picture is predicted by
// heads that have not seen its fold; what a head's settings hang on has not seen it either. Folds are stratified and
// drawn by a seed, and pictures that look the same stand in one. A picture that cannot be read is listed and counts as
// wrong for every network. Two networks that a test on the same pictures does not tell apart are a tie, by McNemar's test
// for accuracy and by a paired bootstrap for the other metrics, and of ties within two points of the best the quickest is
// picked. Features, timings and predictions are kept in the cache under the hash of everything they hang on.
//
// Networks are judged as they are; how they would do after training on the pictures is not known. It leaves timing to
// bench/load in a process a network, as bench/runner does it, intervals and tests to bench/stat, and flags and exit
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
	"zoobench/zoo"
)

// Options set a choice. List, Cache and Data must be given.
type Options struct {
	List   *zoo.List
	Cache  runner.Cache
	Worker runner.Worker // of the processes that time networks

	Data     string // folder with a folder for each class
	Pictures int    // at most so many, drawn by the seed and balanced over the classes; 0 for all
	Folds    int    // default 5
	Seed     uint64

	Networks    []string // patterns; none for all
	Limits      Limits   // Percentile's default is 0.5
	Threads     int      // 0 for one a processor
	Batch       int      // images a forward call; default 1
	MinDuration time.Duration
	Metric      Metric // default Accuracy
	Fresh       bool   // time networks again that were timed in the last 24 hours
	NoTune      bool   // time them by the table of measured preferences, without trials of algorithms

	Say  func(line string)                  // hears what goes on; nil hears nothing
	Step func(what string, done, total int) // hears how far a long task is; nil hears nothing
}

func (o *Options) fill() error {
	o.Folds, o.Batch = orDefault(o.Folds, 5), orDefault(o.Batch, 1)
	if o.Limits.Percentile == 0 {
		o.Limits.Percentile = 0.5
	}
	if o.MinDuration == 0 {
		o.MinDuration = 3 * time.Second
	}
	if o.Metric == "" {
		o.Metric = Accuracy
	}
	if len(o.Networks) == 0 {
		o.Networks = []string{"*"}
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Step == nil {
		o.Step = func(string, int, int) {}
	}
	const mostFolds = 20
	if o.Folds < 3 || o.Folds > mostFolds {
		return fmt.Errorf("choose: %d folds, want 3 to %d: one to test on, one to choose settings by and one to learn from", o.Folds, mostFolds)
	}
	if o.Batch < 0 || o.Threads < 0 || o.Pictures < 0 || o.Limits.Latency < 0 || o.Limits.Params < 0 || o.Limits.Memory < 0 {
		return errors.New("choose: a limit, a batch or a number of threads or pictures below 0")
	}
	if _, known := percentiles[o.Limits.Percentile]; !known {
		return fmt.Errorf("choose: percentile %g, want 0.5, 0.9, 0.95 or 0.99", o.Limits.Percentile)
	}
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

// nearMiss is by how much a network may exceed a limit and still be tested, so that the answer can say what a looser one
// would buy.
const nearMiss = 2

// A Bad is a file that could not be read.
type Bad struct {
	File string `json:"file"`
	Err  string `json:"error"`
}

// A Curve is a network's learning curve.
type Curve struct {
	Name string `json:"name"`
	heads.Curve
}

// A Result is the answer with all it rests on.
type Result struct {
	Time     time.Time      `json:"time"`
	Machine  record.Machine `json:"machine"`
	Data     string         `json:"data"`
	Pictures int            `json:"pictures"`
	Found    int            `json:"pictures_found"`
	Classes  []string       `json:"classes"`
	PerClass []int          `json:"pictures_per_class"`
	ImageNet bool           `json:"imagenet_classes"`
	Folds    int            `json:"folds"`
	Seed     uint64         `json:"seed"`
	Threads  int            `json:"threads"`
	Batch    int            `json:"batch"`
	Metric   Metric         `json:"metric"`
	Limits   Limits         `json:"limits"`

	Candidates []*Candidate `json:"candidates"`
	Absent     []Absent     `json:"absent,omitempty"`
	Rows       []*Row       `json:"rows"` // the best first
	Pick       *Row         `json:"-"`    // nil where nothing fits
	PickName   string       `json:"pick,omitempty"`
	PickHead   string       `json:"pick_head,omitempty"`
	Reason     string       `json:"reason"`
	Expected   *float64     `json:"expected_of_best,omitempty"` // by the metric, of taking the best on other pictures; see resampleRows
	Changes    []Change     `json:"changes"`
	Curves     []Curve      `json:"curves"`
	Confusions []Confusion  `json:"confusions"` // the pick's
	AllWrong   []Wrong      `json:"all_wrong"`
	Cascades   []WhatIf     `json:"cascades,omitempty"`
	Ensembles  []WhatIf     `json:"ensembles,omitempty"`
	Unreadable []Bad        `json:"unreadable,omitempty"`
	Alike      [][]string   `json:"alike,omitempty"`    // pictures that look the same
	Disputed   [][]string   `json:"disputed,omitempty"` // of these, those under several labels
	Warnings   []string     `json:"warnings,omitempty"`

	Answers *Answers `json:"-"`
	Head    *Head    `json:"-"` // the pick's, learned from all pictures
}

// ErrNothing says that no checkpoint is at hand, or none of them could be measured.
var ErrNothing = errors.New("no checkpoint to choose from")

// chooser is a choice under way.
type chooser struct {
	o Options
	*Result
	task       *Task
	titles     []string
	store      features.Store
	images     []features.Image
	readable   []bool // (images)
	group      []int  // (images), the same number for those that look the same
	study      *heads.Study
	contenders []*contender
}

// A contender is a candidate with what it takes to measure and to test it.
type contender struct {
	*Candidate
	task     runner.Task
	features features.Table // in the store's file
	chosen   heads.Chosen   // for its linear probe
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
	task, err := OpenTask(o.Data, o.Pictures, o.Seed)
	if err != nil {
		return nil, err
	}
	build, err := program()
	if err != nil {
		return nil, err
	}
	c := &chooser{o: o, task: task, store: features.Store{Dir: filepath.Join(o.Cache.Dir, "choose"), Build: build}}
	c.Result = &Result{
		Time: time.Now().UTC(), Machine: record.ThisMachine(), Data: o.Data, Pictures: len(c.task.Files), Found: c.task.Found,
		Classes: c.task.Classes, ImageNet: c.task.ImageNet != nil, Folds: o.Folds, Seed: o.Seed, Threads: o.Threads, Batch: o.Batch,
		Metric: o.Metric, Limits: o.Limits, PerClass: make([]int, len(c.task.Classes)),
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
	for _, stage := range []func(context.Context) error{c.candidates, c.scan, c.time, c.test, c.decide, c.learn} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	return c.Result, nil
}

// scan reads the pictures and deals them out to folds.
func (c *chooser) scan(ctx context.Context) (err error) {
	c.o.Say(fmt.Sprintf("%d pictures of %d classes in %s", len(c.task.Files), len(c.task.Classes), c.task.Root))
	c.images, err = c.store.Scan(ctx, c.task.Folder, func(done, total int) { c.o.Step("looking at pictures", done, total) })
	if err != nil {
		return err
	}
	c.look()
	for i, image := range c.images {
		if !c.readable[i] {
			c.Unreadable = append(c.Unreadable, Bad{c.task.Files[i], image.Err})
		}
	}
	if poor := c.classesBelow(2); len(poor) > 0 {
		return fmt.Errorf("choose: class %s: fewer than 2 readable pictures that differ, want one to learn from and one to test on", strings.Join(poor, ", "))
	}
	fold := heads.Deal(c.task.Labels, c.group, c.readable, len(c.Classes), c.Folds, c.Seed)
	for f := range c.Folds {
		if !slices.Contains(fold, f) {
			return fmt.Errorf("choose: %s: no picture is left for fold %d of %d; take fewer folds or more pictures", c.Data, f+1, c.Folds)
		}
	}
	c.study = &heads.Study{Classes: len(c.task.Classes), Labels: c.task.Labels, Fold: fold, Folds: c.Folds}
	c.alike()
	c.warn()
	return nil
}

// warn notes what is to be said about the pictures before anything is tested.
func (c *chooser) warn() {
	c.Warnings = append(c.Warnings, c.task.Warnings...)
	if few := c.classesBelow(c.Folds); len(few) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d of %d classes have fewer readable pictures that differ than the %d folds, their figures rest on very few: %s",
			len(few), len(c.Classes), c.Folds, strings.Join(first(few, mostConfusions), ", ")))
	}
	if k := len(c.Unreadable); k > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d of %d pictures could not be read and count as wrong for every network", k, len(c.images)))
	}
	if len(c.Disputed) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d times the same picture stands under several labels", len(c.Disputed)))
	}
	if len(c.task.Files) < c.task.Found {
		c.Warnings = append(c.Warnings, fmt.Sprintf("a sample of %d of the %d pictures, balanced over the classes, drawn by seed %d", len(c.task.Files), c.task.Found, c.Seed))
	}
	if c.ImageNet {
		c.Warnings = append(c.Warnings, "the classes are ImageNet's: where pictures are of its training set, networks have seen them with their labels, and every figure is too high")
	}
	for _, w := range c.Warnings {
		c.o.Say("warning: " + w)
	}
}

// classesBelow are the classes with fewer readable pictures than n, those that look the same counted once: they are in one
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

// look notes which pictures can be read and which look the same.
func (c *chooser) look() {
	c.readable = make([]bool, len(c.images))
	for i, image := range c.images {
		c.readable[i] = image.Err == ""
	}
	c.group = features.Groups(c.images)
}

// alike lists the groups of pictures that look the same.
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
