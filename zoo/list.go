package zoo

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"zoobench/internal/words"
)

// List is a set of networks with names and aliases of their own. NewList makes one; Default is this package's.
type List struct {
	specs  []Spec
	byName map[string]*Spec // names and aliases
}

// NewList makes a list, in the order given. A network without a name or a Build function, a name with a character that
// patterns and tags use, and a name or alias that is given twice are errors, all of them reported at once.
func NewList(specs []Spec) (*List, error) {
	l := &List{specs: slices.Clone(specs), byName: map[string]*Spec{}}
	var errs []error
	for i := range l.specs {
		s := &l.specs[i]
		if s.Build == nil {
			errs = append(errs, fmt.Errorf("zoo: %s: no Build function", s.Name))
		}
		if s.Size < 1 {
			errs = append(errs, fmt.Errorf("zoo: %s: input size %d, want at least 1", s.Name, s.Size))
		}
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			if name == "" || strings.ContainsAny(name, ".:*?[]\\/ ") {
				errs = append(errs, fmt.Errorf("zoo: network name %q: want letters, digits, _ and -", name))
			}
			if l.byName[name] != nil {
				errs = append(errs, fmt.Errorf("zoo: two networks called %q", name))
			}
			l.byName[name] = s
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return l, nil
}

// With is this list with more networks behind its own.
func (l *List) With(specs []Spec) (*List, error) { return NewList(slices.Concat(l.specs, specs)) }

// All is every network in the list's order.
func (l *List) All() []*Spec {
	var all []*Spec
	for i := range l.specs {
		all = append(all, &l.specs[i])
	}
	return all
}

// Find is the network of this name or alias; a checkpoint's tag behind a dot ("resnet50.tv_in1k") is ignored. An
// unknown name is an error with the three names nearest to it.
func (l *List) Find(name string) (*Spec, error) {
	network, _ := Split(name)
	if s := l.byName[network]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("zoo: no network %q; nearest: %s", network, strings.Join(l.Nearest(network), ", "))
}

// Split splits a checkpoint's name into its network and its tag, "" where it has none.
func Split(name string) (network, tag string) {
	network, tag, _ = strings.Cut(name, ".")
	return network, tag
}

// Match is every network that one of the patterns names, in the list's order and once each. A pattern is a name, an
// alias, a name with wildcards ("resnet*"), or a family ("family:resnet", wildcards allowed). A pattern that matches
// nothing is an error.
func (l *List) Match(patterns []string) ([]*Spec, error) {
	wanted := map[*Spec]bool{}
	for _, p := range patterns {
		specs, err := l.match(p)
		if err != nil {
			return nil, err
		}
		for _, s := range specs {
			wanted[s] = true
		}
	}
	var found []*Spec
	for i := range l.specs {
		if s := &l.specs[i]; wanted[s] {
			found = append(found, s)
		}
	}
	return found, nil
}

func (l *List) match(pattern string) ([]*Spec, error) {
	glob, byFamily := strings.CutPrefix(pattern, "family:")
	if !byFamily && !strings.ContainsAny(pattern, "*?[") {
		s, err := l.Find(pattern)
		return []*Spec{s}, err
	}
	var found []*Spec
	for i := range l.specs {
		s := &l.specs[i]
		names := append([]string{s.Name}, s.Aliases...)
		if byFamily {
			names = []string{s.Family}
		}
		for _, name := range names {
			ok, err := path.Match(glob, name)
			if err != nil {
				return nil, fmt.Errorf("zoo: pattern %q: %w", pattern, err)
			}
			if ok {
				found = append(found, s)
				break
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("zoo: no network matches %q", pattern)
	}
	return found, nil
}

// Nearest is the three names or aliases that are nearest to name by [words.Distance], those equally near in alphabetical
// order.
func (l *List) Nearest(name string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var all []candidate
	for n := range l.byName {
		all = append(all, candidate{n, words.Distance(name, n)})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, c := range all[:min(3, len(all))] {
		names = append(names, c.name)
	}
	return names
}
