package datasets

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// OpenFolder opens a tree with a folder for each class, as torchvision's
// ImageFolder does: images by extension at any depth below the class, folders
// and files in the order of their names, links followed. Hidden files and
// folders are left out.
//
// Folders named by number hold the class of that index, and are taken in the
// order of the numbers (ImageNetV2). Folders named by WordNet ids, or, where
// o.Classes is 1,000, all by names of ImageNet-1k's classes, hold those classes.
// Otherwise, and for WordNet ids where o.Classes is another count than 1,000,
// the label is the folder's rank, as in torchvision; the count of folders must
// then be o.Classes.
//
// A folder without class folders that holds images of ILSVRC-2012's validation
// set has the set's own labels.
func OpenFolder(root string, o Options) (*Files, error) {
	if err := checkFolder(root); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	var folders []string
	loose := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(root, e.Name()))
		if err == nil && info.IsDir() {
			folders = append(folders, e.Name())
		} else if isImage(e.Name()) {
			loose++
		}
	}
	if len(folders) == 0 && loose > 0 {
		if items, ok := validationItems(imagesOf(entries), o.Classes); ok {
			return &Files{root: root, items: items}, nil
		}
		return nil, fmt.Errorf("datasets: %s: %d images and no class folders, want a folder for each class or a label file", root, loose)
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("datasets: %s: no class folders and no images", root)
	}
	labels, ranked, err := folderLabels(folders, o.Classes)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", root, err)
	}
	f := &Files{root: root}
	if ranked {
		f.Classes = folders
	} else {
		slices.SortStableFunc(folders, func(a, b string) int { return cmp.Compare(labels[a], labels[b]) })
	}
	for _, folder := range folders {
		names, err := imagesBelow(root, folder)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f.items = append(f.items, Item{Name: name, Labels: []int{labels[folder]}})
		}
	}
	if len(f.items) == 0 {
		return nil, fmt.Errorf("datasets: %s: no images in %d class folders", root, len(folders))
	}
	if loose > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d images outside the class folders are left out", root, loose))
	}
	return f, nil
}

// folderLabels gives each class folder, in order of name, its label; ranked
// tells that the labels are the folders' ranks.
func folderLabels(folders []string, classes int) (labels map[string]int, ranked bool, err error) {
	labels = make(map[string]int, len(folders))
	ids := byWordNetID()
	imageNet := classes == 0 || classes == len(ids)
	numbers, known := 0, 0
	var unknown []string
	for _, name := range folders {
		if _, err := strconv.ParseUint(name, 10, 31); err == nil {
			numbers++
		}
		if index, ok := ids[name]; ok {
			labels[name] = index
			known++
		} else {
			unknown = append(unknown, name)
		}
	}
	switch {
	case numbers == len(folders):
		folderOf := make(map[int]string, len(folders))
		for _, name := range folders {
			index, err := strconv.Atoi(name)
			if err != nil || classes > 0 && index >= classes {
				return nil, false, fmt.Errorf("class folder %s: want a class index from 0 to %d", name, classes-1)
			}
			if other, ok := folderOf[index]; ok {
				return nil, false, fmt.Errorf("class folders %s and %s are the same class", other, name)
			}
			folderOf[index] = name
			labels[name] = index
		}
		return labels, false, nil
	case imageNet && known == len(folders):
		return labels, false, nil
	case imageNet && known > 0:
		return nil, false, fmt.Errorf("%d of %d class folders are not WordNet ids of ImageNet-1k: %s", len(unknown), len(folders),
			firstOf(unknown))
	}
	if classes == len(ids) {
		if strangers := nameLabels(labels, folders); len(strangers) == 0 {
			return labels, false, nil
		} else if 2*len(strangers) < len(folders) {
			return nil, false, fmt.Errorf("%d of %d class folders name no class of ImageNet-1k, or two classes: %s", len(strangers),
				len(folders), firstOf(strangers))
		}
	}
	if classes > 0 && classes != len(folders) {
		return nil, false, fmt.Errorf("%d class folders, named neither by class index nor by WordNet id of ImageNet-1k (%s), want one "+
			"for each of the %d classes", len(folders), firstOf(folders), classes)
	}
	for rank, name := range folders {
		labels[name] = rank
	}
	return labels, true, nil
}

// nameLabels labels the folders that bear the name of one of ImageNet-1k's
// classes, as classes.tsv has it, whatever the case and whether its words are
// parted by spaces, hyphens or underscores; it returns the others.
func nameLabels(labels map[string]int, folders []string) (strangers []string) {
	plain := func(name string) string {
		return strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(name))
	}
	classes := map[string]int{}
	for _, c := range ImageNet1k() {
		name := plain(c.Name)
		if _, twice := classes[name]; twice {
			classes[name] = -1 // two classes are called crane, two maillot
			continue
		}
		classes[name] = c.Index
	}
	for _, folder := range folders {
		if class, ok := classes[plain(folder)]; ok && class >= 0 {
			labels[folder] = class
		} else {
			strangers = append(strangers, folder)
		}
	}
	return strangers
}

// imagesOf are the names of a folder's images.
func imagesOf(entries []os.DirEntry) (names []string) {
	for _, e := range entries {
		if isImage(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// maxDepth bounds the folders below a class, against links that lead back.
const maxDepth = 16

// imagesBelow lists the images below a class folder, by their names below root,
// in torchvision's order: the folders' paths sorted as text, then the files.
func imagesBelow(root, class string) ([]string, error) {
	var names []string
	folders := []string{class}
	for i := 0; i < len(folders); i++ {
		if strings.Count(folders[i], "/") > maxDepth {
			return nil, fmt.Errorf("datasets: %s: folders more than %d deep, or a link that leads back", filepath.Join(root, class), maxDepth)
		}
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folders[i])))
		if err != nil {
			return nil, fmt.Errorf("datasets: %w", err)
		}
		for _, e := range entries {
			name := path.Join(folders[i], e.Name())
			folder := e.IsDir()
			if e.Type()&os.ModeSymlink != 0 {
				info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
				folder = err == nil && info.IsDir()
			}
			switch {
			case folder && !strings.HasPrefix(e.Name(), "."):
				folders = append(folders, name)
			case !folder && isImage(e.Name()):
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		dirA, fileA := path.Split(a)
		dirB, fileB := path.Split(b)
		return cmp.Or(strings.Compare(dirA[:len(dirA)-1], dirB[:len(dirB)-1]), strings.Compare(fileA, fileB))
	})
	return names, nil
}
