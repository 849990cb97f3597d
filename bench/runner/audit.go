package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"zoobench/bench/stat"
	"zoobench/datasets"
	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
	"zoobench/zoo"
)

// An AuditRow is one way of preparing images and what it makes of a checkpoint's accuracy.
type AuditRow struct {
	Name     string // of the mistake, "as published" for none
	Detail   string // what is done instead of what
	Top1     int    // images
	Top5     int
	OnlyHere int     // images that this way alone got right, by top-1, and not the published way
	OnlyRef  int     // the reverse
	P        float64 // McNemar's exact test between the two; 1 for the published way
	PHolm    float64 // corrected for all mistakes
}

// An AuditResult holds the ways of preparing images, the published one first.
type AuditResult struct {
	Network    *Network // closed by now
	Set        string   // as datasets.Files.Set
	Answers    datasets.AnswerSpace
	Images     int
	Unreadable int
	Rows       []AuditRow
}

// way is one way of preparing images.
type way struct {
	name, detail string
	recipe       preprocess.Recipe
	otherChroma  bool
	noAntialias  bool
}

// ways are the recipe's own way and the plausible mistakes, those that would change nothing left out.
func ways(r preprocess.Recipe) []way {
	list := []way{{name: "as published", detail: fmt.Sprintf("resize %d, %s crop %d, %s", r.Resize, r.CropMode, r.Size, r.Interpolation),
		recipe: r}}
	add := func(name, detail string, change func(*way)) {
		w := way{name: name, detail: detail, recipe: r}
		change(&w)
		if w != list[0] {
			list = append(list, w)
		}
	}
	for _, f := range []preprocess.Filter{preprocess.Bilinear, preprocess.Bicubic, preprocess.Lanczos, preprocess.Nearest} {
		if f != r.Interpolation {
			add("interpolation", fmt.Sprintf("%s instead of %s", f, r.Interpolation), func(w *way) { w.recipe.Interpolation = f })
		}
	}
	if r.Interpolation == preprocess.Bilinear || r.Interpolation == preprocess.Bicubic {
		add("no antialias", fmt.Sprintf("%s without antialiasing, as torchvision resizes tensors", r.Interpolation),
			func(w *way) { w.noAntialias = true })
	}
	for _, pct := range []float64{0.875, 1} {
		if edge := int(float64(r.Size) / pct); edge != r.Resize {
			add("crop", fmt.Sprintf("resize %d instead of %d", edge, r.Resize), func(w *way) { w.recipe.Resize = edge })
		}
	}
	if r.CropMode != preprocess.Squash {
		add("squash", "proportions not kept", func(w *way) { w.recipe.CropMode = preprocess.Squash })
		add("squash, no crop", "resized to the input's size directly",
			func(w *way) { w.recipe.CropMode, w.recipe.Resize = preprocess.Squash, r.Size })
	}
	add("load_img", "resized to the input's size directly, by the nearest pixels, as Keras's load_img does", func(w *way) {
		w.recipe.CropMode, w.recipe.Resize, w.recipe.Interpolation = preprocess.Squash, r.Size, preprocess.Nearest
	})
	add("channel order", zoo.Recipe{BGR: !r.BGR}.Channels(), func(w *way) { // the statistics stay where they are
		w.recipe.BGR = !r.BGR
		slices.Reverse(w.recipe.Mean[:])
		slices.Reverse(w.recipe.Std[:])
	})
	for _, n := range []struct {
		detail    string
		mean, std [3]float64
	}{
		{"ImageNet's", [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}},
		{"0.5 and 0.5", [3]float64{0.5, 0.5, 0.5}, [3]float64{0.5, 0.5, 0.5}},
		{"none", [3]float64{}, [3]float64{1, 1, 1}},
	} {
		if n.mean != r.Mean || n.std != r.Std {
			add("mean and deviation", n.detail, func(w *way) { w.recipe.Mean, w.recipe.Std = n.mean, n.std })
		}
	}
	if r.Std[0] > 1./255 {
		add("range", "0 to 255 instead of 0 to 1", func(w *way) {
			for c := range 3 {
				w.recipe.Mean[c], w.recipe.Std[c] = r.Mean[c]/255, r.Std[c]/255
			}
		})
	} else {
		add("range", "0 to 1 instead of 0 to 255", func(w *way) {
			for c := range 3 {
				w.recipe.Std[c] *= 255
			}
		})
	}
	add("chroma", "JPEG's chroma repeated, not interpolated", func(w *way) { w.otherChroma = true })
	return list
}

// Audit measures a task's checkpoint on the task's images under the published preprocessing and under each plausible
// mistake. Step, which may be nil, hears how many images are done.
func Audit(ctx context.Context, list *zoo.List, t Task, step func(done, total int)) (*AuditResult, error) {
	a := t.Job.Accuracy
	if a == nil || a.Data == "" {
		return nil, errors.New("runner: audit: no images; name their folder with --data")
	}
	if t.Batch == 0 {
		t.Batch = evalBatch
	}
	ready, err := Describe(list, t)
	if err != nil {
		return nil, err
	}
	defer ready.Close()
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
	recipe, err := n.Preprocessing().Full()
	if err != nil {
		return nil, err
	}
	if recipe.Oblong() {
		return nil, fmt.Errorf("runner: audit: %s takes images of %v, want squares: the ways that are compared prepare these",
			n.Name(), n.Graph.Input())
	}
	all := ways(recipe)
	src := datasets.Sample(files, a.Limit, a.Seed)
	var preparers []*preparer
	for range min(runtime.GOMAXPROCS(0), t.Batch) {
		p, err := newPreparer(all, a.Exif != "")
		if err != nil {
			return nil, err
		}
		preparers = append(preparers, p)
	}

	result := &AuditResult{Network: n, Set: files.Set, Answers: files.Answers, Rows: make([]AuditRow, len(all))}
	for i, w := range all {
		result.Rows[i] = AuditRow{Name: w.name, Detail: w.detail}
	}
	imageLen := 3 * recipe.Size * recipe.Size
	tensors := make([][]float32, len(all))
	for i := range tensors {
		tensors[i] = make([]float32, t.Batch*imageLen)
	}
	logits := make([]float32, t.Batch*n.Graph.Output().Elems())
	for first := 0; first < src.Len(); first += t.Batch {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("runner: audit: stopped after %d of %d images: %w", first, src.Len(), err)
		}
		batch := min(t.Batch, src.Len()-first)
		readable := prepareBatch(preparers, src, first, batch, tensors, imageLen)
		result.count(n, src, first, readable, tensors, logits)
		if step != nil {
			step(first+batch, src.Len())
		}
	}
	if result.Images == 0 {
		return nil, fmt.Errorf("runner: audit: %s: no image has a label", a.Data)
	}
	result.test()
	return result, nil
}

// test compares every mistake with the published way.
func (r *AuditResult) test() {
	r.Rows[0].P, r.Rows[0].PHolm = 1, 1
	mistakes := r.Rows[1:]
	var p []float64
	for i := range mistakes {
		mistakes[i].P = stat.McNemar(mistakes[i].OnlyHere, mistakes[i].OnlyRef)
		p = append(p, mistakes[i].P)
	}
	for i, adjusted := range stat.Holm(p) {
		mistakes[i].PHolm = adjusted
	}
}

// prepareBatch fills the ways' tensors with some images and says which of them could be read.
func prepareBatch(preparers []*preparer, src datasets.Source, first, batch int, tensors [][]float32, imageLen int) []bool {
	readable := make([]bool, batch)
	var next atomic.Int64
	var workers sync.WaitGroup
	for _, p := range preparers {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= batch {
					return
				}
				readable[i] = p.prepare(src, first+i, func(way int) []float32 { return tensors[way][i*imageLen:][:imageLen] }) == nil
			}
		})
	}
	workers.Wait()
	return readable
}

// count runs a batch of every way and adds up its right answers. An unreadable image is wrong in all of them.
func (r *AuditResult) count(n *Network, src datasets.Source, first int, readable []bool, tensors [][]float32, logits []float32) {
	classes := n.Graph.Output().Elems()
	reference := make([]bool, len(readable))
	for w := range r.Rows {
		row := &r.Rows[w]
		n.Engine.Run(logits, tensors[w], len(readable))
		for i, ok := range readable {
			labels := src.Item(first + i).Labels
			if len(labels) == 0 {
				continue
			}
			if w == 0 {
				r.Images++
				if !ok {
					r.Unreadable++
				}
			}
			if !ok {
				continue
			}
			top, _ := topAmong(logits[i*classes:][:classes], r.Answers.Classes, 5)
			at := slices.IndexFunc(top, func(class int) bool { return slices.Contains(labels, class) })
			right := at == 0
			if at >= 0 {
				row.Top5++
			}
			if right {
				row.Top1++
			}
			if w == 0 {
				reference[i] = right
				continue
			}
			switch {
			case right && !reference[i]:
				row.OnlyHere++
			case !right && reference[i]:
				row.OnlyRef++
			}
		}
	}
}

// A preparer prepares one image at a time in all ways.
type preparer struct {
	ways       []way
	processors []*preprocess.Processor
	decoder    decode.Decoder
	buf        []byte
}

func newPreparer(all []way, exif bool) (*preparer, error) {
	p := &preparer{ways: all, decoder: decode.Decoder{Exif: exif}}
	for _, w := range all {
		processor, err := preprocess.New(w.recipe, preprocess.HWC)
		if err != nil {
			return nil, err
		}
		p.processors = append(p.processors, processor)
	}
	return p, nil
}

// prepare reads an image once and prepares it in every way.
func (p *preparer) prepare(src datasets.Source, item int, tensor func(way int) []float32) error {
	data, err := src.Read(item, p.buf)
	if err != nil {
		return err
	}
	p.buf = data
	m, err := p.decoder.Decode(data)
	if err != nil {
		return err
	}
	for i, w := range p.ways {
		dst := tensor(i)
		switch {
		case w.noAntialias:
			nearestPixels(m, w.recipe, dst)
		case w.otherChroma && !p.decoder.Exif:
			if err := p.processors[i].Tensor(repeatedChroma(data, m), dst); err != nil {
				return err
			}
		default:
			if err := p.processors[i].Tensor(m, dst); err != nil {
				return err
			}
		}
	}
	return nil
}
