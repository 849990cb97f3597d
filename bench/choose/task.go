package choose

import (
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/choose/features"
	"zoobench/datasets"
)

// A task is labelled images of somebody's own: a folder for each class.
type task struct {
	features.Folder
	Classes []string // the folders' names, in alphabetical order
	Labels  []int    // of Files, indices into Classes
	Split   string   // that the images are of, "" where there are none
	Found   int      // images in the folder; more than len(Files) where a limit drew a sample

	Warnings []string // what is left out of the folder

	// ImageNet is each class's index in ImageNet-1k, where every folder is called by the WordNet id or the name of another
	// one of its classes; nil otherwise.
	ImageNet []int
}

// openTask lists a folder's images: all of them where limit is 0, else a sample of at most limit, balanced over the
// classes and drawn by the seed. Of a folder of splits, it is the one that split names. A folder without images, fewer than
// two classes and a class with a single image are errors, each class of that kind named.
func openTask(root, split string, limit int, seed uint64) (*task, error) {
	// A class is a folder's name, whatever it says: some of ImageNet's ids among others must not be an error.
	files, err := datasets.OpenFolder(root, datasets.Options{Split: split, Ranks: true})
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	t := &task{Folder: features.Folder{Root: files.Root()}, Classes: files.Classes, Split: files.Split}
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
		item := t.Source.Item(i)
		label := item.Labels[0]
		t.Files, t.Labels = append(t.Files, item.Name), append(t.Labels, label)
		counts[label]++
	}
	if err := t.tooFew(counts, files); err != nil {
		return nil, err
	}
	t.ImageNet = imageNet(t.Classes)
	return t, nil
}

// tooFew is the error of classes that nothing can be both learned and tested on.
func (t *task) tooFew(counts []int, files *datasets.Files) error {
	var empty, single []string
	for c, n := range counts {
		switch n {
		case 0:
			text := t.Classes[c]
			if others := files.PassedOver(text); others != "" {
				text += " (its files are not taken for images: " + others + ")"
			}
			empty = append(empty, text)
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

// imageNet finds classes among ImageNet-1k's, nil unless all of them are found, each once.
func imageNet(classes []string) []int {
	var found []int
	for _, name := range classes {
		index, ok := datasets.ClassCalled(name)
		if !ok || slices.Contains(found, index) {
			return nil
		}
		found = append(found, index)
	}
	return found
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
