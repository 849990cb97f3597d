package datasets

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
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
