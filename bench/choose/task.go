package choose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/choose/features"
	"zoobench/datasets"
)

// A task is labelled images of somebody's own: a folder for each class.
type task struct {
	features.Folder
	Classes []string // the folders' names, in alphabetical order
	Labels  []int    // of Files, indices into Classes
	Found   int      // images in the folder; more than len(Files) where a limit drew a sample

	Warnings []string // what is left out of the folder

	// ImageNet is each class's index in ImageNet-1k, where every folder is called by the WordNet id or the name of another
	// one of its classes; nil otherwise.
	ImageNet []int
}

// openTask lists a folder's images: all of them where limit is 0, else a sample of at most limit, balanced over the
// classes and drawn by the seed. A folder without images, fewer than two classes and a class with a single image
// are errors, each class of that kind named.
func openTask(root string, limit int, seed uint64) (*task, error) {
	t := &task{Folder: features.Folder{Root: root}}
	numbers := true
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, e.Name())); err != nil || !info.IsDir() {
			continue
		}
		t.Classes = append(t.Classes, e.Name())
		if _, err := strconv.ParseUint(e.Name(), 10, 31); err != nil {
			numbers = false
		}
	}
	// A class is a folder's name, whatever it says: some of ImageNet's ids among others must not be an error, and a number
	// need not be below the count.
	o := datasets.Options{Classes: len(t.Classes)}
	if numbers {
		o.Classes = 0
	}
	files, err := datasets.OpenFolder(root, o)
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	switch len(t.Classes) {
	case 0: // validation images have labels of their own, and no classes of the person's
		return nil, fmt.Errorf("choose: %s: %d images and no class folders, want a folder for each class", root, files.Len())
	case 1:
		return nil, fmt.Errorf("choose: %s: only one class, %s, want at least 2", root, t.Classes[0])
	}
	t.Found, t.Warnings = files.Len(), files.Warnings
	t.Source = datasets.Sample(files, limit, seed)
	counts := make([]int, len(t.Classes))
	for i := range t.Source.Len() {
		name := t.Source.Item(i).Name
		class, _, _ := strings.Cut(name, "/")
		label, _ := slices.BinarySearch(t.Classes, class)
		t.Files, t.Labels = append(t.Files, name), append(t.Labels, label)
		counts[label]++
	}
	if err := t.tooFew(counts); err != nil {
		return nil, err
	}
	t.ImageNet = imageNet(t.Classes)
	return t, nil
}

// tooFew is the error of classes that nothing can be both learned and tested on.
func (t *task) tooFew(counts []int) error {
	var empty, single []string
	for c, n := range counts {
		switch n {
		case 0:
			empty = append(empty, t.Classes[c])
		case 1:
			single = append(single, t.Classes[c])
		}
	}
	sampled := ""
	if len(t.Files) < t.Found {
		sampled = fmt.Sprintf(" in a sample of %d of %d", len(t.Files), t.Found)
	}
	switch {
	case len(empty) > 0:
		return fmt.Errorf("choose: %s: no images%s of class %s; remove the folder or add images", t.Root, sampled, strings.Join(empty, ", "))
	case len(single) > 0:
		return fmt.Errorf("choose: %s: only one image%s of class %s, want at least 2: one to learn from and one to test on",
			t.Root, sampled, strings.Join(single, ", "))
	}
	return nil
}

// imageNet finds classes among ImageNet-1k's, nil unless all of them are found. Two of ImageNet's classes have the same
// name, "crane": a name that is not unique finds nothing.
func imageNet(classes []string) []int {
	known := map[string]int{}
	for _, c := range datasets.ImageNet1k() {
		known[c.WordNetID] = c.Index
		if name := plainName(c.Name); name != "" {
			if _, twice := known[name]; twice {
				known[name] = -1
			} else {
				known[name] = c.Index
			}
		}
	}
	var found []int
	for _, name := range classes {
		index, ok := known[name]
		if !ok {
			index, ok = known[plainName(name)]
		}
		if !ok || index < 0 || slices.Contains(found, index) {
			return nil
		}
		found = append(found, index)
	}
	return found
}

// plainName is a class's name in one spelling: "Siamese cat" and "siamese_cat" are the same.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSpace(name)))
}

// title is a class's name for people, with ImageNet's beside a WordNet id.
func (t *task) title(class int) string {
	name := t.Classes[class]
	if t.ImageNet != nil {
		if c := datasets.ImageNet1k()[t.ImageNet[class]]; c.WordNetID == name {
			return name + " " + c.Name
		}
	}
	return name
}
