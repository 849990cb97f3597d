package datasets

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
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

// validationNumber is the number of a validation image, from 1 on.
func validationNumber(name string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(path.Base(name), "ILSVRC2012_val_")
	if !ok {
		return 0, false
	}
	digits, _, _ = strings.Cut(digits, ".")
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

// checkValidation holds labels that somebody else gives to validation images
// against the set's own. Where less than half agree they are of another
// numbering, as the development kit's ids are, and no class indices.
func checkValidation(file string, items []Item) error {
	known, agree := 0, 0
	for _, item := range items {
		own, ok := validationLabel(item.Name)
		if !ok || len(item.Labels) != 1 {
			continue
		}
		known++
		if item.Labels[0] == own {
			agree++
		}
	}
	if known >= 20 && 2*agree < known {
		return fmt.Errorf("datasets: %s: only %d of %d labels agree with the ILSVRC-2012 validation set, so the file numbers the classes "+
			"in another way (perhaps with the development kit's own ids), want class indices in the order of WordNet ids. The set's "+
			"labels are built in: leave out the label file", file, agree, known)
	}
	return nil
}

// realLabels reads ImageNet-ReaL's label file (Beyer et al. 2020,
// arXiv:2006.07159; real.json): a JSON list with a list of the right classes
// for each validation image, by its number, empty where no class is right.
func realLabels(file string, classes int) ([][]int, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer in.Close()
	const maxBytes = 64 << 20
	if info, err := in.Stat(); err == nil && info.Size() > maxBytes {
		return nil, fmt.Errorf("datasets: %s: %d bytes, want at most %d: not a label file", file, info.Size(), maxBytes)
	}
	var labels [][]int
	if err := json.NewDecoder(in).Decode(&labels); err != nil {
		return nil, fmt.Errorf("datasets: %s: want a JSON list of lists of class indices, one a validation image: %w", file, err)
	}
	if len(labels) != valImages {
		return nil, fmt.Errorf("datasets: %s: %d lists of labels, want %d", file, len(labels), valImages)
	}
	for i, list := range labels {
		for _, label := range list {
			if label < 0 || label >= 1000 || classes > 0 && label >= classes {
				return nil, fmt.Errorf("datasets: %s: image %d: label %d, want 0 to 999", file, i+1, label)
			}
		}
	}
	return labels, nil
}

// realItems labels validation images by ImageNet-ReaL's file. Images that no
// class is right for keep their place and have no labels: they count neither as
// right nor as wrong.
func realItems(file string, names []string, classes int) ([]Item, error) {
	labels, err := realLabels(file, classes)
	if err != nil {
		return nil, err
	}
	var items []Item
	var others []string
	for _, name := range names {
		n, ok := validationNumber(name)
		if !ok {
			others = append(others, name)
			continue
		}
		items = append(items, Item{Name: name, Labels: labels[n-1]})
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("datasets: %s: the labels are for ILSVRC-2012's validation images; %d of %d images are not: %s", file, len(others),
			len(names), firstOf(others))
	}
	return items, nil
}

// isReaL tells ImageNet-ReaL's label file by its name.
func isReaL(file string) bool { return strings.EqualFold(path.Ext(file), ".json") }
