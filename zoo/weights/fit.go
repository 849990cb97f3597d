package weights

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"zoobench/zoo/nn"
)

// SplitSection splits FILE#SECTION, as the user names a section of a checkpoint, at the last "#". A file whose own name
// has a "#" is named as it is.
func SplitSection(name string) (path, section string) {
	at := strings.LastIndexByte(name, '#')
	if at < 0 {
		return name, ""
	}
	if _, err := os.Stat(name); err == nil {
		return name, ""
	}
	return name[:at], name[at+1:]
}

// Section is the path of the dictionary that the tensors are of, as "state_dict" or "ema.model", "" where they are the
// whole file's.
func (f *File) Section() string { return f.layout.section }

// Sections lists the paths of all dictionaries of tensors in the file, the one that is preferred first.
func (f *File) Sections() []string {
	var paths []string
	for _, s := range f.layout.sections {
		paths = append(paths, s.path)
	}
	return paths
}

// Prefix is what was cut from the front of the tensors' names, and of how many.
func (f *File) Prefix() (prefix string, names int) { return f.layout.prefix, f.layout.cut }

// Outside lists the section's tensors whose names do not begin with the prefix. They are left out.
func (f *File) Outside() []string { return f.layout.outside }

// pin takes the section that the user asked for: a dictionary, or what lies behind a prefix of names in one.
func (f *File) pin(asked string) error {
	all := f.layout.sections
	i := slices.IndexFunc(all, func(s section) bool { return s.path == asked })
	if i < 0 {
		for j, s := range all {
			rest := strings.TrimPrefix(asked, s.path+".")
			all[j].prefix = strings.TrimSuffix(rest, ".") + "."
			if names, _ := all[j].names(); len(names) > 0 {
				i = j
				break
			}
			all[j].prefix = ""
		}
	}
	if i < 0 {
		return fmt.Errorf("weights: %s: no section %q; there are: %s", f.name, asked, f.listSections())
	}
	f.pinned = true
	return f.take(all[i], "")
}

// listSections names the sections, and the parts of a section that its names begin with, with their numbers of tensors.
func (f *File) listSections() string {
	var all []string
	for _, s := range f.layout.sections {
		names, _ := s.names()
		if s.path != "" {
			all = append(all, fmt.Sprintf("%s (%d tensors)", s.path, len(names)))
		}
		for _, prefix := range prefixes(names, max(1, len(names)/8)) {
			if strings.Count(prefix, ".") == 1 {
				s.prefix = prefix
				within, _ := s.names()
				all = append(all, fmt.Sprintf("%s (%d)", s.named(), len(within)))
			}
		}
	}
	return shorten(all, 12)
}

// Fit chooses, for a network's parameters under their own names or those of a table, the section of the file and the
// prefix to cut from its names: the first section, in the order of preference, that has all parameters, whether under
// their names or behind one prefix ("model."). Where none has all, it takes what has most, so that Bind can say what is
// missing. Two sections that are equal in preference, or two prefixes, that both have all parameters are an error: the
// user has to name one. Fit must come before the first use of the tensors.
func (f *File) Fit(params []nn.Param, tables ...Table) error {
	wanted := 0
	for _, p := range params {
		if p.Kind != nn.Aux {
			wanted++
		}
	}
	sections := f.layout.sections
	if f.pinned {
		sections = slices.DeleteFunc(slices.Clone(sections), func(s section) bool {
			return s.path != f.layout.section
		})
	}
	var best fitting
	var full []fitting
	for _, s := range sections {
		names, _ := s.names()
		own := fitting{s, "", bestMatch(names, params, tables).found()}
		found := []fitting{own}
		if own.found < wanted {
			for _, prefix := range prefixes(names, wanted/2) {
				var within []string
				for _, name := range names {
					if rest, ok := strings.CutPrefix(name, prefix); ok {
						within = append(within, rest)
					}
				}
				found = append(found, fitting{s, prefix, bestMatch(within, params, tables).found()})
			}
		}
		for _, c := range found {
			if c.found > best.found {
				best = c
			}
			if c.found == wanted {
				full = append(full, c)
			}
		}
	}
	if len(full) > 0 {
		best = full[0]
		rivals := slices.DeleteFunc(full, func(c fitting) bool {
			return c.path != best.path && (best.known() || c.known() || c.dict == best.dict)
		})
		if len(rivals) > 1 {
			return f.undecided(rivals)
		}
	}
	if best.found == 0 {
		return nil
	}
	return f.take(best.section, best.cut)
}

// A fitting is a section and a prefix, and how many of a network's parameters they have.
type fitting struct {
	section
	cut   string
	found int
}

func (f *File) undecided(rivals []fitting) error {
	var names []string
	for _, c := range rivals {
		_, wrapped := c.names()
		c.prefix += wrapped + c.cut
		names = append(names, c.named())
	}
	slices.Sort(names)
	return fmt.Errorf("weights: %s: %d parts of the file have all parameters: %s; name one, as %s#%s",
		f.name, len(names), strings.Join(names, ", "), f.name, names[0])
}

// prefixes lists what at least so many names begin with, up to a dot: the most frequent first, the shorter of two that
// are equally frequent, then in alphabetical order.
func prefixes(names []string, least int) []string {
	const deepest = 16 // parts
	count := map[string]int{}
	for _, name := range names {
		for i, parts := 0, 0; i < len(name) && parts < deepest; i++ {
			if name[i] == '.' {
				count[name[:i+1]]++
				parts++
			}
		}
	}
	maps.DeleteFunc(count, func(_ string, n int) bool { return n < max(least, 1) })
	return slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(count[b]-count[a], len(a)-len(b), cmp.Compare(a, b))
	})
}
