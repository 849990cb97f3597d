package zoo

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"zoobench/zoo/pocket"
)

// published.tsv is a line a checkpoint, "-" where nothing is published. Its facts are timm's and torchvision's: where
// the file lies, its hash as far as the file's name has it, its parameters and accuracy, from timm's
// results-imagenet.csv and results-imagenetv2-matched-frequency.csv, timm's pretrained configurations and torchvision's
// weight metadata. Of Keras's files, addresses and hashes are in its source, accuracies in its documentation, those of
// MobileNets by alpha in the README of keras-applications, and below 224 pixels TensorFlow's of the checkpoints that they
// were made of (mobilenet_v1.md of 2017-06-14; keras-applications repeats those of MobileNetV2); parameters are Keras's
// count, running statistics too.
//
// sha256 is "md5:" and an MD5 where that is published instead;
// crop is size@fraction, or size/shorter edge in pixels; test is a second size@fraction; a result is
// size:fraction:interpolation:top1:top5, and :top1:top5 on ImageNetV2 where published; results are separated by ";".
//
//go:embed published.tsv
var publishedTSV string

// Checkpoint is one set of published weights for a network.
type Checkpoint struct {
	Network string // the zoo's name
	Tag     string // "tv_in1k", "IMAGENET1K_V2"
	Library string // whose names and figures: "timm", "torchvision", "keras"
	Where   string // the file's URL, or its repository on huggingface.co ("timm/resnet50.tv_in1k"); "" where unknown
	SHA256  string // the first digits, as the file's name has them, or all; "" where unknown
	MD5     string // "" where a SHA-256 is published, or nothing
	Licence string // SPDX, lower case; "" where unknown
	Params  string // as published: a number, or millions to two decimals; Keras counts running statistics too
	Recipe  Recipe // mean and deviation are the network's own where its library publishes none
	Paper   string // of the training method, "" where none is named
	Results []Result

	// Shipped are the weights that the program itself contains; nil for a checkpoint that somebody published.
	Shipped *pocket.Weights
}

// Result is a published accuracy on ImageNet's 50 000 validation images.
type Result struct {
	Size           int
	CropPct        float64
	Interpolation  string
	Top1, Top5     float64 // percent; Top5 is 0 where not published
	V2Top1, V2Top5 float64 // percent, ImageNetV2 matched-frequency; 0 where not published
}

// Name is the checkpoint's full name, "resnet50.tv_in1k".
func (c Checkpoint) Name() string { return c.Network + "." + c.Tag }

// ResultAt is the result that was published for images prepared as a full recipe says; false where there is none.
func (c Checkpoint) ResultAt(r Recipe) (Result, bool) {
	for _, res := range c.Results {
		edge := int(float64(res.Size) / res.CropPct) // of crops to four digits: a pixel more or less is the same
		if res.Size == r.Size && edge-r.Resize <= 1 && r.Resize-edge <= 1 && res.Interpolation == r.Interpolation {
			return res, true
		}
	}
	return Result{}, false
}

// URL is where the file can be fetched, "" where that is unknown.
func (c Checkpoint) URL() string {
	if c.Where == "" || strings.Contains(c.Where, "://") {
		return c.Where
	}
	return "https://huggingface.co/" + c.Where + "/resolve/main/model.safetensors"
}

// Checkpoint is the network's published checkpoint of this tag; false where there is none.
func (s *Spec) Checkpoint(tag string) (Checkpoint, bool) {
	for _, c := range s.Checkpoints {
		if c.Tag == tag {
			return c, true
		}
	}
	return Checkpoint{}, false
}

// Shipped is the network's checkpoint that the program contains; false where it contains none.
func (s *Spec) Shipped() (Checkpoint, bool) {
	i := slices.IndexFunc(s.Checkpoints, func(c Checkpoint) bool { return c.Shipped != nil })
	if i < 0 {
		return Checkpoint{}, false
	}
	return s.Checkpoints[i], true
}

// FindCheckpoint is the checkpoint of this name, network and tag with a dot between ("resnet50.tv_in1k"); an alias of
// the network will do. An unknown one is an error with the tags there are.
func (l *List) FindCheckpoint(name string) (Checkpoint, error) {
	network, tag := Split(name)
	spec, err := l.Find(network)
	if err != nil {
		return Checkpoint{}, err
	}
	if c, ok := spec.Checkpoint(tag); ok {
		return c, nil
	}
	var tags []string
	for _, c := range spec.Checkpoints {
		tags = append(tags, c.Tag)
	}
	if len(tags) == 0 {
		return Checkpoint{}, fmt.Errorf("zoo: %s: no published weights", network)
	}
	return Checkpoint{}, fmt.Errorf("zoo: %s: no published weights %q; there are: %s", network, tag, strings.Join(tags, ", "))
}

// addPublished gives the list's networks the table's checkpoints, in the table's order.
func (l *List) addPublished() {
	for i, line := range strings.Split(strings.TrimSpace(publishedTSV), "\n")[1:] {
		c, err := parseCheckpoint(line)
		if err != nil {
			panic(fmt.Sprintf("zoo: published.tsv:%d: %v", i+2, err)) // the table is part of the program; a test reads it
		}
		spec := l.publishedSpec(c)
		if spec == nil {
			continue
		}
		c.Network = spec.Name
		if c.Recipe.Mean == ([3]float64{}) {
			own := spec.Recipe.Full(spec.Size)
			c.Recipe.Mean, c.Recipe.Std, c.Recipe.BGR = own.Mean, own.Std, own.BGR
		}
		spec.Checkpoints = append(spec.Checkpoints, c)
	}
}

// addShipped gives the list's networks the weights that the program contains.
func (l *List) addShipped(all []pocket.Weights) {
	for i := range all {
		w := &all[i]
		spec := l.byName[w.Network]
		if spec == nil {
			panic(fmt.Sprintf("zoo: weights of %s, which is no network", w.Network)) // the index is part of the program; a test reads it
		}
		recipe := spec.Recipe
		recipe.Size = spec.Size
		spec.Checkpoints = append(spec.Checkpoints, Checkpoint{
			Network: spec.Name, Tag: pocket.Tag, Library: "zoobench", SHA256: w.SHA256, Licence: "apache-2.0", Recipe: recipe,
			Params: strconv.FormatInt(spec.Params, 10), Shipped: w,
		})
	}
}

// publishedSpec is the network of a row, nil where the list lacks it. torchvision's own network stands under tv_ where
// it differs from timm's of the same name, and under name_size where weights for a larger size have parameters of
// another shape (vit_b_16_384).
func (l *List) publishedSpec(c Checkpoint) *Spec {
	if c.Library == "torchvision" {
		for _, name := range []string{fmt.Sprintf("%s_%d", c.Network, c.Recipe.Size), "tv_" + c.Network} {
			if s := l.byName[name]; s != nil {
				return s
			}
		}
	}
	return l.byName[c.Network]
}

func parseCheckpoint(line string) (Checkpoint, error) {
	f := strings.Split(line, "\t")
	if len(f) != 15 {
		return Checkpoint{}, fmt.Errorf("%d columns, want 15", len(f))
	}
	for i := range f {
		if f[i] == "-" {
			f[i] = ""
		}
	}
	c := Checkpoint{Library: f[0], Network: f[1], Tag: f[2], Where: f[3], SHA256: f[4], Licence: f[5], Params: f[6], Paper: f[13]}
	if md5, ok := strings.CutPrefix(c.SHA256, "md5:"); ok {
		c.SHA256, c.MD5 = "", md5
	}
	p := fields{}
	c.Recipe = Recipe{Interpolation: f[8], CropMode: f[11], Mean: p.triple(f[9], imageNetMean), Std: p.triple(f[10], imageNetStd)}
	c.Recipe.Size, c.Recipe.CropPct, c.Recipe.Resize = p.crop(f[7])
	if f[12] != "" {
		c.Recipe.TestSize, c.Recipe.TestCropPct, _ = p.crop(f[12])
	}
	for _, text := range strings.Split(f[14], ";") {
		r := append(strings.Split(text, ":"), "0", "0") // ImageNetV2's two, where they are missing
		if len(r) != 7 && len(r) != 9 {
			return c, fmt.Errorf("result %q: %d parts, want 5 or 7", text, len(r)-2)
		}
		c.Results = append(c.Results, Result{
			Size: p.integer(r[0]), CropPct: p.number(r[1]), Interpolation: r[2],
			Top1: p.number(r[3]), Top5: p.optional(r[4]), V2Top1: p.number(r[5]), V2Top5: p.number(r[6]),
		})
	}
	return c, p.err
}

// fields reads columns and keeps the first error.
type fields struct{ err error }

func (p *fields) number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if p.err == nil {
		p.err = err
	}
	return v
}

// optional reads a number, 0 for "-".
func (p *fields) optional(text string) float64 {
	if text == "-" {
		return 0
	}
	return p.number(text)
}

func (p *fields) integer(text string) int {
	v, err := strconv.Atoi(text)
	if p.err == nil {
		p.err = err
	}
	return v
}

// crop reads size@fraction or size/shorter edge.
func (p *fields) crop(text string) (size int, pct float64, resize int) {
	if a, b, ok := strings.Cut(text, "/"); ok {
		size, resize = p.integer(a), p.integer(b)
		return size, math.Round(float64(size)/float64(resize)*1e4) / 1e4, resize
	}
	a, b, _ := strings.Cut(text, "@")
	return p.integer(a), p.number(b), 0
}

// triple reads a channel triple: "imagenet", "half", three numbers, or zeros for nothing.
func (p *fields) triple(text string, imageNet [3]float64) (v [3]float64) {
	switch text {
	case "":
		return v
	case "imagenet":
		return imageNet
	case "half":
		return half
	}
	parts := strings.SplitN(text, ",", 3)
	for i := range min(3, len(parts)) {
		v[i] = p.number(parts[i])
	}
	return v
}
