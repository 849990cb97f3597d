package datasets

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
)

// A subset is some items of a source, in the source's order.
type subset struct {
	Source
	index []int
}

func (s *subset) Len() int        { return len(s.index) }
func (s *subset) Item(i int) Item { return s.Source.Item(s.index[i]) }
func (s *subset) Read(i int, buf []byte) ([]byte, error) {
	return s.Source.Read(s.index[i], buf)
}

// Subset is some items of a source, by their places there.
func Subset(src Source, index []int) Source { return &subset{src, index} }

// First is the first n items of a source; all of them where n is 0 or more than
// there are. Of class folders these are the first classes only: Sample is the
// fair choice there.
func First(src Source, n int) Source {
	if n <= 0 || n >= src.Len() {
		return src
	}
	s := &subset{Source: src, index: make([]int, n)}
	for i := range s.index {
		s.index[i] = i
	}
	return s
}

// Sample is a subset of n items, balanced over the classes and drawn by the
// seed; all of them where n is 0 or more than there are. The draw rests on the
// seed and the files' own names alone, and on their classes where names repeat,
// by SHA-256: it is the same on every machine, for the same images in class
// folders and flat, and a larger sample holds the smaller ones. An item of
// several labels counts for its first.
func Sample(src Source, n int, seed uint64) Source {
	if n <= 0 || n >= src.Len() {
		return src
	}
	type draw struct {
		item int
		rank int // within its class
		key  [sha256.Size]byte
		tie  [sha256.Size]byte // with the class, for names that several classes have
	}
	byClass := map[int][]draw{}
	for i := range src.Len() {
		item := src.Item(i)
		class := -1
		if len(item.Labels) > 0 {
			class = item.Labels[0]
		}
		base := path.Base(item.Name)
		head := binary.LittleEndian.AppendUint64(nil, seed)
		key := sha256.Sum256(append(head, base...))
		head = binary.LittleEndian.AppendUint64(head[:8], uint64(class))
		tie := sha256.Sum256(append(head, base...))
		byClass[class] = append(byClass[class], draw{item: i, key: key, tie: tie})
	}
	byKey := func(a, b draw) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), bytes.Compare(a.tie[:], b.tie[:]), cmp.Compare(a.item, b.item))
	}
	var draws []draw
	for _, class := range byClass {
		slices.SortFunc(class, byKey)
		for rank := range class {
			class[rank].rank = rank
		}
		draws = append(draws, class...)
	}
	// One of each class, then a second of each: the last round by key.
	slices.SortFunc(draws, func(a, b draw) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), byKey(a, b))
	})
	s := &subset{Source: src, index: make([]int, n)}
	for i := range s.index {
		s.index[i] = draws[i].item
	}
	slices.Sort(s.index)
	return s
}

// Part is the items from index from up to but not to, in their order. It panics where these are no indices of the source.
func Part(src Source, from, to int) Source {
	if from < 0 || to < from || to > src.Len() {
		panic(fmt.Sprintf("datasets: items %d to %d of %d", from, to, src.Len()))
	}
	s := &subset{Source: src, index: make([]int, to-from)}
	for i := range s.index {
		s.index[i] = from + i
	}
	return s
}

// Divide draws the held-out part of a source: a share of each class, at least one image of a class that has two. It depends on
// the seed, the order and the labels of the items. Each item has one label, and each class an item. Classes whose one image is
// learned from, so that nothing is known of them, are returned. A share of 0 holds out none.
func Divide(src Source, classes int, share float64, seed uint64) (learn, held Source, single []int, err error) {
	byClass := make([][]int, classes)
	for i := range src.Len() {
		item := src.Item(i)
		if len(item.Labels) != 1 {
			return nil, nil, nil, fmt.Errorf("datasets: %s: %d labels, want one", item.Name, len(item.Labels))
		}
		label := item.Labels[0]
		if label < 0 || label >= classes {
			return nil, nil, nil, fmt.Errorf("datasets: %s: label %d, want 0 to %d", item.Name, label, classes-1)
		}
		byClass[label] = append(byClass[label], i)
	}
	in, out := &subset{Source: src}, &subset{Source: src}
	r := rand.New(rand.NewPCG(seed, 0))
	for class, items := range byClass {
		n := len(items)
		switch n {
		case 0:
			return nil, nil, nil, fmt.Errorf("datasets: class %d has no image, want at least one of each", class)
		case 1:
			single = append(single, class)
		}
		take := 0
		if share > 0 {
			take = min(max(int(share*float64(n)+0.5), 1), n-1)
		}
		r.Shuffle(n, func(i, j int) { items[i], items[j] = items[j], items[i] })
		out.index = append(out.index, items[:take]...)
		in.index = append(in.index, items[take:]...)
	}
	slices.Sort(out.index)
	slices.Sort(in.index)
	if len(out.index) == 0 && share > 0 {
		return nil, nil, nil, errors.New("datasets: every class has a single image: none is left to hold out, want at least two of a class")
	}
	return in, out, single, nil
}

// within leaves the images of a range of classes, where one is asked for.
func (f *Files) within(o Options) error {
	from, to := o.ClassRange[0], o.ClassRange[1]
	switch {
	case from == 0 && to == 0:
		return nil
	case f.Classes == nil:
		return fmt.Errorf("datasets: %s: classes %d to %d: want classes with names of their own, as folders have", f.root, from, to-1)
	case from < 0 || to <= from || to > len(f.Classes):
		return fmt.Errorf("datasets: %s: classes %d to %d, want a range from 0 to %d", f.root, from, to-1, len(f.Classes)-1)
	case o.Classes != 0 && o.Classes != to-from:
		return fmt.Errorf("datasets: %s: %d classes of %d to %d, the network has %d", f.root, to-from, from, to-1, o.Classes)
	}
	f.Classes = f.Classes[from:to]
	f.keep(func(labels []int) ([]int, bool) {
		var some []int
		for _, class := range labels {
			if class >= from && class < to {
				some = append(some, class-from)
			}
		}
		return some, len(some) > 0
	})
	return nil
}

// keep leaves the items that do keeps, with the labels that it gives them.
func (f *Files) keep(do func(labels []int) ([]int, bool)) {
	var index []int
	all := f.items
	f.items = nil
	for i, item := range all {
		labels, ok := do(item.Labels)
		if !ok {
			continue
		}
		item.Labels = labels
		f.items, index = append(f.items, item), append(index, i)
	}
	f.spans, f.rows = pick(f.spans, index), pick(f.rows, index)
	if pixels := f.pixels; pixels != nil {
		f.pixels = func(i int, dst []byte) ([]byte, error) { return pixels(index[i], dst) }
	}
}

// pick are the elements at some places, nil where there are none.
func pick[T any](all []T, index []int) (some []T) {
	if all == nil {
		return nil
	}
	for _, i := range index {
		some = append(some, all[i])
	}
	return some
}
