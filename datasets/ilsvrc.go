package datasets

import (
	_ "embed"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// valLabels is the class of each of ILSVRC-2012's 50,000 validation images,
// by the image's number: ten bits each, the lowest first, 62,500 bytes. The
// source is the ground truth of the ILSVRC-2012 development kit, its ids turned
// into ranks of WordNet ids; there are fifty images of each class.
//
//go:embed val_labels.bin
var valLabels []byte

// valImages is how many images the validation set has.
const valImages = 50_000

// validationLabel is the class of an ILSVRC-2012 validation image, by the
// name that the set gives it: ILSVRC2012_val_00000001.JPEG and so on, whatever
// the folder and the extension. Ok is false for every other name.
func validationLabel(name string) (class int, ok bool) {
	n, ok := validationNumber(name)
	if !ok {
		return 0, false
	}
	bit := 10 * (n - 1)
	pair := int(valLabels[bit/8]) | int(valLabels[bit/8+1])<<8 // ten bits never span three bytes: bit%8 is even
	return pair >> (bit % 8) & 1023, true
}

// validationNumber is the number of a validation image, from 1 on. Hugging Face puts a WordNet id behind it:
// ILSVRC2012_val_00000001_n01751748.JPEG.
func validationNumber(name string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(path.Base(name), "ILSVRC2012_val_")
	if !ok {
		return 0, false
	}
	digits, _, _ = strings.Cut(digits, ".")
	if rest, id, ok := strings.Cut(digits, "_"); ok && isWordNetID(id) {
		digits = rest
	}
	if len(digits) != 8 {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 32)
	return int(v), err == nil && v >= 1 && v <= valImages
}

// validationItems labels images by the set's own list; ok is false where one
// of them is none of the set's, or where the network has other classes.
func validationItems(names []string, classes int) (items []Item, ok bool) {
	if classes != 0 && classes != 1000 {
		return nil, false
	}
	for _, name := range names {
		label, ok := validationLabel(name)
		if !ok {
			return nil, false
		}
		items = append(items, Item{Name: name, Labels: []int{label}})
	}
	return items, len(items) > 0
}

// checkValidation compares labels that somebody else gives to validation images with the set's own. Where less than half
// agree they are of another numbering, as the development kit's ids are, and no class indices; where some do not, the set
// has been labelled anew, which is a warning. From says where the labels are from.
func (f *Files) checkValidation(from string) error {
	known, agree := 0, 0
	example := ""
	for _, item := range f.items {
		own, ok := validationLabel(item.Name)
		if !ok || len(item.Labels) != 1 {
			continue
		}
		known++
		if item.Labels[0] == own {
			agree++
		} else if example == "" {
			example = fmt.Sprintf("%s: class %d, in the set class %d", item.Name, item.Labels[0], own)
		}
	}
	const few = 20 // of fewer, some may well have been labelled anew
	if known >= 2 && 2*agree < known && (known >= few || agree == 0) {
		return fmt.Errorf("datasets: %s: only %d of %d labels are those of the ILSVRC-2012 validation set (%s), so %s numbers the classes "+
			"in another way, perhaps from 1 or with the development kit's own ids; want class indices in the order of WordNet ids, from 0. "+
			"The set's labels are built in: put all images into one folder, without a label file", f.root, agree, known, example, from)
	}
	if agree < known {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d of %d labels are not those of the ILSVRC-2012 validation set (%s); "+
			"those of %s are used", f.root, known-agree, known, example, from))
	}
	return nil
}

// numberedItems labels validation images by a list for all of them, ImageNet-ReaL's for one (Beyer et al. 2020,
// arXiv:2006.07159; real.json): the right classes of each image, by its number, none where no class is right. Images that no
// class is right for keep their place and have no labels: they count neither as right nor as wrong.
func numberedItems(file string, names []string, labels []labelLine) ([]Item, error) {
	var items []Item
	var others []string
	for _, name := range names {
		n, ok := validationNumber(name)
		if !ok {
			others = append(others, name)
			continue
		}
		items = append(items, Item{Name: name, Labels: labels[n-1].labels})
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("datasets: %s: the labels are for ILSVRC-2012's validation images; %d of %d images are not: %s", file, len(others),
			len(names), firstOf(others))
	}
	return items, nil
}
