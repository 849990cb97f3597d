package experiment

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"zoobench/bench/load"
	"zoobench/bench/record"
)

// maxBytes is the largest file that is read.
const maxBytes = 1 << 20

// Limits of what a job can sensibly be asked for.
const (
	maxBatch     = 4096
	maxThreads   = 1024
	maxProcesses = 1000
	maxImgSize   = 8192
	maxSamples   = 10_000_000
	maxRate      = 1e9  // images a second
	maxAxis      = 1000 // values of one axis, and checkpoints
	minMemory    = 16 << 20
	maxPrice     = 1e6

	maxCalibration = 10_000 // images; all of them are in memory at once
)

// Load reads the file at path; its relative paths are taken from its own folder.
func Load(path string, known Known) (*File, error) { return LoadWith(path, known, Changes{}) }

// LoadWith reads the file at path with changes.
func LoadWith(path string, known Known, changes Changes) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	defer f.Close()
	return parseWith(path, f, known, changes)
}

// Parse reads experiments.yaml from r. Path names the file in errors, and its folder is
// where relative paths start. An error that concerns the text is [Errors].
func Parse(path string, r io.Reader, known Known) (*File, error) {
	return parseWith(path, r, known, Changes{})
}

// parseWith reads experiments.yaml from r with changes. Relative paths among them start at the working directory.
func parseWith(path string, r io.Reader, known Known, changes Changes) (*File, error) {
	settings, err := readSettings(changes.Set)
	if err != nil {
		return nil, err
	}
	doc, err := document(path, r, `"experiments"`)
	if err != nil {
		return nil, err
	}
	p := parser{decoder: decoder{file: path, settings: settings}, known: known, dir: filepath.Dir(path)}
	if p.cycles(doc, map[*yaml.Node]bool{}); len(p.errs) > 0 {
		return nil, p.err()
	}
	p.apply(doc.Content[0], changes.Only)
	f := p.document(doc.Content[0])
	if err := p.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// document reads the one YAML document of a file; want is the key that an empty file lacks.
func document(path string, r io.Reader, want string) (*yaml.Node, error) {
	src, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", path, err)
	}
	if len(src) > maxBytes {
		return nil, Errors{{File: path, Line: 1, Column: 1, Text: fmt.Sprintf("more than %d bytes, too large for an experiment file", maxBytes)}}
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Errors{{File: path, Line: 1, Column: 1, Text: "the file is empty, want " + want}}
	} else if err != nil {
		return nil, syntaxError(path, src, err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, Errors{{File: path, Line: second.Line, Column: second.Column, Text: "a second document, want one"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(path, src, err)
	}
	return &doc, nil
}

// yamlLine finds the line that yaml.v3 puts into its syntax errors' text.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError gives an error of yaml.v3 the form of this package's. The library tells the
// line alone; the column is where that line's text begins.
func syntaxError(path string, src []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line, column := 1, 1
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	if lines := bytes.Split(src, []byte("\n")); line >= 1 && line <= len(lines) {
		column += len(lines[line-1]) - len(bytes.TrimLeft(lines[line-1], " \t"))
	}
	return Errors{{File: path, Line: line, Column: column, Text: "not YAML: " + strings.Trim(strconv.Quote(text), `"`)}}
}

// A parser knows the schema.
type parser struct {
	decoder
	known Known
	dir   string
}

func (p *parser) document(n *yaml.Node) *File {
	f := &File{Path: p.file}
	var run []*yaml.Node
	names, jobs := map[string]*yaml.Node{}, 0
	p.mapping(n, "file", []key{
		{"run", false, func(n *yaml.Node) {
			p.list(n, "run", func(n *yaml.Node) {
				var name string
				if p.text(n, "run", &name) {
					run, f.Run = append(run, n), axis(p, n, "run", f.Run, name)
				}
			})
		}},
		{"experiments", true, func(n *yaml.Node) {
			p.list(n, "experiments", func(n *yaml.Node) {
				e, at := p.experiment(n)
				if at == nil {
					return
				}
				if before := names[e.Name]; before != nil {
					p.fail(at, "experiment %q is given twice, first in line %d", e.Name, before.Line)
					return
				}
				names[e.Name] = at
				f.Experiments = append(f.Experiments, e)
				few := jobs <= maxJobs
				if jobs += e.count(); few && jobs > maxJobs {
					p.fail(at, "experiment %q: the axes make %d jobs so far, want at most %d in a file", e.Name, jobs, maxJobs)
				}
			})
		}},
	})
	valid := make([]string, len(f.Experiments))
	for i, e := range f.Experiments {
		valid[i] = e.Name
	}
	for _, n := range run {
		name, ok := p.follow(n)
		if ok && names[name.Value] == nil {
			p.fail(n, "run: unknown experiment %s, %s", quote(name.Value), suggest(name.Value, valid))
		}
	}
	if f.Run == nil {
		f.Run = valid
	}
	return f
}

// experiment reads one experiment; at is where its name stands, nil where it has none.
func (p *parser) experiment(n *yaml.Node) (e Experiment, at *yaml.Node) {
	var scenarios, isas, precisions []string
	var latency, accuracy, train, models *yaml.Node
	p.mapping(n, "experiment", []key{
		{"name", true, func(n *yaml.Node) {
			if p.name(n, &e.Name) {
				at = n
			}
		}},
		{"question", true, func(n *yaml.Node) { p.text(n, "question", &e.Question) }},
		{"models", false, func(n *yaml.Node) { models = n; e.Models = p.models(n) }},
		{"isa", false, func(n *yaml.Node) { isas = p.words(n, "isa", p.known.ISAs) }},
		{"precision", false, func(n *yaml.Node) { precisions = p.words(n, "precision", p.known.Precisions) }},
		{"threads", false, func(n *yaml.Node) { e.Threads = p.wholes(n, "threads", 1, maxThreads) }},
		{"batch", false, func(n *yaml.Node) { e.Batch = p.wholes(n, "batch", 1, maxBatch) }},
		{"img_size", false, func(n *yaml.Node) { e.ImgSize = p.wholes(n, "img_size", 1, maxImgSize) }},
		{"scenario", false, func(n *yaml.Node) { scenarios = p.words(n, "scenario", scenarioNames()) }},
		{"latency", false, func(n *yaml.Node) { latency = n; e.Latency = p.latency(n) }},
		{"accuracy", false, func(n *yaml.Node) { accuracy = n; e.Accuracy = p.accuracy(n) }},
		{"train", false, func(n *yaml.Node) { train = n; e.Training = p.training(n) }},
		{"calibration", false, func(n *yaml.Node) { e.Calibration = p.calibration(n) }},
		{"exact", false, func(n *yaml.Node) { p.boolean(n, "exact", &e.Exact) }},
		{"no_tune", false, func(n *yaml.Node) { p.boolean(n, "no_tune", &e.NoTune) }},
		{"processes", false, func(n *yaml.Node) { p.whole(n, "processes", 1, maxProcesses, &e.Processes) }},
		{"timeout", false, func(n *yaml.Node) { p.duration(n, "timeout", &e.Timeout) }},
		{"price", false, func(n *yaml.Node) { p.price(n, "price", &e.Price) }},
		{"max_memory", false, func(n *yaml.Node) { p.size(n, "max_memory", minMemory, &e.MaxMemory) }},
	})
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return e, at
	}
	if latency == nil && accuracy == nil && train == nil {
		e.Latency = &Latency{}
	}
	if train != nil {
		if e.Accuracy != nil && len(e.Accuracy.Checkpoints) > 0 {
			p.fail(accuracy, `accuracy: "checkpoints" and "train" are given: want one of them, as an experiment evaluates what it trains`)
		}
		e.complete(p.known.Sets)
	}
	if models == nil && (train != nil || e.Latency != nil || e.Accuracy == nil || len(e.Accuracy.Checkpoints) == 0) {
		p.fail(n, `experiment: no "models"`)
	}
	for _, s := range scenarios {
		e.Scenario = append(e.Scenario, load.Scenario(s))
	}
	if slices.Contains(e.Scenario, load.Server) && e.Latency != nil && e.Latency.Rate == 0 {
		p.fail(n, `experiment: scenario server has no "rate" under latency`)
	}
	e.ISA = isas
	for _, name := range precisions {
		e.Precision = append(e.Precision, record.OtherPrecision(name))
	}
	e.defaults()
	return e, at
}

// name reads the name of an experiment or a recipe, and reports whether it is one.
func (p *parser) name(n *yaml.Node, to *string) bool {
	if !p.text(n, "name", to) {
		return false
	}
	if strings.Trim(*to, nameLetters) != "" {
		p.fail(n, "name: have %s, want lower case letters, digits, - and _", quote(*to))
		return false
	}
	return true
}

const nameLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_"

// defaults fills the axes that the file leaves out.
func (e *Experiment) defaults() {
	if e.ISA == nil {
		e.ISA = []string{""}
	}
	if e.Precision == nil {
		e.Precision = []string{""}
	}
	for _, axis := range []struct {
		values *[]int
		value  int
	}{{&e.Threads, 1}, {&e.Batch, 1}, {&e.ImgSize, 0}} {
		if *axis.values == nil {
			*axis.values = []int{axis.value}
		}
	}
	if e.Processes == 0 {
		e.Processes = DefaultProcesses
	}
	if e.Scenario == nil {
		e.Scenario = []load.Scenario{load.SingleStream}
	}
}

func scenarioNames() []string {
	var names []string
	for _, s := range load.Scenarios() {
		names = append(names, string(s))
	}
	return names
}

// modelFile reads the path of a network's own file, "" where there is none.
func (p *parser) modelFile(n *yaml.Node) (path string) {
	p.mapping(n, "model", []key{{"file", true, func(n *yaml.Node) { p.path(n, "file", &path) }}})
	return path
}

// axis keeps an error where v stands in values already or they are too many, else appends
// it.
func axis[T comparable](p *parser, n *yaml.Node, what string, values []T, v T) []T {
	switch {
	case slices.Contains(values, v):
		p.fail(n, "%s: %v is given twice", what, v)
	case len(values) == maxAxis:
		p.fail(n, "%s: more than %d values", what, maxAxis)
	default:
		values = append(values, v)
	}
	return values
}

func (p *parser) words(n *yaml.Node, what string, valid []string) (words []string) {
	p.list(n, what, func(n *yaml.Node) {
		var s string
		if p.word(n, what, valid, &s) {
			words = axis(p, n, what, words, s)
		}
	})
	return words
}

func (p *parser) wholes(n *yaml.Node, what string, lo, hi int) (values []int) {
	p.list(n, what, func(n *yaml.Node) {
		var v int
		if p.whole(n, what, lo, hi, &v) {
			values = axis(p, n, what, values, v)
		}
	})
	return values
}

// empty reports whether n is a section that was opened and left blank: all defaults.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (p *parser) latency(n *yaml.Node) *Latency {
	l := &Latency{}
	if empty(n) {
		return l
	}
	p.mapping(n, "latency", []key{
		{"min_duration", false, func(n *yaml.Node) { p.duration(n, "min_duration", &l.MinDuration) }},
		{"max_duration", false, func(n *yaml.Node) { p.duration(n, "max_duration", &l.MaxDuration) }},
		{"min_samples", false, func(n *yaml.Node) { p.whole(n, "min_samples", 1, maxSamples, &l.MinSamples) }},
		{"streams", false, func(n *yaml.Node) { p.whole(n, "streams", 1, maxBatch, &l.Streams) }},
		{"rate", false, func(n *yaml.Node) { p.positive(n, "rate", maxRate, &l.Rate) }},
		{"latency_bound", false, func(n *yaml.Node) { p.duration(n, "latency_bound", &l.LatencyBound) }},
		{"seed", false, func(n *yaml.Node) { p.seed(n, "seed", &l.Seed) }},
	})
	if l.MaxDuration > 0 && l.MaxDuration < l.MinDuration {
		p.fail(n, "latency: max_duration %v is less than min_duration %v", l.MaxDuration, l.MinDuration)
	}
	return l
}

func (p *parser) accuracy(n *yaml.Node) *Accuracy {
	a := &Accuracy{}
	if empty(n) {
		return a
	}
	p.mapping(n, "accuracy", []key{
		{"data", false, func(n *yaml.Node) { p.images(n, &a.Data) }},
		{"labels", false, func(n *yaml.Node) { p.path(n, "labels", &a.Labels) }},
		{"class_map", false, func(n *yaml.Node) { p.path(n, "class_map", &a.ClassMap) }},
		{"split", false, func(n *yaml.Node) { p.text(n, "split", &a.Split) }},
		{"corruption", false, func(n *yaml.Node) { a.Corruption = p.corruptions(n) }},
		{"answers", false, func(n *yaml.Node) { p.answers(n, &a.Answers) }},
		{"exif", false, func(n *yaml.Node) { p.exif(n, &a.Exif) }},
		{"limit", false, func(n *yaml.Node) { p.whole(n, "limit", 1, maxSamples, &a.Limit) }},
		{"seed", false, func(n *yaml.Node) { p.seed(n, "seed", &a.Seed) }},
		{"threads", false, func(n *yaml.Node) { p.whole(n, "threads", 1, maxThreads, &a.Threads) }},
		{"batch", false, func(n *yaml.Node) { p.whole(n, "batch", 1, maxBatch, &a.Batch) }},
		{"checkpoints", false, func(n *yaml.Node) {
			p.list(n, "checkpoints", func(n *yaml.Node) {
				if c, ok := p.checkpoint(n); ok {
					a.Checkpoints = axis(p, n, "checkpoints", a.Checkpoints, c)
				}
			})
		}},
	})
	if a.Labels != "" && a.Data == "" {
		p.fail(n, `accuracy: "labels" is given without "data"`)
	}
	return a
}

// calibration reads the images of rows in int8.
func (p *parser) calibration(n *yaml.Node) *Calibration {
	c := &Calibration{Images: CalibrationImages}
	p.mapping(n, "calibration", []key{
		{"data", true, func(n *yaml.Node) { p.images(n, &c.Data) }},
		{"split", false, func(n *yaml.Node) { p.text(n, "split", &c.Split) }},
		{"images", false, func(n *yaml.Node) { p.whole(n, "images", 1, maxCalibration, &c.Images) }},
		{"seed", false, func(n *yaml.Node) { p.seed(n, "seed", &c.Seed) }},
	})
	return c
}

// exif reads whether images are turned by their Exif orientation.
func (p *parser) exif(n *yaml.Node, to *string) {
	var word string
	if !p.text(n, "exif", &word) {
		return
	}
	switch word {
	case "apply":
		*to = word
	case "ignore":
	default:
		p.fail(n, "exif: %s, want apply or ignore", quote(word))
	}
}

func (p *parser) checkpoint(n *yaml.Node) (c Checkpoint, ok bool) {
	good := false
	isMapping := p.mapping(n, "checkpoint", []key{
		{"network", true, func(n *yaml.Node) {
			var name string
			if !p.text(n, "network", &name) {
				return
			}
			names := p.networks(n, "network", name)
			if len(names) > 1 {
				p.fail(n, "network: %s is %d networks, want one", quote(name), len(names))
			} else if len(names) == 1 {
				c.Network, good = names[0], true
			}
		}},
		{"tag", false, func(n *yaml.Node) { p.text(n, "tag", &c.Tag) }},
		{"file", false, func(n *yaml.Node) { p.path(n, "file", &c.File) }},
	})
	if isMapping && c.Tag == "" && c.File == "" {
		p.fail(n, `checkpoint: no "tag" and no "file", want at least one`)
		return c, false
	}
	return c, isMapping && good
}

// corruptions reads what images are worsened with, "" for nothing.
func (p *parser) corruptions(n *yaml.Node) (all []string) {
	p.list(n, "corruption", func(n *yaml.Node) {
		var word string
		if !p.text(n, "corruption", &word) {
			return
		}
		if p.known.Corruptions == nil {
			p.fail(n, "corruption: this program computes none")
			return
		}
		some, err := p.known.Corruptions(word)
		if err != nil {
			p.fail(n, "corruption: %v", err)
		}
		for _, c := range some {
			if slices.Contains(all, c) {
				p.fail(n, "corruption: %s is given twice", cmp.Or(c, "none"))
			}
			all = append(all, c)
		}
	})
	return all
}
