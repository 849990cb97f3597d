package load

import "slices"

// kind is what an atom runs over.
type kind uint8

// The kinds. An attention's products have keys beside queries: keyRow and keyColumn.
const (
	images kind = iota
	channel
	row
	column
	keyRow
	keyColumn
	numKinds
)

// An atom is one factor of an axis: its index counts steps of stride of its kind.
type atom struct {
	kind         kind
	size, stride int
}

// A view says what the axes of a value of the file are made of, the slowest atom first. An axis of size 1 has none, but for that
// of the images.
type view [][]atom

// dims are the sizes of the axes.
func (v view) dims() []int {
	d := make([]int, len(v))
	for i, axis := range v {
		d[i] = size(axis)
	}
	return d
}

func size(axis []atom) int {
	n := 1
	for _, a := range axis {
		n *= a.size
	}
	return n
}

// equal reports whether two views are the same.
func (v view) equal(w view) bool {
	return slices.EqualFunc(v, w, func(a, b []atom) bool { return slices.Equal(severally(a), severally(b)) })
}

// severally is an axis without the atom of an image that is alone, which can be in any axis.
func severally(axis []atom) []atom {
	if !slices.Contains(axis, atom{images, 1, 1}) {
		return axis
	}
	return slices.DeleteFunc(slices.Clone(axis), func(a atom) bool { return a == atom{images, 1, 1} })
}

// full is all of a kind in its order; nothing where it has one element.
func full(k kind, n int) []atom {
	if n == 1 && k != images {
		return nil
	}
	return []atom{{k, n, 1}}
}

// join puts atoms behind one another, and makes one of two where the second's steps end where the first's begin.
func join(axis []atom, more ...atom) []atom {
	for _, a := range more {
		if n := len(axis); n > 0 && axis[n-1].kind == a.kind && axis[n-1].stride == a.size*a.stride && a.kind != images {
			axis[n-1].size, axis[n-1].stride = axis[n-1].size*a.size, a.stride
			continue
		}
		axis = append(axis, a)
	}
	return axis
}

// regroup is the same elements in the same order with axes of other sizes; not ok where a size cuts through an atom.
func (v view) regroup(dims []int) (w view, ok bool) {
	var atoms []atom
	for _, axis := range v {
		atoms = append(atoms, axis...)
	}
	for _, d := range dims {
		var axis []atom
		need := d
		for len(atoms) > 0 && d > 0 {
			a := &atoms[0]
			if need == 1 && (len(axis) > 0 || a.size != 1) { // one image alone goes where an axis begins
				break
			}
			switch {
			case need%a.size == 0:
				need /= a.size
				axis = join(axis, *a)
				atoms = atoms[1:]
			case a.size%need == 0 && a.kind != images:
				a.size /= need
				axis = join(axis, atom{a.kind, need, a.stride * a.size})
				need = 1
			default:
				return nil, false
			}
		}
		if need != 1 {
			return nil, false
		}
		w = append(w, axis)
	}
	return w, len(atoms) == 0
}

// permuted is the view with its axes in another order.
func (v view) permuted(perm []int) view {
	w := make(view, len(perm))
	for i, p := range perm {
		w[i] = v[p]
	}
	return w
}

// replaced is the view with an axis made of other atoms.
func (v view) replaced(axis int, atoms []atom) view {
	w := slices.Clone(v)
	w[axis] = atoms
	return w
}

// each calls do for every atom.
func (v view) each(do func(axis int, a atom)) {
	for i, axis := range v {
		for _, a := range axis {
			do(i, a)
		}
	}
}

// find is the first atom of a kind, and its axis; -1 where there is none.
func (v view) find(k kind) (axis int, found atom) {
	axis = -1
	v.each(func(i int, a atom) {
		if a.kind == k && axis < 0 {
			axis, found = i, a
		}
	})
	return axis, found
}

// covers is how many elements of a kind a view has.
func (v view) covers(k kind) int {
	n := 1
	v.each(func(_ int, a atom) {
		if a.kind == k {
			n *= a.size
		}
	})
	return n
}

// reader gives the element of a tensor beside a view at a place, a coordinate for each kind. The tensor's shape must fit the
// view's, axes counted from the last; an axis of size 1 is the same everywhere.
func reader(dims []int, v view) (at func(place *[numKinds]int) int, over [numKinds]bool, ok bool) {
	if len(dims) > len(v) {
		return nil, over, false
	}
	type step struct {
		atom
		by int
	}
	var steps []step
	in := strides(dims)
	for i, d := range dims {
		axis := v[i+len(v)-len(dims)]
		if d == 1 {
			continue
		}
		if d != size(axis) {
			return nil, over, false
		}
		inner := d
		for _, a := range axis {
			inner /= a.size
			steps = append(steps, step{a, inner * in[i]})
			over[a.kind] = true
		}
	}
	return func(place *[numKinds]int) int {
		n := 0
		for _, s := range steps {
			n += place[s.kind] / s.stride % s.size * s.by
		}
		return n
	}, over, true
}
