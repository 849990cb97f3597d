package training

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"zoobench/datasets"
	"zoobench/datasets/augment"
	"zoobench/datasets/decode"
	"zoobench/internal/recipe"
)

// A batch is what a step learns from.
type batch struct {
	images []float32 // (n,H,W,3)
	labels []int
}

// batches reads, decodes and varies images in workers, ahead of the steps. What becomes of an image depends on the seed, the
// epoch and the image alone. In the place of an image that cannot be read comes the next one of the source that can.
type batches struct {
	src      datasets.Source
	n        int // images of a batch
	each     int // batches of an epoch; what is left over waits for another epoch's order
	seed     uint64
	workers  int
	augment  augment.Policy
	imageLen int

	mu         sync.Mutex
	cache      map[int]*decode.Image
	room       int            // bytes that the cache may still take
	unreadable map[int]string // by item: its name
}

// cacheBytes is how much memory decoded images may take: all of a set of small ones, some of a set of large ones.
const cacheBytes = 512 << 20

func newBatches(src datasets.Source, n int, p augment.Policy, seed uint64, workers int) (*batches, error) {
	a, err := augment.New(p)
	if err != nil {
		return nil, err
	}
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	n = min(n, src.Len())
	return &batches{
		src: src, n: n, each: src.Len() / n, seed: seed, workers: workers, augment: p, imageLen: a.Len(),
		cache: map[int]*decode.Image{}, room: cacheBytes, unreadable: map[int]string{},
	}, nil
}

// work is a place of a batch in the making.
type work struct {
	b           *batch
	place       int
	epoch, item int
	wg          *sync.WaitGroup
	failed      *error
}

// from gives the batches of steps from first up to last, in order. It ends early with the context.
func (bs *batches) from(ctx context.Context, first, last int) (next func() (*batch, error), stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	type made struct {
		b   *batch
		err error
	}
	const ahead = 2
	jobs, ready, free := make(chan work), make(chan made, ahead), make(chan *batch, ahead+1)
	for range ahead + 1 {
		free <- &batch{images: make([]float32, bs.n*bs.imageLen), labels: make([]int, bs.n)}
	}
	var workers sync.WaitGroup
	for range bs.workers {
		workers.Go(func() { bs.work(jobs) })
	}
	workers.Go(func() {
		defer close(jobs)
		defer close(ready)
		var order []int
		for step := first; step < last; step++ {
			epoch := step / bs.each
			if order == nil || step%bs.each == 0 {
				order = recipe.Order(bs.seed, epoch, bs.src.Len())
			}
			var b *batch
			select {
			case b = <-free:
			case <-ctx.Done():
				return
			}
			var failed error
			var wg sync.WaitGroup
			for place, item := range order[step%bs.each*bs.n:][:bs.n] {
				wg.Add(1)
				jobs <- work{b, place, epoch, item, &wg, &failed}
			}
			wg.Wait()
			select {
			case ready <- made{b, failed}:
			case <-ctx.Done():
				return
			}
		}
	})
	var last1 *batch
	next = func() (*batch, error) {
		if last1 != nil {
			free <- last1
		}
		m, ok := <-ready
		if !ok {
			return nil, cmp.Or(ctx.Err(), context.Canceled)
		}
		last1 = m.b
		return m.b, m.err
	}
	return next, func() { cancel(); workers.Wait() }
}

// work fills places of batches until there are no more.
func (bs *batches) work(jobs <-chan work) {
	a, _ := augment.New(bs.augment) // newBatches has made one
	var d decode.Decoder
	var buf []byte
	for w := range jobs {
		m, item, err := bs.readable(w.item, &d, &buf)
		if err == nil {
			err = a.Tensor(m, w.b.images[w.place*bs.imageLen:][:bs.imageLen], augment.Random(bs.seed, w.epoch, item))
		}
		if err != nil {
			bs.mu.Lock()
			*w.failed = err
			bs.mu.Unlock()
		} else {
			w.b.labels[w.place] = bs.src.Item(item).Labels[0]
		}
		w.wg.Done()
	}
}

// readable is an item's image, or that of the next item that can be read.
func (bs *batches) readable(item int, d *decode.Decoder, buf *[]byte) (*decode.Image, int, error) {
	for range bs.src.Len() {
		m, err := bs.read(item, d, buf)
		if err == nil {
			return m, item, nil
		}
		item = (item + 1) % bs.src.Len()
	}
	return nil, 0, fmt.Errorf("training: none of %d images can be read", bs.src.Len())
}

func (bs *batches) read(item int, d *decode.Decoder, buf *[]byte) (*decode.Image, error) {
	bs.mu.Lock()
	m, name := bs.cache[item], bs.unreadable[item]
	bs.mu.Unlock()
	if m != nil {
		return m, nil
	}
	if name != "" {
		return nil, fmt.Errorf("training: %s cannot be read", name)
	}
	data, err := bs.src.Read(item, *buf)
	if err == nil {
		*buf = data
		m, err = d.Decode(data)
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if err != nil {
		bs.unreadable[item] = bs.src.Item(item).Name
		return nil, err
	}
	if size := len(m.Pix); size <= bs.room {
		kept := *m
		kept.Pix = slices.Clone(m.Pix)
		bs.cache[item] = &kept
		bs.room -= size
	}
	return m, nil
}

// leftOut are the names of the images that could not be read, in order.
func (bs *batches) leftOut() []string {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	var names []string
	for _, name := range bs.unreadable {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
