package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"zoobench/bench/host"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
	"zoobench/zoo"
)

// stageImages is how many images the stages are timed apart on.
const stageImages = 64

// fewUnreadable is the share of images that may be unreadable in a speed that is to be trusted.
const fewUnreadable = 0.01

// Pipeline measures how fast a task's images become predictions, and what that takes: decoding and preparing one image
// on one core, the forward call alone, and all of it at once, where images are prepared beside the inference on the
// same cores. The whole process keeps to the task's threads. Weights are generated where the task has none.
func Pipeline(ctx context.Context, list *zoo.List, t Task, step func(done, total int)) (*record.Record, error) {
	a := t.Job.Accuracy
	if a == nil || a.Data == "" {
		return nil, errors.New("runner: pipeline: no images; name their folder with --data")
	}
	if t.Batch == 0 {
		t.Batch = evalBatch
	}
	files, err := openImages(a, 0) // labels play no part here
	if err != nil {
		return nil, err
	}
	defer files.Close()
	src := datasets.Sample(files, a.Limit, a.Seed)
	n, err := OpenForPhotographs(list, t)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	threads := n.Engine.Threads()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))

	var p record.Pipeline
	if err := n.stages(ctx, src, a.Exif != "", &p); err != nil {
		return nil, err
	}
	batches := (src.Len() + n.Engine.Batch() - 1) / n.Engine.Batch()
	p.Forward = n.forwardAlone(ctx, batches)
	loader, err := datasets.NewLoader(src, n.Preprocessing(), datasets.LoadOptions{
		Batch: n.Engine.Batch(), Workers: threads, Exif: a.Exif != "",
	})
	if err != nil {
		return nil, err
	}
	watch := host.NewWatch(host.Root)
	all, err := n.endToEnd(ctx, loader, src.Len(), step)
	if err != nil {
		return nil, err
	}
	if all.done == 0 {
		return nil, fmt.Errorf("runner: %s: no images", a.Data)
	}
	seen := watch.Seen()
	p.EndToEnd, p.PipelineN = middle(all.each), all.done

	r := n.record(record.KindPipeline, t)
	r.ImgSize, r.Batch, r.Threads = n.Recipe.Size, n.Engine.Batch(), threads
	r.Dataset, r.LabelsFile, r.DatasetSHA256 = filepath.Clean(a.Data), a.Labels, loader.Hash()
	r.ClassMapFile, r.Split, r.Exif, r.Reading = a.ClassMap, files.Split, a.Exif, files.Reading
	r.ImagesPerSec = float64(all.done) / all.span.Seconds()
	r.Pipeline = &p
	r.Verdict = record.Verdict{Valid: true, Warnings: n.warnings()}
	interfered(r, seen)
	disturbed(r, false) // workers wait for images
	if all.unreadable > 0 {
		// One that cannot be read takes next to no time.
		text := fmt.Sprintf("%d of %d images could not be read", all.unreadable, all.done)
		if r.Verdict.Warnings = append(r.Verdict.Warnings, text); float64(all.unreadable) > fewUnreadable*float64(all.done) {
			r.Verdict.Valid = false
			r.Verdict.Reasons = append(r.Verdict.Reasons, text)
		}
	}
	return r, nil
}

// A passage is what became of a source's images from file to prediction.
type passage struct {
	each             []time.Duration // by batch, of an image
	span             time.Duration
	done, unreadable int // images
}

// endToEnd predicts all images of a loader, which prepares them beside the inference.
func (n *Network) endToEnd(ctx context.Context, loader *datasets.Loader, total int, step func(done, total int)) (p passage, err error) {
	logits := make([]float32, n.Engine.Batch()*n.Graph.Output().Elems())
	begin := time.Now()
	last := begin
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return p, err
		}
		for _, failed := range batch.Errs {
			if failed != nil {
				p.unreadable++
			}
		}
		n.Engine.Run(logits, batch.Tensor, len(batch.Items))
		now := time.Now()
		p.each = append(p.each, now.Sub(last)/time.Duration(len(batch.Items)))
		last = now
		if p.done += len(batch.Items); step != nil {
			step(p.done, total)
		}
	}
	p.span = last.Sub(begin)
	return p, nil
}

// stages times decoding and preparing apart, an image at a time. An image that cannot be read is passed over.
func (n *Network) stages(ctx context.Context, src datasets.Source, exif bool, p *record.Pipeline) error {
	src = datasets.Sample(src, stageImages, 0)
	images, err := preprocess.New(n.Preprocessing(), preprocess.HWC)
	if err != nil {
		return err
	}
	decoder := decode.Decoder{Exif: exif}
	var decoding, preparing []time.Duration
	var buf []byte
	tensor := make([]float32, images.Len())
	for i := range src.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := src.Read(i, buf)
		if err != nil {
			continue
		}
		buf = data
		start := time.Now()
		m, err := decoder.DecodeWindow(data, images.Window)
		decoded := time.Now()
		if err != nil || images.Tensor(m, tensor) != nil {
			continue
		}
		decoding, preparing = append(decoding, decoded.Sub(start)), append(preparing, time.Since(decoded))
	}
	if len(decoding) == 0 {
		return fmt.Errorf("runner: pipeline: none of %d images can be read", src.Len())
	}
	p.Decode, p.Preprocess = middle(decoding), middle(preparing)
	return nil
}

// forwardAlone is the median time of an image, in nanoseconds, over so many forward calls of a batch with nothing beside
// them; the first three do not count.
func (n *Network) forwardAlone(ctx context.Context, calls int) int64 {
	f := newForward(n)
	var each []time.Duration
	for i := range calls + 3 {
		if ctx.Err() != nil {
			break
		}
		start := time.Now()
		n.Engine.Run(f.logits, f.src, f.Batch())
		if i >= 3 {
			each = append(each, time.Since(start)/time.Duration(f.Batch()))
		}
	}
	return middle(each)
}

// middle is the median in nanoseconds, 0 of none.
func middle(times []time.Duration) int64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2].Nanoseconds()
}
