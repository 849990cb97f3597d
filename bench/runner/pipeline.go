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
	n, err := Open(list, t)
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
	var each []time.Duration
	watch := host.NewWatch(host.Root)
	begin := time.Now()
	last := begin
	done, unreadable := 0, 0
	logits := make([]float32, n.Engine.Batch()*n.Graph.Output().Elems())
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for _, failed := range batch.Errs {
			if failed != nil {
				unreadable++
			}
		}
		n.Engine.Run(logits, batch.Tensor, len(batch.Items))
		now := time.Now()
		each = append(each, now.Sub(last)/time.Duration(len(batch.Items)))
		last = now
		if done += len(batch.Items); step != nil {
			step(done, src.Len())
		}
	}
	if done == 0 {
		return nil, fmt.Errorf("runner: %s: no images", a.Data)
	}
	seen := watch.Seen()
	p.EndToEnd, p.PipelineN = middle(each), done

	r := n.record(record.KindPipeline, t)
	r.ImgSize, r.Batch, r.Threads = n.Recipe.Size, n.Engine.Batch(), threads
	r.Dataset, r.LabelsFile, r.DatasetSHA256 = filepath.Clean(a.Data), a.Labels, loader.Hash()
	r.ClassMapFile, r.Split, r.Exif, r.Reading = a.ClassMap, files.Split, a.Exif, files.Reading
	r.ImagesPerSec = float64(done) / last.Sub(begin).Seconds()
	r.Pipeline = &p
	r.Verdict = record.Verdict{Valid: true, Warnings: n.warnings()}
	interfered(r, seen)
	disturbed(r, false) // workers wait for images
	if unreadable > 0 {
		// One that cannot be read takes next to no time.
		text := fmt.Sprintf("%d of %d images could not be read", unreadable, done)
		if r.Verdict.Warnings = append(r.Verdict.Warnings, text); float64(unreadable) > fewUnreadable*float64(done) {
			r.Verdict.Valid = false
			r.Verdict.Reasons = append(r.Verdict.Reasons, text)
		}
	}
	return r, nil
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
