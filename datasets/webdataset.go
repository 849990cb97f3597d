package datasets

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// WebDataset's form: an archive's members that share everything before the first
// dot of their base name are one sample: key.jpg beside key.cls, the label as
// text, or key.json with a "label", "cls" or "class" in it.

// labelExtensions are the members that hold a sample's label, the preferred
// first.
var labelExtensions = [...]string{"cls", "cls.txt", "json"}

// pairKey splits a member's name into its sample's key and the rest.
func pairKey(name string) (key, ext string) {
	dir, base := path.Split(name)
	first, rest, _ := strings.Cut(base, ".")
	return dir + first, strings.ToLower(rest)
}

// hasPairs reports whether the archive is in WebDataset's form: the first image
// has a label beside it.
func hasPairs(all, images []member) bool {
	key, _ := pairKey(images[0].name)
	return slices.ContainsFunc(all, func(m member) bool {
		k, ext := pairKey(m.name)
		return k == key && m.archive == images[0].archive && slices.Contains(labelExtensions[:], ext)
	})
}

// maxLabelBytes bounds a sample's label.
const maxLabelBytes = 1 << 20

// pairs takes the samples of WebDataset's archives. Every image needs a label,
// and a key may have one image.
func (f *Files) pairs(all []member, o Options) error {
	type sampleKey struct {
		archive int
		key     string
	}
	labels := map[sampleKey]member{}
	rank := func(m member) int {
		_, ext := pairKey(m.name)
		return slices.Index(labelExtensions[:], ext)
	}
	for _, m := range all {
		key, _ := pairKey(m.name)
		k := sampleKey{m.archive, key}
		if r := rank(m); r >= 0 {
			if other, ok := labels[k]; !ok || r < rank(other) {
				labels[k] = m
			}
		}
	}
	seen := map[sampleKey]string{}
	f.Reading = "WebDataset's pairs of an image and a label"
	vocabulary, err := newVocabulary(o)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !isImage(path.Base(m.name)) {
			continue
		}
		key, _ := pairKey(m.name)
		k := sampleKey{m.archive, key}
		if other, ok := seen[k]; ok {
			return fmt.Errorf("datasets: %s: %s and %s are images of one sample", f.archives[m.archive].Name(), other, m.name)
		}
		seen[k] = m.name
		at, ok := labels[k]
		if !ok {
			return fmt.Errorf("datasets: %s: %s: no label beside it, want %s.cls or %s.json", f.archives[m.archive].Name(), m.name, key, key)
		}
		if at.size > maxLabelBytes {
			return fmt.Errorf("datasets: %s: %s: %d bytes, want a label", f.archives[m.archive].Name(), at.name, at.size)
		}
		text, err := f.read(at.span, nil)
		if err != nil {
			return fmt.Errorf("%w: %s", err, at.name)
		}
		list, err := pairLabels(at.name, text, vocabulary)
		if err != nil {
			return fmt.Errorf("datasets: %s: %s: %w", f.archives[m.archive].Name(), at.name, err)
		}
		f.items = append(f.items, Item{Name: m.shard + m.name, Labels: list})
		f.spans = append(f.spans, m.span)
	}
	return nil
}

// pairLabels reads a label's member.
func pairLabels(name string, text []byte, v *vocabulary) ([]int, error) {
	if _, ext := pairKey(name); ext != "json" {
		return v.labels(unicodeText(text))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	for _, key := range []string{"label", "cls", "class"} {
		value, ok := fields[key]
		if !ok {
			continue
		}
		return jsonLabel(value, v)
	}
	return nil, fmt.Errorf("no key label, cls or class, want one of them")
}
