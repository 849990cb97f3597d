package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/datasets/corrupt"
	"zoobench/zoo"
)

// evalBatch is how many images an evaluation takes at a time where nobody says otherwise: enough for the weights of a
// layer to be read once for several images, little enough that batches are ready while others are computed.
const evalBatch = 8

// Watch hears of an evaluation under way; nil functions hear nothing.
type Watch struct {
	Ready  func(*Network, *datasets.Files) // before the first image
	Step   func(done, total int)           // images
	Sample func(Sample) error              // in the source's order; an error ends the evaluation
}

// A Sample is what a network made of one image.
type Sample struct {
	File   string
	Labels []int     // the classes that count as right
	Top5   []int     // the best classes, best first, fewer where there are fewer or where scores are NaN
	Scores []float32 // their logits
	LogSum float64   // logarithm of the sum of all logits' exponentials
	Err    error     // why the image could not be read; there are no scores then
}

// Record is the sample as a line of a per-sample file.
func (s Sample) Record() record.Sample {
	line := record.Sample{File: s.File, Labels: s.Labels, Top5: s.Top5, Scores: s.Scores, LogSum: s.LogSum}
	if s.Err != nil {
		line.Error = s.Err.Error()
	}
	return line
}

// Accuracy makes a task's network ready and compares its predictions with the labels of the task's images. Images are
// read, decoded and prepared beside the inference. An unreadable one counts as wrong and is listed.
func Accuracy(ctx context.Context, list *zoo.List, t Task, w Watch) (*record.Record, error) {
	a := t.Job.Accuracy
	if a == nil || a.Data == "" {
		return nil, errors.New("runner: accuracy: no images; name their folder with --data")
	}
	if t.Batch == 0 {
		t.Batch = evalBatch
	}
	ready, err := Describe(list, t)
	if err != nil {
		return nil, err
	}
	defer ready.Close()
	// The images are opened before the weights are packed: packing takes long, and the images may have other classes.
	files, err := ready.openImages(a)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	n, err := ready.Load(ready.Options())
	if err != nil {
		return nil, err
	}
	defer n.Close()
	if w.Ready != nil {
		w.Ready(n, files)
	}
	src, err := evaluated(files, a)
	if err != nil {
		return nil, err
	}
	part, err := t.part(src.Len())
	if err != nil {
		return nil, err
	}
	if part != nil {
		src = datasets.Part(src, part.From, part.To)
	}
	change, err := corruption(t)
	if err != nil {
		return nil, err
	}
	loader, err := datasets.NewLoader(src, n.Preprocessing(), datasets.LoadOptions{
		Batch: t.Batch, Workers: runtime.GOMAXPROCS(0), Exif: a.Exif != "", Change: change, Contents: n.Int8 != nil,
	})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	c, err := n.count(ctx, loader, src.Len(), files.Answers.Classes, w)
	if err != nil {
		return nil, err
	}
	if c.images == 0 && part == nil {
		return nil, fmt.Errorf("runner: %s: no image has a label", a.Data)
	}

	r := n.record(record.KindEval, t)
	r.ImgSize, r.Batch, r.Threads = n.Recipe.Size, n.Engine.Batch(), n.Engine.Threads()
	r.Dataset, r.LabelsFile, r.DatasetSHA256 = filepath.Clean(a.Data), a.Labels, loader.Hash()
	r.ClassMapFile, r.Split, r.Exif, r.Reading = a.ClassMap, files.Split, a.Exif, files.Reading
	r.DatasetSet = files.Set
	r.Answers = files.Answers.String()
	_, r.CorruptedBy = n.Corruption()
	switch {
	case r.Answers != "" || t.Corruption != "": // the published figures are of all classes, or of images as they are
		r.Published = publishedCounts(n.Spec)
	case files.Set == datasets.ImageNetV2:
		r.Published = publishedV2(n.Spec, n.Tag, n.Recipe)
	}
	r.ImagesPerSec = float64(src.Len()) / time.Since(start).Seconds()
	r.Accuracy = record.NewAccuracy(c.images, c.top1, c.top5, c.unreadable)
	r.Verdict = record.Verdict{Valid: true, Warnings: slices.Concat(files.Warnings, n.warnings())}
	if published, _ := n.Spec.Checkpoint(n.Tag); !strings.HasPrefix(n.SHA256, published.SHA256) {
		r.Verdict.Warnings = append(r.Verdict.Warnings, fmt.Sprintf("%s is not the published file of %s: SHA-256 %.16s, want %.16s",
			filepath.Base(n.File), r.Name(), n.SHA256, published.SHA256))
	}
	choices := n.Graph.Classes
	if files.Answers.Classes != nil {
		choices = len(files.Answers.Classes)
	}
	if choices <= 5 {
		r.Verdict.Warnings = append(r.Verdict.Warnings, fmt.Sprintf("top-5 says nothing: there are %d answers, all of them among the best five",
			choices))
	}
	r.ImageNotes = c.notes.Names()
	if r.Calibration != nil {
		r.Calibration.Shared = n.images.shared(loader.Contents())
	}
	if part == nil {
		r.Verdict.Warnings = append(r.Verdict.Warnings, c.warnings()...)
		r.Verdict.Warnings = append(r.Verdict.Warnings, sharedWarnings(r)...)
	} else {
		part.ItemDigests, part.NotFinite = loader.Digests(), c.notFinite
		r.Part = part
	}
	var known bool
	if r.Footprint, known = n.footprint(); !known {
		r.NotMeasured = map[string]string{"peak_rss_bytes": "this system does not say"}
	}
	return r, nil
}

// warnings are what a reader should know of the images that were counted.
func (c *counts) warnings() (all []string) {
	if k := len(c.unreadable); k > 0 {
		all = append(all, fmt.Sprintf("%d of %d images could not be read and count as wrong", k, c.images))
	}
	all = append(all, c.notes.Words(c.images, false)...)
	if c.notFinite > 0 {
		all = append(all, fmt.Sprintf("%d of %d images have scores that are not finite", c.notFinite, c.images))
	}
	return all
}

// corruption returns what worsens an accuracy's images, drawn by its seed, nil for nothing.
func corruption(t Task) (func(pixels []byte, size int, key [32]byte), error) {
	if t.Corruption == "" {
		return nil, nil
	}
	c, err := corrupt.Parse(t.Corruption)
	if err != nil {
		return nil, fmt.Errorf("runner: corruption: %w", err)
	}
	return c.Change(t.corruptionSeed()), nil
}

// corruptionSeed is the seed of what images are worsened with: an accuracy's, 0 where none is measured.
func (t *Task) corruptionSeed() uint64 {
	if t.Job.Accuracy == nil {
		return 0
	}
	return t.Job.Accuracy.Seed
}

// openImages opens an accuracy's images for the network's classes. That the two do not fit is an error with both
// numbers.
func (r *Ready) openImages(a *experiment.Accuracy) (*datasets.Files, error) {
	if err := r.Photographs(); err != nil {
		return nil, err
	}
	files, err := openImages(a, r.Graph.Classes)
	if err == nil {
		return files, nil
	}
	// Images that can be opened for any classes do not fit these.
	if others, none := openImages(a, 0); none == nil {
		others.Close()
		of := r.Spec.Name
		if r.File != "" {
			of = filepath.Base(r.File)
		}
		err = fmt.Errorf("runner: %s has %d classes: %w", of, r.Graph.Classes, err)
	}
	return nil, err
}

// counts are an evaluation's results; images without any right answer are in none of them.
type counts struct {
	images, top1, top5, notFinite int
	unreadable                    []string
	notes                         datasets.NoteCounts
}

// count counts right answers, chosen among the classes of answers, all where that is nil.
func (n *Network) count(ctx context.Context, loader *datasets.Loader, total int, answers []int, w Watch) (c counts, err error) {
	classes := n.Graph.Output().Elems()
	logits := make([]float32, n.Engine.Batch()*classes)
	done := 0
	c.notes = datasets.NoteCounts{}
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return c, err
		}
		n.Engine.Run(logits, batch.Tensor, len(batch.Items))
		for i, item := range batch.Items {
			c.notes.Add(batch.Notes[i])
			s := Sample{File: item.Name, Labels: item.Labels, Err: batch.Errs[i]}
			finite := true
			if s.Err == nil {
				row := logits[i*classes : (i+1)*classes]
				s.Top5, finite = topAmong(row, answers, 5)
				for _, class := range s.Top5 {
					s.Scores = append(s.Scores, row[class])
				}
				s.LogSum = logSum(row, answers)
			}
			c.add(s, finite)
			if w.Sample != nil {
				if err := w.Sample(s); err != nil {
					return c, err
				}
			}
		}
		if done += len(batch.Items); w.Step != nil {
			w.Step(done, total)
		}
	}
	return c, nil
}

func (c *counts) add(s Sample, finite bool) {
	if len(s.Labels) == 0 {
		return
	}
	c.images++
	if s.Err != nil {
		c.unreadable = append(c.unreadable, s.File+": "+s.Err.Error())
		return
	}
	if !finite {
		c.notFinite++
	}
	for rank, class := range s.Top5 {
		if slices.Contains(s.Labels, class) {
			c.top5++
			if rank == 0 {
				c.top1++
			}
			return
		}
	}
}

// Top returns the k classes with the highest scores, best first, ties by the lower index, and whether all scores are
// finite. A NaN is no score: its class is never among them.
func Top(scores []float32, k int) (classes []int, finite bool) { return topAmong(scores, nil, k) }

// topAmong is Top among some classes, in ascending order, all where there are none.
func topAmong(scores []float32, among []int, k int) (classes []int, finite bool) {
	finite = true
	for i := range eachClass(scores, among) {
		v := scores[i]
		if math.IsNaN(float64(v)) {
			finite = false
			continue
		}
		finite = finite && !math.IsInf(float64(v), 0)
		at, _ := slices.BinarySearchFunc(classes, v, func(class int, v float32) int {
			if scores[class] >= v {
				return -1 // the new one stands behind its equals, whose index is lower
			}
			return cmp.Compare(v, scores[class])
		})
		if at < k {
			classes = slices.Insert(classes, at, i)
			classes = classes[:min(k, len(classes))]
		}
	}
	return classes, finite
}

// eachClass goes through some classes, all where there are none.
func eachClass(scores []float32, among []int) iter.Seq[int] {
	return func(yield func(int) bool) {
		if among == nil {
			for i := range scores {
				if !yield(i) {
					return
				}
			}
			return
		}
		for _, i := range among {
			if !yield(i) {
				return
			}
		}
	}
}

// Softmax returns the probabilities that scores stand for, summed in float64. Scores that are not all finite have none:
// the result is all NaN.
func Softmax(scores []float32) []float64 {
	p := make([]float64, len(scores))
	largest := math.Inf(-1)
	for _, v := range scores {
		largest = math.Max(largest, float64(v))
	}
	var sum float64
	for i, v := range scores {
		p[i] = math.Exp(float64(v) - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// logSum is the natural logarithm of the sum of the exponentials of some classes' scores, of all where there are none.
func logSum(scores []float32, among []int) float64 {
	largest, sum := math.Inf(-1), 0.0
	for i := range eachClass(scores, among) {
		largest = math.Max(largest, float64(scores[i]))
	}
	for i := range eachClass(scores, among) {
		sum += math.Exp(float64(scores[i]) - largest)
	}
	return largest + math.Log(sum)
}

// accuracy is Accuracy as a worker does it: what it made of each image goes to the task's file.
func accuracy(ctx context.Context, list *zoo.List, t Task, step func(done, total int)) (r *record.Record, err error) {
	w := Watch{Step: step}
	if t.Samples != "" {
		samples, err := record.NewSampleWriter(t.Samples)
		if err != nil {
			return nil, fmt.Errorf("runner: %w", err)
		}
		w.Sample = func(s Sample) error { return samples.Write(s.Record()) }
		r, err := Accuracy(ctx, list, t, w)
		return r, errors.Join(err, samples.Close(err))
	}
	return Accuracy(ctx, list, t, w)
}
