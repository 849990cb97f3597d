package datasets

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// openFlat opens a folder of images with the label file o.Labels, a text file
// of one of two forms. "FILE LABEL" on each line names the images, below
// root, in any order, which is then the source's. A label alone on each line is
// for the images in order of their names. A label is a class index or a
// WordNet id of ImageNet-1k, or several of them joined by commas where each
// would be right. Empty lines and lines that start with # are passed over. A
// file that ends in .json is ImageNet-ReaL's, for ILSVRC-2012's validation
// images.
//
// A label outside the classes is an error that names the line. So is a list
// without names of another length than the folder's, and one that counts from 1
// to 1,000, as the ILSVRC development kit's own ids do, which are no class
// indices, and one that gives validation images other classes than the set
// itself does. Images that the file does not name, and names that the folder does
// not have, are left out and stand in Warnings.
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

// labelled takes the images, in the order of their base names, that the label
// file has something to say of. Find gives the item's name of the image that
// the file calls name, "" for none.
func (f *Files) labelled(images []string, find func(name string) (string, error), o Options) (err error) {
	if isReaL(o.Labels) {
		if err := f.checkRepeated(images, o.Labels); err != nil {
			return err
		}
		f.items, err = realItems(o.Labels, images, o.Classes)
		return err
	}
	lines, named, err := readLabels(o.Labels, o.Classes)
	if err != nil {
		return err
	}
	if !named {
		if err := f.checkRepeated(images, o.Labels); err != nil {
			return err
		}
		if len(lines) != len(images) {
			return fmt.Errorf("datasets: %s: %d labels for the %d images of %s", o.Labels, len(lines), len(images), f.root)
		}
		if countsFromOne(lines) {
			return fmt.Errorf("datasets: %s: labels from 1 to 1000: these are the ILSVRC development kit's own ids, want class indices "+
				"from 0 to 999 in the order of WordNet ids. The validation set's labels are built in: leave out the label file", o.Labels)
		}
		for i, line := range lines {
			f.items = append(f.items, Item{Name: images[i], Labels: line.labels})
		}
	} else if err := f.match(lines, images, find, o.Labels); err != nil {
		return err
	}
	if len(f.items) == 0 {
		return fmt.Errorf("datasets: %s: %s labels none of the images", f.root, o.Labels)
	}
	return checkValidation(o.Labels, f.items)
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

// A labelLine is one line of a label file.
type labelLine struct {
	number int
	name   string // "" in the form without names
	labels []int
}

// readLabels reads a label file; named tells its form, which the first line
// decides.
func readLabels(file string, classes int) (lines []labelLine, named bool, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, false, fmt.Errorf("datasets: %w", err)
	}
	defer in.Close()
	ids := byWordNetID()
	scanner := bufio.NewScanner(in)
	number := 0
	for scanner.Scan() {
		number++
		text := strings.TrimSpace(scanner.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		line := labelLine{number: number}
		label := text
		if cut := strings.LastIndexAny(text, " \t"); cut >= 0 {
			line.name, label = strings.TrimSpace(text[:cut]), text[cut+1:]
		}
		if len(lines) == 0 {
			named = line.name != ""
		}
		if (line.name != "") != named {
			return nil, false, fmt.Errorf("datasets: %s:%d: %q: want the same form as the lines before it", file, number, text)
		}
		if line.labels, err = parseLabels(label, classes, ids); err != nil {
			where := fmt.Sprintf("%s:%d", file, number)
			if named {
				where += ": " + line.name
			}
			return nil, false, fmt.Errorf("datasets: %s: %w", where, err)
		}
		lines = append(lines, line)
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, false, fmt.Errorf("datasets: %s:%d: line of more than %d bytes: not a label file", file, number+1, bufio.MaxScanTokenSize)
	} else if err != nil {
		return nil, false, fmt.Errorf("datasets: %w", err)
	}
	if len(lines) == 0 {
		return nil, false, fmt.Errorf("datasets: %s: no labels", file)
	}
	return lines, named, nil
}

// parseLabels reads one label, or several joined by commas.
func parseLabels(text string, classes int, ids map[string]int) ([]int, error) {
	var labels []int
	for part := range strings.SplitSeq(text, ",") {
		label, ok := ids[part]
		if ok && classes > 0 && classes != len(ids) {
			return nil, fmt.Errorf("label %s: a WordNet id of ImageNet-1k's %d classes, want an index from 0 to %d", part, len(ids), classes-1)
		}
		if !ok {
			var err error
			if label, err = strconv.Atoi(part); err != nil {
				return nil, fmt.Errorf("label %q: want a class index or a WordNet id of ImageNet-1k", part)
			}
		}
		if label < 0 || classes > 0 && label >= classes {
			want := "at least 0"
			if classes > 0 {
				want = fmt.Sprintf("0 to %d", classes-1)
			}
			return nil, fmt.Errorf("label %d, want %s", label, want)
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels, nil
}

// countsFromOne tells a list that has 1 and 1,000 and neither 0 nor more.
func countsFromOne(lines []labelLine) bool {
	lowest, highest := 1001, 0
	for _, line := range lines {
		for _, label := range line.labels {
			lowest, highest = min(lowest, label), max(highest, label)
		}
	}
	return lowest == 1 && highest == 1000
}
