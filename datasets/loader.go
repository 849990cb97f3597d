package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
)

// LoadOptions say how a Loader works. The zero value is one image a batch,
// channels last, a worker for each processor.
type LoadOptions struct {
	Batch   int               // images a batch; 0 means 1
	Workers int               // goroutines that decode and preprocess; 0 means GOMAXPROCS
	Ahead   int               // batches prepared beyond the one in use; 0 means as many as keep the workers busy
	Layout  preprocess.Layout // of the tensors
	Exif    bool              // images are turned by their Exif orientation
	// Change, where it is not nil, changes a crop's pixels of shape (size, size, 3) before they are scaled. The key is the
	// SHA-256 of the item's file. Workers call it at the same time.
	Change func(pixels []byte, size int, key [sha256.Size]byte)

	Contents bool // the SHA-256 of each item's file is kept, for Loader.Contents
}

// A Batch is some consecutive items of a source, ready for a network.
type Batch struct {
	First int    // the index of the first item in the source
	Items []Item // Batch of them, fewer in the last batch

	// Tensor has shape (len(Items), Size, width, 3), or (len(Items), 3, Size,
	// width) where the layout is CHW. It is zero for an item with an error.
	Tensor []float32

	// Errs has an entry for each item: nil, or why its file could not be read
	// or decoded. The error does not repeat the item's name.
	Errs []error

	// Notes has an entry for each item: what is out of the ordinary about its file.
	Notes []decode.Notes

	// Read and Prepare are the workers' time, added up over the items: for the
	// file's bytes, and for decoding and preprocessing.
	Read, Prepare time.Duration
}

// A Loader turns a source's items into batches of tensors.
type Loader struct {
	src       Source
	recipe    preprocess.Recipe
	opts      LoadOptions
	imageLen  int
	workers   []*preprocess.Processor
	digests   []byte // of the items delivered
	contents  [][sha256.Size]byte
	delivered int
}

// NewLoader returns a loader of the source's items by the recipe, or the error
// of the recipe or the options.
func NewLoader(src Source, r preprocess.Recipe, o LoadOptions) (*Loader, error) {
	if o.Batch < 0 || o.Workers < 0 || o.Ahead < 0 {
		return nil, fmt.Errorf("datasets: batch %d, workers %d, ahead %d, want none below 0", o.Batch, o.Workers, o.Ahead)
	}
	o.Batch = max(min(o.Batch, src.Len()), 1)
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Ahead == 0 {
		o.Ahead = 1 + 2*o.Workers/o.Batch
	}
	if o.Change != nil && r.Oblong() {
		return nil, fmt.Errorf("datasets: images of %d×%d, want squares where they are changed", r.Size, r.CropWidth())
	}
	l := &Loader{src: src, opts: o}
	for range o.Workers {
		p, err := preprocess.New(r, o.Layout)
		if err != nil {
			return nil, err
		}
		p.ApplyExif(o.Exif)
		l.workers = append(l.workers, p)
		l.recipe, l.imageLen = p.Recipe(), p.Len()
	}
	return l, nil
}

// Recipe is the loader's recipe, with every value filled in.
func (l *Loader) Recipe() preprocess.Recipe { return l.recipe }

// Hash is the content hash of the source, once Batches has delivered all of it,
// and "" before: in hexadecimal, the SHA-256 of the items' digests in order,
// where an item's digest is the SHA-256 of its name, a zero byte, its labels in
// decimal joined by commas, a zero byte, and its file's bytes (none where the
// file cannot be read).
func (l *Loader) Hash() string {
	digests := l.Digests()
	if digests == nil {
		return ""
	}
	return HashDigests(digests)
}

// Digests are the items' digests that Hash is of, 32 bytes each, once Batches has delivered all of the source, and nil before.
// Those of a source's parts, one after the other, are the source's.
func (l *Loader) Digests() []byte {
	if l.digests == nil || l.delivered != l.src.Len() {
		return nil
	}
	return l.digests
}

// Contents are the SHA-256 of the files of the items delivered, whatever they are called, if LoadOptions.Contents asks for them.
func (l *Loader) Contents() [][sha256.Size]byte { return l.contents }

// HashDigests is the content hash, in hexadecimal, of a source whose items have these digests, 32 bytes each.
func HashDigests(digests []byte) string {
	sum := sha256.Sum256(digests)
	return hex.EncodeToString(sum[:])
}

// slot is a batch in the making, one of the few that go round.
type slot struct {
	Batch
	tensor        []float32 // of a full batch
	digests       [][sha256.Size]byte
	contents      [][sha256.Size]byte // where they are asked for
	read, prepare atomic.Int64        // nanoseconds
	pending       atomic.Int64        // items not ready yet
	ready         chan struct{}
}

// Batches delivers the source's items in order, in batches, from workers that
// run ahead of the loop's body by at most LoadOptions.Ahead batches; that, and
// a file and an image for each worker, is all the memory taken. A batch's
// memory is used again once the body has returned. Leaving the loop stops the
// workers, and so does the context, whose error is then the last value. Only
// one loop may run at a time.
func (l *Loader) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		l.digests, l.contents, l.delivered = make([]byte, 0, sha256.Size*l.src.Len()), nil, 0

		free := make(chan *slot, l.opts.Ahead+1)
		order := make(chan *slot, l.opts.Ahead+1)
		for range l.opts.Ahead + 1 {
			free <- &slot{
				tensor:  make([]float32, l.opts.Batch*l.imageLen),
				digests: make([][sha256.Size]byte, l.opts.Batch), contents: make([][sha256.Size]byte, l.opts.Batch),
				ready: make(chan struct{}, 1),
			}
		}
		jobs := make(chan job)
		workers.Go(func() {
			defer close(jobs)
			defer close(order)
			l.feed(inner, free, order, jobs)
		})
		for _, p := range l.workers {
			workers.Go(func() { l.work(p, jobs) })
		}
		for s := range order {
			select {
			case <-s.ready:
			case <-inner.Done():
			}
			if ctx.Err() != nil {
				break
			}
			for _, d := range s.digests[:len(s.Items)] {
				l.digests = append(l.digests, d[:]...)
			}
			if l.opts.Contents {
				l.contents = append(l.contents, s.contents[:len(s.Items)]...)
			}
			l.delivered += len(s.Items)
			s.Read, s.Prepare = time.Duration(s.read.Load()), time.Duration(s.prepare.Load())
			if !yield(&s.Batch, nil) {
				return
			}
			free <- s
		}
		if err := ctx.Err(); err != nil && l.delivered < l.src.Len() {
			yield(nil, fmt.Errorf("datasets: stopped after %d of %d items: %w", l.delivered, l.src.Len(), err))
		}
	}
}

// A job is one item of a slot.
type job struct {
	slot *slot
	item int // within the slot
}

// feed hands out the items in order, as slots come free.
func (l *Loader) feed(ctx context.Context, free <-chan *slot, order chan<- *slot, jobs chan<- job) {
	for first := 0; first < l.src.Len(); first += l.opts.Batch {
		var s *slot
		select {
		case s = <-free:
		case <-ctx.Done():
			return
		}
		n := min(l.opts.Batch, l.src.Len()-first)
		s.First, s.Items, s.Errs, s.Notes = first, s.Items[:0], s.Errs[:0], s.Notes[:0]
		for i := range n {
			s.Items = append(s.Items, l.src.Item(first+i))
			s.Errs, s.Notes = append(s.Errs, nil), append(s.Notes, 0)
		}
		s.Tensor = s.tensor[:n*l.imageLen]
		s.read.Store(0)
		s.prepare.Store(0)
		s.pending.Store(int64(n))
		order <- s // has room for every slot
		for i := range n {
			select {
			case jobs <- job{s, i}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// work prepares items until there are no more.
func (l *Loader) work(p *preprocess.Processor, jobs <-chan job) {
	var buf []byte
	var key [sha256.Size]byte // of the item at hand
	if l.opts.Change != nil {
		p.Change = func(pixels []byte) { l.opts.Change(pixels, l.recipe.Size, key) }
	}
	for j := range jobs {
		s, i := j.slot, j.item
		start := time.Now()
		data, err := l.src.Read(s.First+i, buf)
		if err == nil {
			buf = data
		}
		read := time.Now()
		s.digests[i] = digest(s.Items[i], data)
		if l.opts.Contents {
			s.contents[i] = sha256.Sum256(data)
		}
		tensor := s.Tensor[i*l.imageLen:][:l.imageLen]
		if err == nil {
			if l.opts.Change != nil {
				key = sha256.Sum256(data)
			}
			err = p.File(data, tensor)
		}
		if err != nil {
			s.Errs[i] = err
			clear(tensor)
		} else {
			s.Notes[i] = p.Notes()
		}
		s.read.Add(int64(read.Sub(start)))
		s.prepare.Add(int64(time.Since(read)))
		if s.pending.Add(-1) == 0 {
			s.ready <- struct{}{}
		}
	}
}

// digest is an item's part of the content hash.
func digest(item Item, data []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	head := append([]byte(item.Name), 0)
	for i, label := range item.Labels {
		if i > 0 {
			head = append(head, ',')
		}
		head = strconv.AppendInt(head, int64(label), 10)
	}
	h.Write(append(head, 0))
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}
