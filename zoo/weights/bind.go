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
	// Top lists the parameters of the last layers, which a checkpoint may lack all together: files of features end before.
	Top []string
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
	b := &Bound{src: src, table: m.table.Name, from: map[string]int{}, names: m.names, turned: m.last, made: map[string][]float32{}}
	report := &BindError{File: src.Name(), Twice: m.twice, Shard: shardOf(src.Name())}
	b.take(params, m, report)
	b.endBefore(opt.Top, report)
	b.passOver(params, m, opt.Extra, report)
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

// take finds each parameter's tensor, and reports those that are missing, or of another shape or type.
func (b *Bound) take(params []nn.Param, m matching, report *BindError) {
	instead := map[string]string{}
	f, isFile := b.src.(*File)
	if isFile {
		for name, what := range f.layout.others {
			instead[m.table.Apply(name)] = what
		}
	}
	for _, p := range params {
		if p.Kind == nn.Aux {
			continue
		}
		report.Wanted++
		own, some := m.names[p.Name]
		if !whole(own) {
			other := instead[p.Name]
			if some && other == "" {
				other = "incomplete: only " + shorten(slices.DeleteFunc(slices.Clone(own), unnamed), 3) + " of its parts are there"
			}
			report.Missing = append(report.Missing, Missing{Name: p.Name, Other: other})
			if isFile && strings.HasPrefix(instead[p.Name], "a pickled ") {
				report.Remedy = convert(f.name, f.layout.section, strings.TrimPrefix(instead[p.Name], "a pickled "))
			}
			continue
		}
		t, want := b.whole(own, p.Shape)
		if m.last[p.Name] {
			want = lastShape(p.Shape, t.Shape)
		}
		switch {
		case !slices.Equal(t.Shape, want) && (!m.reshape[p.Name] || length(t.Shape) != p.Elems()):
			report.Misshapen = append(report.Misshapen, Misshapen{Name: p.Name, Have: t.Shape, Want: want})
		case !t.Dtype.readable():
			report.Mistyped = append(report.Mistyped, Mistyped{Name: p.Name, Have: t.Dtype})
			report.Remedy = mistyped(b.src, t.Dtype)
		default:
			report.Fitting++
		}
		b.from[p.Name] = len(b.list)
		b.list = append(b.list, Tensor{Name: p.Name, Shape: p.Shape, Dtype: t.Dtype})
	}
}

// endBefore takes the last layers' parameters out of the report, if all of them are missing and nothing else is.
func (b *Bound) endBefore(top []string, report *BindError) {
	var missing []string
	for _, m := range report.Missing {
		if m.Other != "" {
			return
		}
		missing = append(missing, m.Name)
	}
	slices.Sort(missing)
	if len(top) > 0 && slices.Equal(missing, slices.Sorted(slices.Values(top))) {
		report.Missing, b.absent = nil, top
		report.Wanted -= len(top)
	}
}

// passOver lists the source's tensors that are no parameter: those that may be ignored, and the others in the report.
func (b *Bound) passOver(params []nn.Param, m matching, extra []string, report *BindError) {
	wanted := map[string]nn.Kind{}
	for _, p := range params {
		wanted[p.Name] = p.Kind
	}
	for _, t := range b.src.Tensors() {
		name := m.table.Apply(t.Name)
		kind, ok := wanted[name]
		switch {
		case ok && kind != nn.Aux && slices.Contains(m.names[name], t.Name):
		case ok && kind == nn.Aux, ignorable(name), slices.ContainsFunc(extra, func(pattern string) bool {
			fits, _ := path.Match(pattern, name)
			return fits
		}):
			b.ignored = append(b.ignored, t.Name)
		case !ok:
			report.Extra = append(report.Extra, t.Name)
		}
	}
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
	names   map[string][]string // parameter to its tensor, or to those that it is joined of, "" for one that is not there
	reshape map[string]bool     // parameters whose row allows another shape
	last    map[string]bool     // parameters whose row has the output channels last
	twice   []string
}

// found is the number of parameters that are there.
func (m matching) found() (n int) {
	for _, own := range m.names {
		if whole(own) {
			n++
		}
	}
	return n
}

// tensors is the number of tensors that are parameters or parts of them.
func (m matching) tensors() (n int) {
	for _, own := range m.names {
		for _, name := range own {
			if !unnamed(name) {
				n++
			}
		}
	}
	return n
}

// whole reports whether a parameter has all its parts.
func whole(own []string) bool { return len(own) > 0 && !slices.ContainsFunc(own, unnamed) }

func unnamed(s string) bool { return s == "" }

// whole is a parameter's tensor, and the shape that it must have. Where it is joined, both are those of the first part
// that does not fit or, if all do, the parameter's own.
func (b *Bound) whole(own []string, shape []int) (Tensor, []int) {
	t, _ := b.src.Lookup(own[0])
	if len(own) == 1 || len(shape) == 0 || shape[0]%len(own) != 0 {
		return t, shape
	}
	want := slices.Clone(shape)
	want[0] /= len(own)
	for _, name := range own {
		part, _ := b.src.Lookup(name)
		if !slices.Equal(part.Shape, want) {
			return part, want
		}
		if !part.Dtype.readable() || part.Dtype != t.Dtype && t.Dtype.readable() {
			t.Dtype = part.Dtype
		}
	}
	t.Shape = shape
	return t, shape
}

// bestMatch is what the table makes of the names that finds most parameters and uses most tensors, or the names themselves.
func bestMatch(names []string, params []nn.Param, tables []Table) matching {
	best := match(names, params, Table{})
	for _, t := range tables {
		if m := match(names, params, t); m.found() > best.found() || m.found() == best.found() && m.tensors() > best.tensors() {
			best = m
		}
	}
	return best
}

func match(names []string, params []nn.Param, t Table) matching {
	m := matching{table: t, names: map[string][]string{}, reshape: map[string]bool{}, last: map[string]bool{}}
	wanted := make(map[string]bool, len(params))
	for _, p := range params {
		wanted[p.Name] = p.Kind != nn.Aux
	}
	for _, old := range names {
		row, name := t.find(old)
		if !wanted[name] {
			continue
		}
		part, of := 0, 1
		if row >= 0 {
			part, of = t.rows()[row].part()
		}
		if m.names[name] == nil {
			m.names[name] = make([]string, of)
		}
		if parts := m.names[name]; len(parts) != of || parts[part] != "" {
			before := parts[slices.IndexFunc(parts, func(s string) bool { return !unnamed(s) })]
			m.twice = append(m.twice, fmt.Sprintf("%s and %s are both %s", clip(before), clip(old), name))
			continue
		}
		m.names[name][part] = old
		m.reshape[name] = row >= 0 && t.rows()[row].Reshape
		m.last[name] = row >= 0 && t.rows()[row].Last
	}
	return m
}

// scan reads every tensor in pieces on all processors, and finds those with NaN or infinities.
func (b *Bound) scan() ([]NotFinite, error) {
	if _, made := b.src.(*Generated); made {
		return nil, nil
	}
	parts := b.parts()
	var (
		next   atomic.Int64
		mu     sync.Mutex
		failed error
		found  = map[int]*NotFinite{}
		group  sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			buf := make([]float32, partElems)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				p := parts[i]
				x := buf[:p.n]
				err := b.src.Read(p.own, p.first, x)
				count, first := 0, 0
				if err == nil {
					count, first = notFinite(x)
				}
				value := x[first]
				first += p.before + p.first
				if err == nil && count == 0 {
					continue
				}
				mu.Lock()
				if err != nil {
					failed = err
					next.Store(int64(len(parts)))
				} else if bad := found[p.tensor]; bad == nil || first < bad.First {
					if bad != nil {
						count += bad.Count
					}
					found[p.tensor] = &NotFinite{Name: b.list[p.tensor].Name, Count: count, First: first, Value: value}
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
		b.Release(t.Name) // a strided tensor's copy
		if bad := found[i]; bad != nil {
			out = append(out, *bad)
		}
	}
	return out, failed
}

// partElems is how many elements are scanned at a time: 256 KiB, half of a core's second-level cache.
const partElems = 1 << 16

// A scanPart is a part of a source's tensor.
type scanPart struct {
	tensor   int // index of the parameter that it is of
	own      string
	first, n int
	before   int // elements of the parameter that other tensors before this one have
}

// parts cuts all tensors into parts.
func (b *Bound) parts() (parts []scanPart) {
	for i, t := range b.list {
		before := 0
		for _, name := range b.names[t.Name] {
			own, _ := b.src.Lookup(name)
			for first := 0; own.Dtype.readable() && first < own.Len(); first += partElems {
				parts = append(parts, scanPart{i, name, first, min(partElems, own.Len()-first), before})
			}
			before += own.Len()
		}
	}
	return parts
}

// exponent is the bits of a float32's exponent, all of which NaN and infinities have set.
const exponent = 0x7f800000

// notFinite counts NaN and infinities, and gives the first one's index.
func notFinite(x []float32) (count, first int) {
	if finite(x) {
		return 0, 0
	}
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

// finite reports whether x has neither NaN nor infinities, two elements at a time: one more than a full exponent is in the sign.
// It takes a third of the time of a look at each element.
func finite(x []float32) bool {
	const exponents, ones, signs = exponent<<32 | exponent, 1<<55 | 1<<23, 1<<63 | 1<<31
	pairs := pairsOf(x)
	found := uint64(0)
	for ; len(pairs) >= 4; pairs = pairs[4:] {
		found |= pairs[0]&exponents + ones | pairs[1]&exponents + ones | pairs[2]&exponents + ones | pairs[3]&exponents + ones
	}
	for _, p := range pairs {
		found |= p&exponents + ones
	}
	return found&signs == 0 && (len(x)%2 == 0 || math.Float32bits(x[len(x)-1])&exponent != exponent)
}
