package datasets

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The words that Options.Answers takes besides a published set's name and a file.
const (
	AllAnswers = "all" // every class of the network
	OwnAnswers = "own" // the classes that the images have
)

// Published sets of which some have fewer classes than ImageNet-1k. Their folder or archive shows them by its name.
const (
	ImageNetA      = "imagenet-a"
	ImageNetR      = "imagenet-r"
	ImageNetSketch = "imagenet-sketch" // all 1,000 classes
	ObjectNet      = "objectnet"       // told by its class folders as well
)

// AnswerSets are the published sets whose classes Options.Answers takes by name.
func AnswerSets() []string { return []string{ImageNetA, ImageNetR, ObjectNet} }

// An AnswerSpace is the classes that a network's answer is chosen from. The others' scores count for nothing.
type AnswerSpace struct {
	Name    string // of the published set or the file; "" for the classes of the images
	Classes []int  // in ascending order; nil for all of the network's
	Of      int    // how many classes the network has
}

// String names the space: two spaces with the same text are the same. It is "" for all classes.
func (s AnswerSpace) String() string {
	if s.Classes == nil {
		return ""
	}
	text := fmt.Sprintf("%d of %d classes", len(s.Classes), s.Of)
	if slices.Contains(AnswerSets(), s.Name) {
		return s.Name + ", " + text
	}
	sum := sha256.Sum256(fmt.Append(nil, s.Classes))
	if text += ", SHA-256 " + hex.EncodeToString(sum[:4]); s.Name != "" {
		text = s.Name + ", " + text
	}
	return text
}

//go:embed answers.tsv
var answersTSV string

// answersOf returns the classes of a published set, in ascending order, and of ObjectNet those of each folder.
func answersOf(set string) (classes []int, folders map[string][]int) {
	folders = map[string][]int{}
	for line := range strings.Lines(answersTSV) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if fields[0] != set {
			continue
		}
		var of []int
		for _, word := range strings.Fields(fields[2]) {
			class, err := strconv.Atoi(word)
			if err != nil {
				panic("datasets: answers.tsv is damaged")
			}
			of = append(of, class)
		}
		classes = append(classes, of...)
		folders[fields[1]] = of
	}
	slices.Sort(classes)
	return slices.Compact(classes), folders
}

// publishedSet returns the set that a folder's or an archive's name says it is, "" for none.
func publishedSet(root string) string {
	name := strings.ToLower(filepath.Base(root))
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".tar")
	if slices.Contains([]string{ImageNetA, ImageNetR, ImageNetSketch}, name) {
		return name
	}
	return ""
}

// judge decides among which classes answers are chosen, and leaves out the images whose class is not among them.
func (f *Files) judge(o Options) error {
	if o.Classes == 0 || o.Answers == AllAnswers {
		return nil
	}
	space := AnswerSpace{Of: o.Classes}
	switch {
	case o.Answers == "" || o.Answers == OwnAnswers:
		space.Name, space.Classes = f.ownAnswers(o)
		if o.Answers == OwnAnswers && len(space.Classes) == 1 {
			return fmt.Errorf("datasets: --answers own: the images have one class: every answer would be right")
		}
		if len(space.Classes) < 2 || len(space.Classes) == o.Classes {
			return nil
		}
		if o.Answers == "" && space.Name == "" {
			f.Warnings = append(f.Warnings, fmt.Sprintf("answers are chosen among the %d classes of the folders, not among the network's %d; "+
				"--answers all chooses among all", len(space.Classes), o.Classes))
		}
	case slices.Contains(AnswerSets(), o.Answers):
		if o.Classes != imageNetClasses {
			return fmt.Errorf("datasets: --answers %s: these are classes of ImageNet-1k, and the network has %d", o.Answers, o.Classes)
		}
		space.Name = o.Answers
		space.Classes, _ = answersOf(o.Answers)
	default:
		var err error
		if space.Classes, err = readAnswers(o); err != nil {
			return fmt.Errorf("datasets: answers: %w", err)
		}
		space.Name = filepath.Base(o.Answers)
	}
	f.Answers = space
	return f.leaveOut()
}

// ownAnswers returns the classes that the images have, and the published set that these are of. Without an order to do so,
// only class folders say which classes a set has: a label file may be of a sample of the images, and so may images that are
// labelled by their names.
func (f *Files) ownAnswers(o Options) (set string, classes []int) {
	if o.Answers == "" && (!f.byFolder || f.Classes != nil || f.Set == ImageNetV2 || f.Set == ImageNetSketch) {
		return "", nil
	}
	seen := map[int]bool{}
	for _, item := range f.items {
		for _, class := range item.Labels {
			if !seen[class] {
				seen[class] = true
				classes = append(classes, class)
			}
		}
	}
	slices.Sort(classes)
	if o.Classes != imageNetClasses {
		return "", classes
	}
	for _, name := range AnswerSets() {
		published, _ := answersOf(name)
		if slices.Equal(classes, published) || name == f.Set {
			return name, published
		}
	}
	return "", classes
}

// leaveOut drops the right answers that are not in the space, and the images that have no other.
func (f *Files) leaveOut() error {
	in := make(map[int]bool, len(f.Answers.Classes))
	for _, class := range f.Answers.Classes {
		in[class] = true
	}
	all := f.items
	f.keep(func(labels []int) ([]int, bool) {
		some := slices.DeleteFunc(slices.Clone(labels), func(class int) bool { return !in[class] })
		return some, len(some) > 0 || len(labels) == 0
	})
	if len(f.items) == 0 {
		return fmt.Errorf("datasets: no image has a class among the answers (%v)", f.Answers)
	}
	if n := len(all) - len(f.items); n > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%d of %d images are left out: their class is not among the answers", n, len(all)))
	}
	return nil
}

// readAnswers reads the file o.Answers, with a class on each line: its index, its WordNet id or its name in the class map.
// Empty lines and what follows a # say nothing.
func readAnswers(o Options) (answers []int, err error) {
	text, err := readText(o.Answers)
	if err != nil {
		return nil, fmt.Errorf("%w; want a file, %s, %s or one of %s", err, AllAnswers, OwnAnswers, strings.Join(AnswerSets(), ", "))
	}
	known, err := newVocabulary(o)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		word, _, _ := strings.Cut(line, "#")
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		class, err := known.label(word)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", o.Answers, number, err)
		}
		if slices.Contains(answers, class) {
			return nil, fmt.Errorf("%s:%d: class %s is given twice", o.Answers, number, word)
		}
		answers = append(answers, class)
	}
	if len(answers) < 2 {
		return nil, fmt.Errorf("%s: %d classes, want at least 2 to choose from", o.Answers, len(answers))
	}
	slices.Sort(answers)
	return answers, nil
}

// objectNet takes ObjectNet's class folders, of which 113 have classes of ImageNet-1k; ok says that these are they.
func (f *Files) objectNet(folders []string) (ok bool, err error) {
	_, labels := answersOf(ObjectNet)
	var known []string
	for _, folder := range folders {
		if labels[folder] != nil {
			known = append(known, folder)
		}
	}
	if len(known) < len(labels) {
		return false, nil
	}
	f.Set, f.Reading = ObjectNet, "class folders by ObjectNet's names, with its own table of ImageNet-1k's classes"
	for _, folder := range known {
		names, err := f.imagesBelow(folder)
		if err != nil {
			return true, err
		}
		for _, name := range names {
			f.items = append(f.items, Item{Name: name, Labels: slices.Clone(labels[folder])})
		}
	}
	if len(f.items) == 0 {
		return true, fmt.Errorf("datasets: %s: no images in %d class folders", f.root, len(known))
	}
	f.Warnings = append(f.Warnings, fmt.Sprintf("ObjectNet: %d of %d class folders are left out: they are no classes of ImageNet-1k",
		len(folders)-len(known), len(folders)),
		"ObjectNet: the red border of one pixel around each image is not cut off; a centre crop mostly removes it")
	return true, nil
}
