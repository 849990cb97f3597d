package weights

import (
	"fmt"
	"strconv"
	"strings"
)

// A Rename is one row of a table: the tensor that a checkpoint calls Old is the parameter that the network calls New.
// A star in Old stands for one or more characters without a dot, and the stars of New repeat in turn what those of Old
// stood for. Reshape lets the tensor's shape differ from the parameter's as long as the number of elements is the
// same, which row-major order makes right for a linear layer (O,I) and a 1×1 convolution (O,I,1,1).
//
// Of is more than 1 where the parameter is joined, along its first dimension, of so many tensors of one shape, of which
// Old is the one with number Part: query, key and value of a library that keeps them apart.
//
// Letters says that a star that stands for one letter becomes its number in New: a is 0, b is 1.
//
// Last says that the tensor's output channels are its last dimension, as Keras keeps a kernel: (H,W,I,O) or (I,O), and
// (H,W,C,1) for a depthwise one. Bound turns it to the parameter's order.
type Rename struct {
	Old, New string
	Reshape  bool
	Letters  bool
	Last     bool
	Part, Of int
}

// part is the tensor's number among those that are joined, and how many they are.
func (r Rename) part() (part, of int) { return r.Part, max(r.Of, 1) }

// A Table takes the names of one library, or of an older spelling, to the network's own. The first row that fits a
// name counts; a name that no row fits stays as it is. Where none fits a name with scopes before its layer, as Keras 3 has
// them ("block/conv1/kernel"), its last two parts are looked up.
type Table struct {
	Name string // what the names are, for messages: "torchvision"
	Rows []Rename
	Make func() []Rename // gives the rows in place of Rows, the same ones at every call; nil for none
}

func (t Table) rows() []Rename {
	if t.Make != nil {
		return t.Make()
	}
	return t.Rows
}

// Apply is the network's name for a checkpoint's.
func (t Table) Apply(old string) string {
	_, name := t.find(old)
	return name
}

// find gives the row that fits and the new name; -1 and the name itself where none fits.
func (t Table) find(old string) (row int, name string) {
	for i, r := range t.rows() {
		stars, ok := matchStars(r.Old, old, nil)
		if !ok {
			continue
		}
		for k, star := range stars {
			if r.Letters && len(star) == 1 && star >= "a" && star <= "z" {
				stars[k] = strconv.Itoa(int(star[0] - 'a'))
			}
		}
		return i, fillStars(r.New, stars)
	}
	if last := strings.LastIndexByte(old, '/'); last > 0 {
		if scope := strings.LastIndexByte(old[:last], '/'); scope >= 0 {
			if row, name = t.find(old[scope+1:]); row >= 0 {
				return row, name
			}
		}
	}
	return -1, old
}

// Check is nil if the table takes the names old one to one onto the names new: each row fits some name, no two names
// become one, and none is left over on either side. The error names the first fault.
func (t Table) Check(old, new []string) error {
	type slot struct {
		name string
		part int
	}
	used := make([]bool, len(t.rows()))
	from, parts := map[slot]string{}, map[string]int{}
	for _, name := range old {
		row, to := t.find(name)
		part, of := 0, 1
		if row >= 0 {
			used[row] = true
			part, of = t.rows()[row].part()
		}
		if before, twice := from[slot{to, part}]; twice {
			return fmt.Errorf("weights: table %s: %s and %s both become %s", t.Name, before, name, to)
		}
		from[slot{to, part}], parts[to] = name, of
	}
	for _, name := range new {
		for part := range max(parts[name], 1) {
			if _, ok := from[slot{name, part}]; !ok {
				return fmt.Errorf("weights: table %s: nothing becomes %s", t.Name, name)
			}
			delete(from, slot{name, part})
		}
	}
	for to, name := range from {
		return fmt.Errorf("weights: table %s: %s becomes %s, which is not wanted", t.Name, name, to.name)
	}
	for i, r := range t.rows() {
		if !used[i] {
			return fmt.Errorf("weights: table %s: row %s fits no name", t.Name, r.Old)
		}
	}
	return nil
}

// matchStars matches name as a whole and appends what each star stood for.
func matchStars(pattern, name string, stars []string) ([]string, bool) {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return stars, pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	if !ok {
		return nil, false
	}
	for n := 1; n <= len(rest) && rest[n-1] != '.'; n++ {
		if all, ok := matchStars(after, rest[n:], append(stars, rest[:n])); ok {
			return all, true
		}
	}
	return nil, false
}

func fillStars(pattern string, stars []string) string {
	var b strings.Builder
	for {
		before, after, star := strings.Cut(pattern, "*")
		b.WriteString(before)
		if !star {
			return b.String()
		}
		if len(stars) > 0 {
			b.WriteString(stars[0])
			stars = stars[1:]
		}
		pattern = after
	}
}
