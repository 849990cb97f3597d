package datasets

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A vocabulary turns what folders and label files call a class into its index: an index, a WordNet id or a name of
// ImageNet-1k's classes, or a name of the person's own class map, which then is all that counts.
type vocabulary struct {
	classes  int            // of the network; 0 means any
	own      map[string]int // of the class map; nil where there is none
	imageNet bool           // names and ids of ImageNet-1k count
}

// newVocabulary reads the class map of o, if it has one.
func newVocabulary(o Options) (*vocabulary, error) {
	v := &vocabulary{classes: o.Classes, imageNet: o.Classes == 0 || o.Classes == imageNetClasses}
	if o.ClassMap == "" {
		return v, nil
	}
	var err error
	v.own, err = readClassMap(o.ClassMap, o.Classes)
	return v, err
}

const imageNetClasses = 1000

// imageNetNames are ImageNet-1k's classes by WordNet id and by plain name. A name that two classes have is -1: two are
// called crane. A class's first name goes before another's synonym.
var imageNetNames = sync.OnceValues(func() (ids, names map[string]int) {
	ids, names = map[string]int{}, map[string]int{}
	put := func(name string, class int) {
		if other, ok := names[name]; ok && other != class {
			class = -1
		}
		names[name] = class
	}
	classes, synonyms := readClasses()
	for _, c := range classes {
		ids[c.WordNetID] = c.Index
		put(plainName(c.Name), c.Index)
	}
	firsts := maps.Clone(names)
	for _, c := range classes {
		for _, s := range synonyms[c.Index] {
			if _, taken := firsts[plainName(s)]; !taken && s != "" {
				put(plainName(s), c.Index)
			}
		}
	}
	return ids, names
})

// plainName is a name in one spelling: "Siamese cat" and "siamese_cat" are the same.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSpace(name)))
}

// named is the class of ImageNet-1k that has a name, "tench", or a list of its names, "tench, Tinca tinca"; ok is false
// for none and for several.
func named(name string) (class int, ok bool) {
	_, names := imageNetNames()
	if class, ok := names[plainName(name)]; ok {
		return class, class >= 0
	}
	found := -1
	for part := range strings.SplitSeq(name, ",") {
		class, known := names[plainName(part)]
		if !known || class >= 0 && found >= 0 && class != found {
			return 0, false
		}
		found = max(found, class)
	}
	return found, found >= 0
}

// withID is the class whose WordNet id begins a folder's name, alone or before a name: n01440764_tench.
func withID(name string) (class int, ok bool) {
	const length = len("n01440764")
	if len(name) < length || len(name) > length && !strings.ContainsRune("_- .", rune(name[length])) {
		return 0, false
	}
	ids, _ := imageNetNames()
	class, ok = ids[name[:length]]
	return class, ok
}

// labels reads one label of a file, or several, joined by commas, blanks, bars or semicolons and perhaps in brackets.
// Kaggle's form is a WordNet id and four numbers of a box, perhaps repeated.
func (v *vocabulary) labels(text string) ([]int, error) {
	text = strings.TrimSpace(text)
	if class, ok := v.own[text]; ok {
		return []int{class}, nil
	}
	if v.own == nil && v.imageNet {
		if class, ok := named(text); ok {
			return []int{class}, nil
		}
	}
	var labels []int
	for _, part := range labelParts(text) {
		label, err := v.label(part)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
		if len(labels) > maxLabels {
			return nil, errTooManyLabels
		}
	}
	if labels == nil {
		return nil, fmt.Errorf("label %q: want a class index or a WordNet id of ImageNet-1k", text)
	}
	return labels, nil
}

// ClassCalled is the class of ImageNet-1k that a folder's name stands for: by WordNet id, alone or before a name, or by a
// name that no other class has.
func ClassCalled(name string) (class int, ok bool) {
	if class, ok := withID(name); ok {
		return class, true
	}
	return named(name)
}

// maxLabels bounds the right answers to one image.
const maxLabels = 1000

var errTooManyLabels = fmt.Errorf("more than %d labels for one image", maxLabels)

// label reads one label.
func (v *vocabulary) label(part string) (int, error) {
	if label, ok := v.own[part]; ok {
		return label, nil
	}
	ids, _ := imageNetNames()
	label, ok := ids[part]
	if ok && !v.imageNet {
		return 0, fmt.Errorf("label %s: a WordNet id of ImageNet-1k's %d classes, want an index from 0 to %d", part, imageNetClasses, v.classes-1)
	}
	if !ok {
		if label, ok = wholeNumber(part); !ok {
			if v.own != nil {
				return 0, fmt.Errorf("label %q: want a class index or a name of the class map", part)
			}
			return 0, fmt.Errorf("label %q: want a class index or a WordNet id of ImageNet-1k", part)
		}
	}
	if label < 0 || v.classes > 0 && label >= v.classes {
		want := "at least 0"
		if v.classes > 0 {
			want = fmt.Sprintf("0 to %d", v.classes-1)
		}
		return 0, fmt.Errorf("label %d, want %s", label, want)
	}
	return label, nil
}

// looksLike reports whether a text has the form of labels, of whatever class.
func (v *vocabulary) looksLike(text string) bool {
	text = strings.TrimSpace(text)
	if _, ok := v.own[text]; ok {
		return true
	}
	if _, ok := named(text); ok && v.own == nil && v.imageNet {
		return true
	}
	parts := labelParts(text)
	for _, part := range parts {
		if _, ok := wholeNumber(part); !ok && !isWordNetID(part) {
			return false
		}
	}
	return len(parts) > 0
}

// labelParts cuts a text of several labels, and drops Kaggle's boxes.
func labelParts(text string) []string {
	parts := strings.FieldsFunc(strings.Trim(text, "[]() "), func(r rune) bool { return strings.ContainsRune(", \t|;", r) })
	for i := range parts {
		parts[i] = strings.Trim(parts[i], `"'`)
	}
	const box = 5 // an id and four numbers
	if len(parts) < box || len(parts)%box != 0 || !isWordNetID(parts[0]) {
		return parts
	}
	var ids []string
	for i, part := range parts {
		if i%box == 0 {
			if !isWordNetID(part) {
				return parts
			}
			ids = append(ids, part)
		}
	}
	return ids
}

// wholeNumber reads an index, also one that went through a table of floating-point numbers: 7.0.
func wholeNumber(text string) (int, bool) {
	text, tail, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(text)
	return n, err == nil && strings.Trim(tail, "0") == ""
}

// maxLabelFile bounds a file of labels or classes, in bytes.
const maxLabelFile = 64 << 20

// readText reads a text file of labels or classes as UTF-8: a byte order mark is dropped, UTF-16 is turned, and lines end
// in a line feed.
func readText(file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("datasets: %w", err)
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxLabelFile+1))
	if err != nil {
		return "", fmt.Errorf("datasets: %w", err)
	}
	if len(data) > maxLabelFile {
		return "", fmt.Errorf("datasets: %s: more than %d bytes: not a label file", file, maxLabelFile)
	}
	text := unicodeText(data)
	if i := strings.IndexByte(text, 0); i >= 0 {
		return "", fmt.Errorf("datasets: %s: byte %d is zero: not a label file", file, i)
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), nil
}

// A classEntry is one class of a class map.
type classEntry struct {
	name  string
	index int
}

// readClassMap reads which class has which index: a JSON object of names and indices, either way round, as torchvision's
// class_to_idx and Keras's imagenet_class_index.json are; a JSON list of names; or a text with a name on each line, in the
// order of the indices, as timm's class maps are.
func readClassMap(file string, classes int) (map[string]int, error) {
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	entries, err := classEntries(text)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", file, err)
	}
	own := make(map[string]int, len(entries))
	for _, e := range entries {
		if other, ok := own[e.name]; ok && other != e.index {
			return nil, fmt.Errorf("datasets: %s: class %q has the indices %d and %d", file, e.name, other, e.index)
		}
		if e.index < 0 || classes > 0 && e.index >= classes {
			return nil, fmt.Errorf("datasets: %s: class %q has the index %d, want 0 to %d", file, e.name, e.index, classes-1)
		}
		own[e.name] = e.index
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("datasets: %s: no classes, want a JSON object of names and indices, or a name on each line", file)
	}
	return own, nil
}

// classEntries are the classes of a class map's text.
func classEntries(text string) (entries []classEntry, err error) {
	switch head := strings.TrimSpace(text); {
	case strings.HasPrefix(head, "{"):
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, err
		}
		if inner, ok := object["class_to_idx"]; ok {
			return classEntries(string(inner))
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			entry, err := mapEntry(key, object[key])
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry)
		}
	case strings.HasPrefix(head, "["):
		var names []string
		if err := json.Unmarshal([]byte(text), &names); err != nil {
			return nil, err
		}
		for i, name := range names {
			entries = append(entries, classEntry{name, i})
		}
	default:
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				entries = append(entries, classEntry{line, len(entries)})
			}
		}
	}
	return entries, nil
}

// mapEntry reads "cat": 3, "3": "cat" or Keras's "3": ["n02123045", "tabby"].
func mapEntry(key string, value json.RawMessage) (classEntry, error) {
	var index int
	if json.Unmarshal(value, &index) == nil {
		return classEntry{key, index}, nil
	}
	index, isNumber := wholeNumber(key)
	var name string
	if isNumber && json.Unmarshal(value, &name) == nil {
		return classEntry{name, index}, nil
	}
	var names []string
	if isNumber && json.Unmarshal(value, &names) == nil && len(names) > 0 {
		return classEntry{names[0], index}, nil
	}
	return classEntry{}, fmt.Errorf("%q: want a name and an index", key)
}
