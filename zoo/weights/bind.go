package weights

import (
	"fmt"
	"math"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"zoobench/zoo/nn"
)

// Options say what Bind lets pass.
type Options struct {
	// Tables are tried after the source's own names; the one that finds most parameters is taken.
	Tables []Table
	// Extra lists patterns, in path.Match's syntax, of the network's own names for tensors that the checkpoint may
	// have and the network has not: auxiliary heads ("AuxLogits.*"), constants ("*.relative_position_index").
	Extra []string
}

// A Bound is a source seen by a network: its tensors are the network's parameters, all of them, in the network's
// order, names and shapes. Close closes the source below.
type Bound struct {
	src     Source
	table   string
	ignored []string
	list    []Tensor
	from    map[string]int    // parameter name to list
	names   map[string]string // parameter name to the source's
}

// Bind fits a source to a network's parameters. Every parameter but those of kind nn.Aux must be there, in its shape
// and as finite floating-point numbers, and nothing else may be, save what opt allows and what every network ignores:
// batch norms' num_batches_tracked and averaging's n_averaged. All that does not fit comes in one *BindError. Bind
// reads every tensor once, in pieces, to find NaN and infinities; on an error src stays open and the caller's.
func Bind(src Source, params []nn.Param, opt Options) (*Bound, error) {
	for _, pattern := range opt.Extra {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("weights: pattern %q of extra tensors: %w", pattern, err)
		}
	}
	var names []string
	for _, t := range src.Tensors() {
		names = append(names, t.Name)
	}
	m := bestMatch(names, params, opt.Tables)
	b := &Bound{src: src, table: m.table.Name, from: map[string]int{}, names: m.names}
	report := &BindError{File: src.Name(), Twice: m.twice, Shard: shardOf(src.Name())}
	instead := map[string]string{}
	if f, ok := src.(*File); ok {
		for name, what := range f.layout.others {
			instead[m.table.Apply(name)] = what
		}
	}

	wanted := map[string]nn.Kind{}
	for _, p := range params {
		wanted[p.Name] = p.Kind
		if p.Kind == nn.Aux {
			continue
		}
		report.Wanted++
		name, ok := m.names[p.Name]
		if !ok {
			report.Missing = append(report.Missing, Missing{Name: p.Name, Other: instead[p.Name]})
			if f, ok := src.(*File); ok && strings.HasPrefix(instead[p.Name], "a pickled ") {
				report.Remedy = convert(f.name, f.layout.section, strings.TrimPrefix(instead[p.Name], "a pickled "))
			}
			continue
		}
		t, _ := src.Lookup(name)
		switch {
		case !slices.Equal(t.Shape, p.Shape) && (!m.reshape[p.Name] || length(t.Shape) != p.Elems()):
			report.Misshapen = append(report.Misshapen, Misshapen{Name: p.Name, Have: t.Shape, Want: p.Shape})
		case !t.Dtype.readable():
			report.Mistyped = append(report.Mistyped, Mistyped{Name: p.Name, Have: t.Dtype})
			report.Remedy = mistyped(src, t.Dtype)
		default:
			report.Fitting++
		}
		b.from[p.Name] = len(b.list)
		b.list = append(b.list, Tensor{Name: p.Name, Shape: p.Shape, Dtype: t.Dtype})
	}
	for _, t := range src.Tensors() {
		name := m.table.Apply(t.Name)
		kind, ok := wanted[name]
		switch {
		case ok && kind != nn.Aux && m.names[name] == t.Name:
		case ok && kind == nn.Aux, ignorable(name), slices.ContainsFunc(opt.Extra, func(pattern string) bool {
			fits, _ := path.Match(pattern, name)
			return fits
		}):
			b.ignored = append(b.ignored, t.Name)
		case !ok:
			report.Extra = append(report.Extra, t.Name)
		}
	}
	if !report.anotherNetwork() {
		var err error
		if report.NotFinite, err = b.scan(); err != nil {
			return nil, err
		}
	}
	if report.empty() {
		return b, nil
	}
	return nil, report
}

// mistyped is what can be done about a type that is not read.
func mistyped(src Source, d Dtype) string {
	f, ok := src.(*File)
	switch {
	case !ok:
		return ""
	case d.float8() && strings.HasPrefix(f.layout.format, "torch"):
		return convert(f.name, f.layout.section, float8)
	case d.float8():
		return "convert the file to float16 with the library that wrote it"
	}
	return "the weights may be quantized: want the checkpoint as it was before"
}

// ignorable reports whether a tensor has no part in inference, by its name.
func ignorable(name string) bool {
	return name == "n_averaged" || name == "num_batches_tracked" || strings.HasSuffix(name, ".num_batches_tracked")
}

// A matching is what one table makes of a source's names.
type matching struct {
	table   Table
	names   map[string]string // parameter to tensor
	reshape map[string]bool   // parameters whose row allows another shape
	twice   []string
}

// bestMatch is what the table makes of the names that finds most parameters, or the names themselves.
func bestMatch(names []string, params []nn.Param, tables []Table) matching {
	best := match(names, params, Table{})
	for _, t := range tables {
		if m := match(names, params, t); len(m.names) > len(best.names) {
			best = m
		}
	}
	return best
}

func match(names []string, params []nn.Param, t Table) matching {
	m := matching{table: t, names: map[string]string{}, reshape: map[string]bool{}}
	wanted := make(map[string]bool, len(params))
	for _, p := range params {
		wanted[p.Name] = p.Kind != nn.Aux
	}
	for _, old := range names {
		row, name := t.find(old)
		if !wanted[name] {
			continue
		}
		if before, twice := m.names[name]; twice {
			m.twice = append(m.twice, fmt.Sprintf("%s and %s are both %s", clip(before), clip(old), name))
			continue
		}
		m.names[name] = old
		m.reshape[name] = row >= 0 && t.Rows[row].Reshape
	}
	return m
}

// scan reads every tensor in pieces on all processors, and finds those with NaN or infinities.
func (b *Bound) scan() ([]NotFinite, error) {
	if _, made := b.src.(*Generated); made {
		return nil, nil
	}
	const piece = 1 << 16 // elements: 256 KiB, half of a core's second-level cache
	type part struct{ tensor, first, n int }
	var parts []part
	for i, t := range b.list {
		own, _ := b.src.Lookup(b.names[t.Name])
		for first := 0; own.Dtype.readable() && first < own.Len(); first += piece {
			parts = append(parts, part{i, first, min(piece, own.Len()-first)})
		}
	}
	var (
		next   atomic.Int64
		mu     sync.Mutex
		failed error
		found  = map[int]*NotFinite{}
		group  sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			buf := make([]float32, piece)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				p := parts[i]
				x := buf[:p.n]
				err := b.src.Read(b.names[b.list[p.tensor].Name], p.first, x)
				count, first := 0, 0
				if err == nil {
					count, first = notFinite(x)
				}
				if err == nil && count == 0 {
					continue
				}
				mu.Lock()
				if err != nil {
					failed = err
					next.Store(int64(len(parts)))
				} else if bad := found[p.tensor]; bad == nil || p.first+first < bad.First {
					if bad != nil {
						count += bad.Count
					}
					found[p.tensor] = &NotFinite{Name: b.list[p.tensor].Name, Count: count, First: p.first + first, Value: x[first]}
				} else {
					bad.Count += count
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	var out []NotFinite
	for i, t := range b.list {
		b.src.Release(b.names[t.Name]) // a strided tensor's copy
		if bad := found[i]; bad != nil {
			out = append(out, *bad)
		}
	}
	return out, failed
}

// notFinite counts NaN and infinities, and gives the first one's index.
func notFinite(x []float32) (count, first int) {
	const exponent = 0x7f800000
	for i, v := range x {
		if math.Float32bits(v)&exponent == exponent {
			if count == 0 {
				first = i
			}
			count++
		}
	}
	return count, first
}

// Name is the source's.
func (b *Bound) Name() string { return b.src.Name() }

// Table is the name of the table that was taken, "" for the source's own names.
func (b *Bound) Table() string { return b.table }

// Ignored lists the source's tensors that the network does not use, by the source's names.
func (b *Bound) Ignored() []string { return b.ignored }

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
	return b.src.Float32(own)
}

// Read copies a part of a parameter, as Source says.
func (b *Bound) Read(name string, first int, dst []float32) error {
	own, err := b.own(name)
	if err != nil {
		return err
	}
	return b.src.Read(own, first, dst)
}

func (b *Bound) own(name string) (string, error) {
	own, ok := b.names[name]
	if !ok {
		return "", fmt.Errorf("weights: %s: %s: no such parameter", b.Name(), clip(name))
	}
	return own, nil
}

// Release ends the use of a parameter, as Source says.
func (b *Bound) Release(name string) {
	if own, ok := b.names[name]; ok {
		b.src.Release(own)
	}
}

// Close closes the source below.
func (b *Bound) Close() error { return b.src.Close() }
