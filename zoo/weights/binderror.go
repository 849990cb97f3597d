package weights

import (
	"fmt"
	"strings"
)

// A BindError lists everything in which a source differs from what a network wants. Names are the network's, but for
// Extra, which has the source's.
type BindError struct {
	File      string // the source's name
	Wanted    int    // parameters of the network
	Fitting   int    // those found in their shape and as floating-point numbers
	Missing   []Missing
	Extra     []string
	Misshapen []Misshapen
	Mistyped  []Mistyped
	NotFinite []NotFinite
	Twice     []string // two tensors that a table takes to one parameter
}

// Missing is a parameter without a tensor.
type Missing struct {
	Name  string
	Other string // what the file has under the name instead, "" for nothing
}

// Misshapen is a tensor of another shape than the parameter's.
type Misshapen struct {
	Name       string
	Have, Want []int
}

// Mistyped is a tensor of integers, or of a floating-point type that is not read.
type Mistyped struct {
	Name string
	Have Dtype
}

// NotFinite is a tensor with NaN or infinities.
type NotFinite struct {
	Name  string
	Count int     // how many elements
	First int     // row-major index of the first
	Value float32 // the first
}

func (e *BindError) empty() bool {
	return len(e.Missing)+len(e.Extra)+len(e.Misshapen)+len(e.Mistyped)+len(e.NotFinite)+len(e.Twice) == 0
}

// AnotherNetwork says whether so little fits that the checkpoint must be of another network: less than half of the
// network's parameters, or of the checkpoint's tensors. Numbers are then not searched for NaN.
func (e *BindError) AnotherNetwork() bool {
	return e.Fitting*2 < e.Wanted || e.Fitting < len(e.Extra)
}

// Error is one line. A single fault reads "weights: FILE: NAME: what it has, want …"; of many, up to five of each
// kind are named and the rest counted.
func (e *BindError) Error() string {
	var groups []string
	total := 0
	add := func(what string, items []string) {
		if total += len(items); len(items) > 0 {
			groups = append(groups, fmt.Sprintf("%d %s: %s", len(items), what, shortenRaw(items, 5)))
		}
	}
	var one []string
	line := func(n int, format func(i int) string) (items []string) {
		for i := range n {
			items = append(items, format(i))
		}
		one = append(one, items...)
		return items
	}
	add("missing", line(len(e.Missing), func(i int) string {
		if m := e.Missing[i]; m.Other != "" {
			return m.Name + ": is " + m.Other + ", want a tensor"
		}
		return e.Missing[i].Name + ": missing"
	}))
	add("of another shape", line(len(e.Misshapen), func(i int) string {
		m := e.Misshapen[i]
		return fmt.Sprintf("%s: shape %v, want %v", m.Name, m.Have, m.Want)
	}))
	add("of another type", line(len(e.Mistyped), func(i int) string {
		return fmt.Sprintf("%s: dtype %s, want a floating-point one", e.Mistyped[i].Name, e.Mistyped[i].Have)
	}))
	add("with NaN or infinity", line(len(e.NotFinite), func(i int) string {
		n := e.NotFinite[i]
		return fmt.Sprintf("%s: %d of its elements NaN or infinite, the first %v at index %d, want finite numbers", n.Name, n.Count, n.Value, n.First)
	}))
	add("ambiguous", line(len(e.Twice), func(i int) string { return e.Twice[i] }))
	add("unknown to the network", line(len(e.Extra), func(i int) string { return clip(e.Extra[i]) + ": not a parameter of the network" }))

	s := "weights: " + e.File + ": "
	if e.AnotherNetwork() {
		s += fmt.Sprintf("a checkpoint of another network: %d of %d parameters fit; ", e.Fitting, e.Wanted)
	} else if total == 1 {
		return s + one[0]
	}
	return s + strings.Join(groups, "; ")
}

// shortenRaw joins lines, at most most of them, and counts the rest.
func shortenRaw(lines []string, most int) string {
	s := strings.Join(lines[:min(most, len(lines))], ", ")
	if rest := len(lines) - most; rest > 0 {
		s += fmt.Sprintf(" and %d more", rest)
	}
	return s
}
