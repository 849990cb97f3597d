package weights

import (
	"fmt"
	"strings"
)

// A Rename is one row of a table: the tensor that a checkpoint calls Old is the parameter that the network calls New.
// A star in Old stands for one or more characters without a dot, and the stars of New repeat in turn what those of Old
// stood for. Reshape lets the tensor's shape differ from the parameter's as long as the number of elements is the
// same, which row-major order makes right for a linear layer (O,I) and a 1×1 convolution (O,I,1,1).
type Rename struct {
	Old, New string
	Reshape  bool
}

// A Table takes the names of one library, or of an older spelling, to the network's own. The first row that fits a
// name counts; a name that no row fits stays as it is.
type Table struct {
	Name string // what the names are, for messages: "torchvision"
	Rows []Rename
}

// Apply is the network's name for a checkpoint's.
func (t Table) Apply(old string) string {
	_, name := t.find(old)
	return name
}

// find gives the row that fits and the new name; -1 and the name itself where none fits.
func (t Table) find(old string) (row int, name string) {
	for i, r := range t.Rows {
		if stars, ok := matchStars(r.Old, old, nil); ok {
			return i, fillStars(r.New, stars)
		}
	}
	return -1, old
}

// Check says whether the table takes the names old one to one onto the names new: each row fits some name, no two
// names become one, and none is left over on either side. The error names the first that fails.
func (t Table) Check(old, new []string) error {
	used := make([]bool, len(t.Rows))
	from := map[string]string{}
	for _, name := range old {
		row, to := t.find(name)
		if row >= 0 {
			used[row] = true
		}
		if before, twice := from[to]; twice {
			return fmt.Errorf("weights: table %s: %s and %s both become %s", t.Name, before, name, to)
		}
		from[to] = name
	}
	for _, name := range new {
		if _, ok := from[name]; !ok {
			return fmt.Errorf("weights: table %s: nothing becomes %s", t.Name, name)
		}
		delete(from, name)
	}
	for to, name := range from {
		return fmt.Errorf("weights: table %s: %s becomes %s, which is not wanted", t.Name, name, to)
	}
	for i, r := range t.Rows {
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
