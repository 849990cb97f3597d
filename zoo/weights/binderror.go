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
	Remedy    string   // what can be done, "" where nobody knows
	Shard     string   // what the source is by its name, as "shard 2 of 3"; "" where it is whole
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

// anotherNetwork reports whether so little fits that the checkpoint must be of another network: less than half of the
// network's parameters, or of the checkpoint's tensors, whatever the type of their numbers, which are then not searched for NaN.
func (e *BindError) anotherNetwork() bool {
	named := e.Fitting + len(e.Mistyped)
	return named*2 < e.Wanted || named < len(e.Extra)
}

// Error is one line. A single fault reads "weights: FILE: NAME: what it has, want …"; of many, up to five of each
// kind are named and the rest counted.
func (e *BindError) Error() string {
	var groups []string
	total, single := 0, ""
	// group adds the faults of a kind: what to say of the i-th in a list and, where it is the only one of all, beyond
	// that.
	group := func(kind string, n int, text func(i int) string, alone string) {
		if n == 0 {
			return
		}
		total, single = total+n, text(0)+alone
		var named []string
		for i := range min(n, 5) {
			named = append(named, text(i))
		}
		s := fmt.Sprintf("%d %s: %s", n, kind, strings.Join(named, ", "))
		if n > len(named) {
			s += fmt.Sprintf(" and %d more", n-len(named))
		}
		groups = append(groups, s)
	}
	missing := ": missing"
	if len(e.Missing) > 0 && e.Missing[0].Other != "" {
		missing = ", want a tensor"
	}
	group("missing", len(e.Missing), func(i int) string {
		if m := e.Missing[i]; m.Other != "" {
			return m.Name + ": is " + m.Other
		}
		return e.Missing[i].Name
	}, missing)
	group("of another shape", len(e.Misshapen), func(i int) string {
		m := e.Misshapen[i]
		return fmt.Sprintf("%s: shape %v, want %v", m.Name, m.Have, m.Want)
	}, "")
	group("of another type", len(e.Mistyped), func(i int) string {
		return fmt.Sprintf("%s: dtype %s", e.Mistyped[i].Name, e.Mistyped[i].Have)
	}, mistypedWant(e.Mistyped))
	group("with NaN or infinity", len(e.NotFinite), func(i int) string {
		n := e.NotFinite[i]
		return fmt.Sprintf("%s: %d elements are NaN or infinite, the first %v at index %d", n.Name, n.Count, n.Value, n.First)
	}, ", want finite numbers")
	group("ambiguous", len(e.Twice), func(i int) string { return e.Twice[i] }, "")
	group("unknown to the network", len(e.Extra), func(i int) string { return clip(e.Extra[i]) }, ": not a parameter of the network")

	s := "weights: " + e.File + ": "
	if e.Shard != "" {
		s += fmt.Sprintf("is %s by its name, want the folder or the index of all shards: %d of %d parameters fit; ", e.Shard, e.Fitting, e.Wanted)
	} else if e.anotherNetwork() {
		s += fmt.Sprintf("a checkpoint of another network: %d of %d parameters fit; ", e.Fitting, e.Wanted)
	} else if total == 1 {
		return s + single + e.remedy()
	}
	return s + strings.Join(groups, "; ") + e.remedy()
}

// mistypedWant is what the single tensor of another type should have been.
func mistypedWant(all []Mistyped) string {
	if len(all) == 1 && all[0].Have.float8() {
		return ", want a floating-point one of 16, 32 or 64 bits"
	}
	return ", want a floating-point one"
}

func (e *BindError) remedy() string {
	if e.Remedy == "" {
		return ""
	}
	return "; " + e.Remedy
}
