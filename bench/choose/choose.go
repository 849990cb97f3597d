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
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/kernels/par"
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

// A Wrong is a picture that no network names rightly: often its label is the mistake.
type Wrong struct {
	File        string  `json:"file"`
	Label       string  `json:"label"`
	Said        string  `json:"said"`        // by most networks
	Networks    int     `json:"networks"`    // that say so
	Probability float64 `json:"probability"` // the mean of all networks' for that class
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
	task     *Task
	titles   []string
	pictures []picture
	readable []bool // of pictures
	group    []int  // of pictures, the same number for those that look the same
	study    *study
	dir      string // of the cache
	build    string
	tasks    map[string]runner.Task
	features map[string]table // of the networks tested, by name, in the cache's files
	chosen   map[string]Chosen
	heads    map[string]*Head // without weights
	logits   map[string]int
}

// Run chooses. The error is one of the input, of the cache or of the context; a network that fails is a candidate with
// its reason.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &chooser{o: o, dir: filepath.Join(o.Cache.Dir, "choose"), tasks: map[string]runner.Task{}, features: map[string]table{},
		chosen: map[string]Chosen{}, heads: map[string]*Head{}, logits: map[string]int{}}
	var err error
	if c.task, err = OpenTask(o.Data, o.Pictures, o.Seed); err != nil {
		return nil, err
	}
	if c.build, err = program(); err != nil {
		return nil, err
	}
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
		for _, t := range c.features {
			t.close()
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
	c.pictures, err = scan(ctx, c.task, c.dir, c.build, func(done, total int) { c.o.Step("looking at pictures", done, total) })
	if err != nil {
		return err
	}
	c.look()
	for i, p := range c.pictures {
		if !c.readable[i] {
			c.Unreadable = append(c.Unreadable, Bad{c.task.Files[i], p.Err})
		}
	}
	fold, err := stratify(c.task.Labels, c.group, c.readable, c.task.Classes, c.Folds, c.Seed)
	if err != nil {
		return err
	}
	c.alike()
	c.study = &study{classes: len(c.task.Classes), labels: c.task.Labels, fold: fold, folds: c.Folds}
	for f := range c.Folds {
		if len(c.study.in(f)) == 0 {
			return fmt.Errorf("choose: %s: no picture is left for fold %d of %d; take fewer folds or more pictures", c.Data, f+1, c.Folds)
		}
	}
	c.Warnings = append(c.Warnings, c.task.Warnings...)
	if few := c.scarce(); len(few) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d of %d classes have fewer readable pictures that differ than the %d folds, their figures rest on very few: %s",
			len(few), len(c.Classes), c.Folds, strings.Join(first(few, mostConfusions), ", ")))
	}
	if k := len(c.Unreadable); k > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d of %d pictures could not be read and count as wrong for every network", k, len(c.pictures)))
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
	return nil
}

// scarce lists the classes with fewer pictures than folds, those that look the same counted once: they stand in one fold.
func (c *chooser) scarce() (few []string) {
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
		if len(groups) < c.Folds {
			few = append(few, c.titles[class])
		}
	}
	return few
}

// look tells which pictures can be read and which look the same.
func (c *chooser) look() {
	c.readable = make([]bool, len(c.pictures))
	for i, p := range c.pictures {
		c.readable[i] = p.Err == ""
	}
	c.group = groups(c.pictures)
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

// test gives every network that fits, or nearly does, its heads and tests them.
func (c *chooser) test(ctx context.Context) error {
	c.study.pool = par.New(c.Threads)
	defer c.study.pool.Close()
	tested := 0
	for _, cand := range c.Candidates {
		if cand.Err != "" || cand.Skipped {
			continue
		}
		rows, err := c.testOne(ctx, cand)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			cand.Err = err.Error()
			c.o.Say(cand.Name + ": " + cand.Err)
			continue
		}
		tested++
		c.Rows = append(c.Rows, rows...)
		c.o.Say(fmt.Sprintf("%s: %s with a linear probe, %s for %s", cand.Name, percent(rows[0].Score.Accuracy.Value), milliseconds(cand.Latency), images(c.Batch)))
	}
	if tested == 0 {
		return c.nothing()
	}
	return nil
}

// nothing is the error of a choice without a network.
func (c *chooser) nothing() error {
	var errs []error
	over := 0
	for _, cand := range c.Candidates {
		if cand.Err != "" {
			errs = append(errs, fmt.Errorf("%s: %s", cand.Name, cand.Err))
		} else if len(cand.Exceeds) > 0 {
			over++
		}
	}
	if over > 0 {
		errs = append(errs, fmt.Errorf("%d exceed the limits by far", over))
	}
	return fmt.Errorf("choose: %w: %w", ErrNothing, errors.Join(errs...))
}

// answer is what a network's heads say, as the cache keeps it.
type answer struct {
	Chosen              Chosen
	Probe, Nearest, Own []float32 // (pictures, classes); Own is empty where the classes are not the network's
}

func (c *chooser) testOne(ctx context.Context, cand *Candidate) ([]*Row, error) {
	t := c.tasks[cand.Name]
	t.Threads, t.Batch = c.Threads, extractBatch
	n, err := Open(c.o.List, t)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	cand.Features = n.Features
	own := c.task.ImageNet
	if n.Logits != 1000 {
		own = nil // another list of classes
	}
	features, logits, err := extract(ctx, n, c.task, c.pictures, own, c.dir, c.build, func(done, total int) {
		c.o.Step(cand.Name+": features", done, total)
	})
	if err != nil {
		return nil, err
	}
	c.features[cand.Name], c.logits[cand.Name] = features, n.Logits
	if learned := len(c.study.few(c.study.rows(), features.cols)); learned < len(c.study.rows()) {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: heads learn from %d pictures, balanced over the classes, which is what memory is given to; they are tested on all", cand.Name, learned))
		c.o.Say("warning: " + c.Warnings[len(c.Warnings)-1])
	}
	c.heads[cand.Name] = &Head{Network: n.Network, SHA256: n.SHA256, File: n.File, Classes: c.Classes, Recipe: n.Recipe}
	var a answer
	err = c.cached(n, "answers", &a, func() (err error) {
		features := features.loaded() // as long as this takes
		probe, chosen, err := c.study.probe(ctx, features, func(done, total int) { c.o.Step(cand.Name+": linear probe", done, total) })
		if err != nil {
			return err
		}
		nearest, k, err := c.study.neighbour(ctx, features)
		if err != nil {
			return err
		}
		chosen.Neighbours = k
		if err := features.err(); err != nil {
			return err
		}
		a = answer{Chosen: chosen, Probe: probe.data, Nearest: nearest.data}
		if own != nil {
			a.Own = c.restricted(logits)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.chosen[cand.Name] = a.Chosen
	row := func(head string, data []float32) *Row {
		p := table{rows: len(c.pictures), cols: len(c.Classes), data: data}
		r := &Row{Name: cand.Name, Head: head, Fits: len(cand.Exceeds) == 0, Latency: cand.Latency, probabilities: p, outcome: c.study.outcome(p)}
		r.Score = score(r.outcome)
		return r
	}
	rows := []*Row{row(headProbe, a.Probe), row(headNearest, a.Nearest)}
	rows[0].Strengths, rows[0].Overall, rows[0].Gradient = a.Chosen.Strength, a.Chosen.Overall, a.Chosen.Gradient
	rows[1].Neighbours = a.Chosen.Neighbours
	if own != nil {
		rows = append(rows, row(headOwn, a.Own))
	}
	return rows, nil
}

// restricted are the probabilities of the person's classes by the network's own head.
func (c *chooser) restricted(logits table) []float32 {
	p := newTable(logits.rows, logits.cols)
	all := slices.Repeat([]bool{true}, logits.cols)
	row := make([]float64, logits.cols)
	for i := range p.rows {
		softmax(row, logits.row(i), all)
		for j, v := range row {
			p.row(i)[j] = float32(v)
		}
	}
	return p.data
}

// cached fills v from the cache or by compute: what it hangs on is the network, the pictures, their labels and folds.
func (c *chooser) cached(n *Network, kind string, v any, compute func() error) error {
	key, err := n.key(c.build)
	if err != nil {
		return err
	}
	h := sha256.New()
	var sums []string
	for _, p := range c.pictures {
		sums = append(sums, p.SHA256)
	}
	if err := json.NewEncoder(h).Encode(struct {
		Key, Kind string
		Sums      []string
		Labels    []int
		Folds     []int
		ImageNet  []int
		Seed      uint64
	}{key, kind, sums, c.task.Labels, c.study.fold, c.task.ImageNet, c.Seed}); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	path := filepath.Join(c.dir, n.Name+"-"+hex.EncodeToString(h.Sum(nil)[:16])+"."+kind)
	if f, err := os.Open(path); err == nil {
		err = gob.NewDecoder(f).Decode(v)
		f.Close()
		if err == nil {
			return nil
		}
	}
	if err := compute(); err != nil {
		return err
	}
	if err := record.Replace(path, func(w io.Writer) error { return gob.NewEncoder(w).Encode(v) }); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	return nil
}
