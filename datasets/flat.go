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

// OpenFlat opens a folder of pictures with the label file o.Labels, a text file
// of one of two forms. "FILE LABEL" on each line names the pictures, below
// root, in any order, which is then the source's. A label alone on each line is
// for the pictures in order of their names. A label is a class index or a
// WordNet id of ImageNet-1k, or several of them joined by commas where each
// would be right. Empty lines and lines that start with # are passed over. A
// file that ends in .json is ImageNet-ReaL's, for ILSVRC-2012's validation
// pictures.
//
// A label outside the classes is an error that names the line. So is a list
// without names of another length than the folder's, and one that counts from 1
// to 1,000, as the ILSVRC development kit's own ids do, which are no class
// indices, and one that gives validation pictures other classes than the set
// itself does. Pictures that the file does not name, and names that the folder does
// not have, are left out and stand in Warnings.
func OpenFlat(root string, o Options) (*Files, error) {
	if err := checkFolder(root); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	f := &Files{root: root}
	pictures := imagesOf(entries)
	present := make(map[string]bool, len(pictures))
	for _, name := range pictures {
		present[name] = true
	}
	find := func(name string) (string, error) {
		if present[name] || f.below(name) {
			return name, nil
		}
		return "", nil
	}
	if err := f.labelled(pictures, find, o); err != nil {
		return nil, err
	}
	return f, nil
}

// labelled takes the pictures, in the order of their base names, that the label
// file has something to say of. Find gives the item's name of the picture that
// the file calls name, "" for none.
func (f *Files) labelled(pictures []string, find func(name string) (string, error), o Options) (err error) {
	if isReaL(o.Labels) {
		if err := f.checkRepeated(pictures, o.Labels); err != nil {
			return err
		}
		f.items, err = realItems(o.Labels, pictures, o.Classes)
		return err
	}
	lines, named, err := readLabels(o.Labels, o.Classes)
	if err != nil {
		return err
	}
	if !named {
		if err := f.checkRepeated(pictures, o.Labels); err != nil {
			return err
		}
		if len(lines) != len(pictures) {
			return fmt.Errorf("datasets: %s: %d labels for the %d pictures of %s", o.Labels, len(lines), len(pictures), f.root)
		}
		if countsFromOne(lines) {
			return fmt.Errorf("datasets: %s: labels from 1 to 1000: the ILSVRC development kit's own ids are not class indices, want 0 to "+
				"999 in the order of WordNet ids; the validation set's labels are built in, so leave the label file out", o.Labels)
		}
		for i, line := range lines {
			f.items = append(f.items, Item{Name: pictures[i], Labels: line.labels})
		}
	} else if err := f.match(lines, pictures, find, o.Labels); err != nil {
		return err
	}
	if len(f.items) == 0 {
		return fmt.Errorf("datasets: %s: no pictures that %s labels", f.root, o.Labels)
	}
	return checkValidation(o.Labels, f.items)
}

// checkRepeated is an error where pictures in order of their base names have one
// in common, for a label file that does not name them by their paths.
func (f *Files) checkRepeated(pictures []string, file string) error {
	for i := 1; i < len(pictures); i++ {
		if base := path.Base(pictures[i]); base == path.Base(pictures[i-1]) {
			return fmt.Errorf("datasets: %s: two pictures are called %s, %s cannot tell them apart", f.root, base, file)
		}
	}
	return nil
}

// match takes the lines' pictures that the folder has.
func (f *Files) match(lines []labelLine, pictures []string, find func(name string) (string, error), file string) error {
	seen := make(map[string]int, len(lines))
	var missing []string
	for _, line := range lines {
		name, err := find(line.name)
		if err != nil {
			return fmt.Errorf("datasets: %s:%d: %w", file, line.number, err)
		}
		if earlier := seen[cmp.Or(name, line.name)]; earlier > 0 {
			return fmt.Errorf("datasets: %s:%d: %s stands on line %d already", file, line.number, line.name, earlier)
		}
		seen[cmp.Or(name, line.name)] = line.number
		if name == "" {
			missing = append(missing, line.name)
			continue
		}
		f.items = append(f.items, Item{Name: name, Labels: line.labels})
	}
	var unlisted []string
	for _, name := range pictures {
		if seen[name] == 0 {
			unlisted = append(unlisted, name)
		}
	}
	if len(missing) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d of %d pictures are not in %s and are left out: %s", file, len(missing),
			len(lines), f.root, firstOf(missing)))
	}
	if len(unlisted) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d pictures have no label in %s and are left out: %s", f.root, len(unlisted),
			file, firstOf(unlisted)))
	}
	return nil
}

// below tells whether a name with folders in it is a file below the root.
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
			return nil, false, fmt.Errorf("datasets: %s:%d: %q: want the form of the lines before it", file, number, text)
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
