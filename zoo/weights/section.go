package weights

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A section is one set of named tensors in a file: a dictionary of what a pickle holds, or all that a safetensors file
// has. Training scripts save several beside each other: the weights, their running average, a teacher's.
type section struct {
	path    string // keys from the root to the dictionary, joined by dots; "" for the root itself
	prefix  string // that its names begin with; the rest of the dictionary is left out
	rank    int    // place in the order of preference
	depth   int
	dict    *dict             // of a pickle
	entries []entry           // where there is no pickle
	others  map[string]string // names without numbers, and what is there; where there is no pickle
}

// averagedKeys and plainKeys are keys under which training scripts keep a state dict, in the order in which they are
// preferred. Averaged weights come first, since they are the ones that a script evaluates and publishes.
func averagedKeys() []string {
	return []string{
		"state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema_model_state_dict", "ema_model", "ema", "params_ema",
		"averaged_model", "swa_state_dict", "swa_model",
	}
}

func plainKeys() []string {
	return []string{"state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "params", "weights"}
}

// rankOf is the place of a path's section in the order of preference: averaged weights, known keys, the root, the rest.
func rankOf(path []string) int {
	averaged, plain := averagedKeys(), plainKeys()
	best := len(averaged) + len(plain) + 1
	if len(path) == 0 {
		best--
	}
	for _, key := range path {
		if i := slices.Index(averaged, key); i >= 0 {
			best = min(best, i)
		} else if i := slices.Index(plain, key); i >= 0 {
			best = min(best, len(averaged)+i)
		}
	}
	return best
}

// known reports whether the section is preferred to others by its key.
func (s section) known() bool { return s.rank <= len(averagedKeys())+len(plainKeys()) }

// The bounds of the search for sections: keys on the way to one, bytes of a key, sections, and items of a list.
const (
	maxSectionDepth = 8
	maxSectionKey   = 200
	maxSections     = 1000
	maxSectionItems = 16
)

// findSections finds the dictionaries of tensors in what a file's pickle holds, in the order in which they are
// preferred. A file without one is an error that says what it holds and how to write a state dict.
func findSections(file string, root any) ([]section, error) {
	var found []section
	seen := map[any]*dict{} // nil for a dictionary without tensors
	budget := maxModuleNames
	var walk func(path []string, v any)
	walk = func(path []string, v any) {
		budget--
		if budget < 0 || len(path) > maxSectionDepth || len(found) == maxSections {
			return
		}
		if items, is := itemsOf(v); is {
			for i, inner := range items[:min(len(items), maxSectionItems)] {
				switch inner.(type) {
				case *dict, *inert:
					walk(append(path[:len(path):len(path)], strconv.Itoa(i)), inner)
				}
			}
			return
		}
		d, again := seen[v]
		whole := again // a second name for what has been searched
		if !again {
			d, whole = contents(v, &budget)
			if seen[v] = d; d.tensors() == 0 {
				seen[v] = nil
			}
		}
		if seen[v] != nil {
			found = append(found, section{path: strings.Join(path, "."), rank: rankOf(path), depth: len(path), dict: d})
		}
		if whole {
			return
		}
		for _, name := range d.names {
			switch inner := d.items[name].(type) {
			case *dict, *inert, *list, tuple:
				if len(name) <= maxSectionKey && utf8.ValidString(name) {
					walk(append(path[:len(path):len(path)], name), inner)
				}
			}
		}
	}
	switch v := root.(type) {
	case *dict, *inert, *list, tuple:
		walk(nil, root)
	case *tensor:
		lone := &dict{}
		lone.set("", v)
		return []section{{dict: lone}}, nil
	}
	if len(found) == 0 {
		return nil, noSections(file, root)
	}
	slices.SortStableFunc(found, func(a, b section) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.depth - b.depth
	})
	return found, nil
}

func noSections(file string, root any) error {
	none := func(format string, args ...any) error {
		return &UnsupportedError{File: file, Offset: -1, Msg: fmt.Sprintf(format, args...)}
	}
	const rewrite = "want a state dict; in Python: torch.save(torch.load(%q)%s.state_dict(), \"weights.pth\")"
	d, ok := root.(*dict)
	if !ok {
		return none("holds %s, "+rewrite, kind(root), clip(file), "")
	}
	for _, key := range slices.Concat(averagedKeys(), plainKeys()) {
		switch v := d.items[key].(type) {
		case *inert:
			return none("%s is %s, "+rewrite, key, kind(v), clip(file), fmt.Sprintf("[%q]", key))
		case *dict:
			if name, array := v.array(); array != nil {
				return none("%s: %s is %s, want a tensor; %s", key, clip(name), kind(array), convert(file, key, array.class))
			}
		}
	}
	if name, array := d.array(); array != nil {
		return none("%s is %s, want a tensor; %s", clip(name), kind(array), convert(file, "", array.class))
	}
	return none("holds no tensors, neither under its own keys (%s) nor in a dictionary or module below them", shorten(d.names, 8))
}

// float8 is the kind of value for convert that is a tensor of such numbers.
const float8 = "float8 tensor"

// convert is what to type in Python where the place of tensors is taken by values of some other kind.
func convert(file, section, of string) string {
	tensor := "torch.as_tensor(v)"
	switch of {
	case quantized:
		tensor = "v.dequantize() if v.is_quantized else v"
	case sparse:
		tensor = "v.to_dense()"
	case float8:
		tensor = "v.float()"
	case empty:
		return "the numbers were never written"
	}
	keys := ""
	if section != "" {
		for _, key := range strings.Split(section, ".") {
			keys += fmt.Sprintf("[%q]", key)
		}
	}
	return fmt.Sprintf("in Python: d = torch.load(%q)%s; torch.save({k: %s for k, v in d.items()}, \"weights.pth\")",
		clip(file), keys, tensor)
}

// array is the first entry with an array of NumPy.
func (d *dict) array() (name string, v *inert) {
	for _, name := range d.names {
		if v, ok := d.items[name].(*inert); ok && strings.HasPrefix(v.class, "numpy") {
			return name, v
		}
	}
	return "", nil
}

// itemsOf is the items of a list or a tuple; is is false for any other value.
func itemsOf(v any) (items []any, is bool) {
	switch v := v.(type) {
	case *list:
		return v.items, true
	case tuple:
		return v, true
	}
	return nil, false
}

// isTensor reports whether a file holds a tensor and nothing else.
func isTensor(root any) bool {
	_, is := root.(*tensor)
	return is
}

func (d *dict) tensors() (n int) {
	for _, v := range d.items {
		if _, ok := v.(*tensor); ok {
			n++
		}
	}
	return n
}

// named is the path with the prefix, as it stands after # in a file's name.
func (s section) named() string {
	return strings.Trim(s.path+"."+strings.TrimSuffix(s.prefix, "."), ".")
}

// names lists the section's tensors, less its prefix and what wrappers put before every name, which is cut.
func (s section) names() (names []string, cut string) {
	add := func(name string) {
		if rest, ok := strings.CutPrefix(name, s.prefix); ok {
			names = append(names, rest)
		}
	}
	if s.dict == nil {
		for _, e := range s.entries {
			add(e.Name)
		}
	} else {
		for _, name := range s.dict.names {
			if _, ok := s.dict.items[name].(*tensor); ok {
				add(name)
			}
		}
	}
	cut = wrapper(names)
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, cut)
	}
	return names, cut
}

// wrapper is what wrappers put before every name: DistributedDataParallel's and DataParallel's "module.", torch.compile's
// "_orig_mod.". The counter of averaged models, n_averaged, stands outside.
func wrapper(names []string) (cut string) {
	for _, prefix := range []string{"module.", "_orig_mod.", "module."} {
		inside := 0
		for _, name := range names {
			if strings.HasPrefix(name, cut+prefix) {
				inside++
			} else if name != "n_averaged" {
				inside = -len(names)
			}
		}
		if inside > 0 {
			cut += prefix
		}
	}
	return cut
}

// take makes a section the file's tensors and cuts a prefix, besides the section's own and the wrappers', from their
// names.
func (l *layout) take(file string, s section, prefix string) error {
	_, cut := s.names()
	l.entries, l.others, l.outside, l.cut = nil, map[string]string{}, nil, 0
	l.section, l.prefix = s.path, s.prefix+cut+prefix
	// rest is the name without the prefix; ok is false for what the prefix leaves out.
	rest := func(name string) (string, bool) {
		rest, ok := strings.CutPrefix(name, l.prefix)
		if !ok && s.prefix+prefix == "" { // n_averaged
			return name, true
		}
		return rest, ok
	}
	for _, e := range s.entries {
		name, ok := rest(e.Name)
		if !ok {
			l.leaveOut(e.Name)
			continue
		}
		l.count(e.Name, name)
		e.Name = name
		l.entries = append(l.entries, e)
	}
	if s.dict == nil {
		for full, what := range s.others {
			if name, ok := rest(full); ok {
				l.others[name] = what
			}
		}
		return nil
	}
	for _, full := range s.dict.names {
		name, ok := rest(full)
		t, dense := s.dict.items[full].(*tensor)
		switch {
		case !utf8.ValidString(full):
			return &FormatError{File: file, Item: full, Offset: -1, Msg: "name is not UTF-8"}
		case !dense && ok:
			l.others[name] = kind(s.dict.items[full])
		case !dense:
		case !ok:
			l.leaveOut(full)
		default:
			e, err := l.entry(file, name, t)
			if err != nil {
				return err
			}
			l.count(full, name)
			l.entries = append(l.entries, e)
		}
	}
	return nil
}

// count counts a name from which the prefix was cut.
func (l *layout) count(full, name string) {
	if full != name {
		l.cut++
	}
}

// leaveOut remembers a tensor outside the prefix.
func (l *layout) leaveOut(name string) {
	if !ignorable(name[strings.LastIndexByte(name, '.')+1:]) {
		l.outside = append(l.outside, name)
	}
}

// entry places a pickle's tensor in the file.
func (l *layout) entry(file, name string, t *tensor) (entry, error) {
	start, err := l.place(t.of.of)
	if err != nil {
		return entry{}, err
	}
	e := t.entry(name, start)
	// Strides of 0 could make any number of elements out of one.
	if int64(e.Len()) > l.size {
		return entry{}, &FormatError{File: file, Item: name, Offset: -1,
			Msg: fmt.Sprintf("shape %v does not fit into a file of %d bytes", e.Shape, l.size)}
	}
	return e, nil
}
