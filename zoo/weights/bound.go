package weights

import (
	"fmt"
	"sync"
)

// A Bound is a source seen by a network: its tensors are the network's parameters, in the network's order, names and
// shapes: all of them, or all but Options.Top. Close closes the source below.
type Bound struct {
	src     Source
	table   string
	ignored []string
	absent  []string
	list    []Tensor
	from    map[string]int      // parameter name to list
	names   map[string][]string // parameter name to the source's: several where it is joined
	turned  map[string]bool     // parameters whose tensor has the output channels last

	mu   sync.Mutex
	made map[string][]float32 // what Float32 has joined or turned, until Release
}

// Name is the source's.
func (b *Bound) Name() string { return b.src.Name() }

// Table is the name of the table that was taken, "" for the source's own names.
func (b *Bound) Table() string { return b.table }

// Ignored lists the source's tensors that the network does not use, by the source's names.
func (b *Bound) Ignored() []string { return b.ignored }

// Absent lists the parameters that the source lacks: Options.Top, or none.
func (b *Bound) Absent() []string { return b.absent }

// Source is the source below.
func (b *Bound) Source() Source { return b.src }

// Tensors lists the network's parameters, without those of auxiliary heads, in its order and shapes.
func (b *Bound) Tensors() []Tensor { return b.list }

// Lookup finds a parameter by its name.
func (b *Bound) Lookup(name string) (Tensor, bool) {
	i, ok := b.from[name]
	if !ok {
		return Tensor{}, false
	}
	return b.list[i], true
}

// Float32 gives a parameter's elements, as Source says.
func (b *Bound) Float32(name string) ([]float32, error) {
	own, err := b.own(name)
	if err != nil {
		return nil, err
	}
	if len(own) == 1 && !b.turned[name] {
		return b.src.Float32(own[0])
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if x, ok := b.made[name]; ok {
		return x, nil
	}
	t := b.list[b.from[name]]
	x := make([]float32, t.Len())
	if err := b.join(own, 0, x); err != nil {
		return nil, err
	}
	if b.turned[name] {
		x = outputsFirst(x, t.Shape)
	}
	b.made[name] = x
	return x, nil
}

// Read copies a part of a parameter, as Source says. One that is turned is made whole, and kept until Release.
func (b *Bound) Read(name string, first int, dst []float32) error {
	own, err := b.own(name)
	if err != nil {
		return err
	}
	if len(own) == 1 && !b.turned[name] {
		return b.src.Read(own[0], first, dst)
	}
	if n := b.list[b.from[name]].Len(); first < 0 || first > n || len(dst) > n-first {
		return fmt.Errorf("weights: %s: %s: elements %d to %d of %d", b.Name(), clip(name), first, first+len(dst), n)
	}
	if !b.turned[name] {
		return b.join(own, first, dst)
	}
	x, err := b.Float32(name)
	copy(dst, x[min(first, len(x)):])
	return err
}

// join reads elements of several tensors of the source behind each other.
func (b *Bound) join(own []string, first int, dst []float32) error {
	for _, name := range own {
		t, _ := b.src.Lookup(name)
		n := t.Len()
		if first >= n {
			first -= n
			continue
		}
		n = min(n-first, len(dst))
		if err := b.src.Read(name, first, dst[:n]); err != nil {
			return err
		}
		first, dst = 0, dst[n:]
	}
	return nil
}

func (b *Bound) own(name string) ([]string, error) {
	own, ok := b.names[name]
	if !ok {
		return nil, fmt.Errorf("weights: %s: %s: no such parameter", b.Name(), clip(name))
	}
	return own, nil
}

// Release ends the use of a parameter, as Source says.
func (b *Bound) Release(name string) {
	b.mu.Lock()
	delete(b.made, name)
	b.mu.Unlock()
	for _, own := range b.names[name] {
		b.src.Release(own)
	}
}

// Close closes the source below.
func (b *Bound) Close() error { return b.src.Close() }
