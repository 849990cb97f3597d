package datasets

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// openFlat opens a folder of images with the label file o.Labels. It is a text that gives a file and its labels on each
// line, in any order, which is then the source's; or labels alone, one line for each image in order of their names; or JSON
// (see jsonLabels). The columns of a text may be separated by blanks, tabs, commas or semicolons, with or without a header line;
// findForm finds out which. A label is a class index, a WordNet id or a name of ImageNet-1k or of o.ClassMap, or several of
// them where each would be right. Files may be named without their extension. Empty lines and lines that start with # are
// passed over.
//
// A label outside the classes is an error that names the line. So is a list without names of another length than the
// folder's, and one that counts from 1 to 1,000, as the ILSVRC development kit's own ids do, which are no class indices, and
// one that gives validation images other classes than the set itself does. Images that the file does not name, and names
// that the folder does not have, are left out and stand in Warnings.
func openFlat(root string, o Options) (*Files, error) {
	if err := checkFolder(root); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	f := &Files{root: root}
	images := imagesOf(entries)
	for _, e := range entries {
		if !e.IsDir() && !isImage(e.Name()) && !isText(e.Name()) {
			f.passOver(e.Name())
		}
	}
	present := make(map[string]bool, len(images))
	for _, name := range images {
		present[name] = true
	}
	find := func(name string) (string, error) {
		if present[name] || f.below(name) {
			return name, nil
		}
		return "", nil
	}
	if err := f.labelled(images, find, o); err != nil {
		return nil, err
	}
	return f, nil
}

// isText reports whether a file beside images is likely to be about them: a list, a note.
func isText(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case "", ".txt", ".csv", ".tsv", ".json", ".md", ".xml", ".html", ".yaml", ".yml", ".zip", ".tar", ".gz":
		return true
	}
	return false
}

// labelled takes the images, in the order of their base names, that the label
// file has something to say of. Find gives the item's name of the image that
// the file calls name, "" for none.
func (f *Files) labelled(images []string, find func(name string) (string, error), o Options) (err error) {
	vocabulary, err := newVocabulary(o)
	if err != nil {
		return err
	}
	text, err := readText(o.Labels)
	if err != nil {
		return err
	}
	found := newImageNames(f.root, images, find)
	var lines []labelLine
	var form labelForm
	if isJSON(text) {
		lines, form, err = jsonLabels(o.Labels, text, vocabulary)
	} else {
		lines, form, err = readLabels(o.Labels, text, vocabulary, found)
	}
	if err != nil {
		return err
	}
	f.Reading = fmt.Sprintf("labels from %s: %s", filepath.Base(o.Labels), form.what)
	if form.name >= 0 {
		err = f.match(lines, images, found.lookup, o.Labels)
	} else {
		err = f.inOrder(lines, images, form, o.Labels)
	}
	if err == nil && len(f.items) == 0 {
		err = fmt.Errorf("datasets: %s: no image has a label in %s, which is read as %s: it names %s, and the images are %s", f.root, o.Labels,
			form.what, firstOf(lineNames(lines)), firstOf(images))
	}
	return err
}

func lineNames(lines []labelLine) (names []string) {
	for _, line := range lines {
		names = append(names, line.name)
	}
	return names
}

// inOrder gives the images labels without names. A JSON list for all of ILSVRC-2012's validation images, as ImageNet-ReaL's
// is, labels any of them by their numbers.
func (f *Files) inOrder(lines []labelLine, images []string, form labelForm, file string) (err error) {
	if err := f.checkRepeated(images, file); err != nil {
		return err
	}
	if form.isJSON && len(lines) == valImages {
		f.Reading += ", by the validation images' numbers"
		f.real = true
		f.items, err = numberedItems(file, images, lines)
		return err
	}
	if len(lines) != len(images) {
		return fmt.Errorf("datasets: %s: %d labels for the %d images of %s", file, len(lines), len(images), f.root)
	}
	if countsFromOne(lines) {
		return fmt.Errorf("datasets: %s: labels from 1 to 1000: these are the ILSVRC development kit's own ids, want class indices "+
			"from 0 to 999 in the order of WordNet ids. The validation set's labels are built in: leave out the label file", file)
	}
	for i, line := range lines {
		f.items = append(f.items, Item{Name: images[i], Labels: line.labels})
	}
	return nil
}

// checkRepeated is an error where images in order of their base names have one
// in common, for a label file that does not name them by their paths.
func (f *Files) checkRepeated(images []string, file string) error {
	for i := 1; i < len(images); i++ {
		if base := path.Base(images[i]); base == path.Base(images[i-1]) {
			return fmt.Errorf("datasets: %s: two images have the name %s: %s cannot tell them apart", f.root, base, file)
		}
	}
	return nil
}

// match takes the lines' images that the folder has.
func (f *Files) match(lines []labelLine, images []string, find func(name string) (string, error), file string) error {
	seen := make(map[string]int, len(lines))
	var missing []string
	for _, line := range lines {
		name, err := find(line.name)
		if err != nil {
			return fmt.Errorf("datasets: %s:%d: %w", file, line.number, err)
		}
		if earlier := seen[cmp.Or(name, line.name)]; earlier > 0 {
			return fmt.Errorf("datasets: %s:%d: %s is on line %d already", file, line.number, line.name, earlier)
		}
		seen[cmp.Or(name, line.name)] = line.number
		if name == "" {
			missing = append(missing, line.name)
			continue
		}
		f.items = append(f.items, Item{Name: name, Labels: line.labels})
	}
	var unlisted []string
	for _, name := range images {
		if seen[name] == 0 {
			unlisted = append(unlisted, name)
		}
	}
	if len(missing) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d of %d images are not in %s and are left out: %s", file, len(missing),
			len(lines), f.root, firstOf(missing)))
	}
	if len(unlisted) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d images have no label in %s and are left out: %s", f.root, len(unlisted),
			file, firstOf(unlisted)))
	}
	return nil
}

// below reports whether a name with folders in it is a file below the root.
func (f *Files) below(name string) bool {
	local := filepath.FromSlash(name)
	if !strings.Contains(name, "/") || !filepath.IsLocal(local) {
		return false
	}
	info, err := os.Stat(filepath.Join(f.root, local))
	return err == nil && !info.IsDir()
}

// countsFromOne reports whether a list has 1 and 1,000 and neither 0 nor more.
func countsFromOne(lines []labelLine) bool {
	lowest, highest := 1001, 0
	for _, line := range lines {
		for _, label := range line.labels {
			lowest, highest = min(lowest, label), max(highest, label)
		}
	}
	return lowest == 1 && highest == 1000
}
