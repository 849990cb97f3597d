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

// OpenFolder opens a tree with a folder for each class, as torchvision's ImageFolder does: images by extension at any depth
// below the class, folders and files in the order of their names, links followed. Hidden files and folders are left out.
//
// Folders named by number hold the class of that index, and are taken in the order of the numbers (ImageNetV2). Folders
// named by WordNet ids, or, where o.Classes is 1,000, all by names of ImageNet-1k's classes, hold those classes. Otherwise,
// for WordNet ids where o.Classes is another count than 1,000, and where o.Ranks asks for it, the label is the folder's rank
// in the order of the names as text, as in torchvision; the count of folders must then be o.Classes. A class map decides
// before all names do: o.ClassMap, or a file called class_to_idx.json beside the folders. Files.Reading says which it was.
//
// Folders called train, val or test that hold class folders are splits; o.Split names one of them. Class folders that all hold
// folders of the same names are a warning: these may be splits too.
//
// A folder without class folders that holds images of ILSVRC-2012's validation set has the set's own labels.
func OpenFolder(root string, o Options) (*Files, error) {
	f, err := openFolder(root, o)
	if err != nil {
		return nil, err
	}
	return f.finish(o)
}

func openFolder(root string, o Options) (*Files, error) {
	if err := checkFolder(root); err != nil {
		return nil, err
	}
	root, split, err := splitFolder(root, o.Split)
	if err != nil {
		return nil, err
	}
	f := &Files{root: root, Split: split}
	if err := f.classFolders(o); err != nil {
		return nil, err
	}
	return f, nil
}

// classFolders takes the images of a root's class folders.
func (f *Files) classFolders(o Options) error {
	entries, err := os.ReadDir(f.root)
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	var folders []string
	loose := 0
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case isFolder(f.root, e):
			folders = append(folders, e.Name())
		case isImage(e.Name()):
			loose++
		default:
			f.passOver(e.Name())
			if e.Name() == classMapName && o.ClassMap == "" {
				o.ClassMap = filepath.Join(f.root, classMapName)
			}
		}
	}
	if len(folders) == 0 {
		return f.flatValidation(imagesOf(entries), o)
	}
	f.passed = passedOver{} // only what lies in class folders is missed
	f.byFolder = true
	if o.Classes == imageNetClasses {
		if ok, err := f.objectNet(folders); ok {
			return err
		}
	}
	labels, wrong := f.folderLabels(folders, o)
	var empty []string
	for _, folder := range folders {
		names, err := f.imagesBelow(folder)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			empty = append(empty, folder)
		}
		for _, name := range names {
			f.items = append(f.items, Item{Name: name, Labels: []int{labels[folder]}})
		}
	}
	if len(f.items) == 0 && (wrong == nil || f.passed.count() > 0) {
		return fmt.Errorf("datasets: %s: no images in %d class folders%s", f.root, len(folders), f.passed.butHold())
	}
	if wrong != nil {
		return fmt.Errorf("datasets: %s: %w", f.root, wrong)
	}
	if text := nestedWarning(f.root, folders); text != "" {
		f.Warnings = append(f.Warnings, text)
	}
	if len(empty) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d class folders have no images: %s", f.root, len(empty), firstOf(empty)))
	}
	if loose > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d images outside the class folders are left out", f.root, loose))
	}
	return nil
}

// flatValidation takes a folder of validation images. Other images have no labels, which is an error.
func (f *Files) flatValidation(images []string, o Options) error {
	if len(images) == 0 {
		return fmt.Errorf("datasets: %s: no class folders and no images%s", f.root, f.passed.butHold())
	}
	items, ok := validationItems(images, o.Classes)
	if !ok {
		return fmt.Errorf("datasets: %s: %d images and no class folders, want a folder for each class or a label file", f.root, len(images))
	}
	f.items, f.Reading = items, builtIn
	return nil
}

// builtIn is the reading of validation images without folders and label file.
const builtIn = "labels of ILSVRC-2012's validation set, built in, by the images' names"

// classMapName is the file that torchvision's users keep the order of the classes in.
const classMapName = "class_to_idx.json"

// isFolder reports whether an entry of a folder is a folder, or a link to one.
func isFolder(root string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(root, e.Name()))
	return err == nil && info.IsDir()
}

// folderLabels gives each class folder, in order of name, its label. It puts the folders into the order of their labels and
// says how they were read.
func (f *Files) folderLabels(folders []string, o Options) (labels map[string]int, err error) {
	defer func() {
		if err == nil {
			slices.SortStableFunc(folders, func(a, b string) int { return cmp.Compare(labels[a], labels[b]) })
		}
	}()
	switch {
	case o.ClassMap != "":
		labels, err = mapLabels(folders, o)
		f.Reading = "class folders by the class map " + filepath.Base(o.ClassMap)
		return labels, err
	case o.Ranks:
		return f.ranks(folders, o), nil
	}
	if labels, err = numberLabels(folders, o.Classes); labels != nil || err != nil {
		f.Reading = "class folders by class index"
		return labels, err
	}
	imageNet := o.Classes == 0 || o.Classes == imageNetClasses
	if imageNet {
		labels, strangers := labelsBy(folders, withID)
		if len(strangers) == 0 {
			f.Reading = "class folders by WordNet id of ImageNet-1k"
			return labels, nil
		}
		if len(labels) > 0 {
			return nil, fmt.Errorf("%d of %d class folders are not WordNet ids of ImageNet-1k: %s", len(strangers), len(folders),
				firstOf(strangers))
		}
	}
	if o.Classes == imageNetClasses {
		labels, strangers := labelsBy(folders, named)
		if len(strangers) == 0 {
			f.Reading = "class folders by name of ImageNet-1k's classes"
			return labels, nil
		}
		if 2*len(strangers) < len(folders) {
			return nil, fmt.Errorf("%d of %d class folders name no class of ImageNet-1k, or two classes: %s", len(strangers),
				len(folders), firstOf(strangers))
		}
	}
	if o.Classes > 0 && o.Classes != len(folders) {
		return nil, fmt.Errorf("%d class folders, named neither by class index nor by WordNet id of ImageNet-1k (%s), want one "+
			"for each of the %d classes", len(folders), firstOf(folders), o.Classes)
	}
	return f.ranks(folders, o), nil
}

// ranks labels folders by their ranks as text. timm ranks them in natural order, which is another one for 2 and 10, say, and
// for capitals: a warning says so where labels are compared with a network's classes.
func (f *Files) ranks(folders []string, o Options) map[string]int {
	f.Classes = slices.Clone(folders)
	f.Reading = "class folders by rank, in the order of their names as text, as in torchvision"
	labels := make(map[string]int, len(folders))
	for rank, name := range folders {
		labels[name] = rank
	}
	natural := slices.Clone(folders)
	slices.SortStableFunc(natural, naturalOrder)
	moved := 0
	example := ""
	for rank, name := range natural {
		if labels[name] != rank {
			if moved++; example == "" {
				example = fmt.Sprintf("class %d is %s, there it is %s", rank, folders[rank], name)
			}
		}
	}
	if moved > 0 && !o.Ranks {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: the classes are in torchvision's order, of names as text; in timm's natural order "+
			"%d of %d have another index (%s); to choose an order, give a class map "+
			"(--class-map, or %s beside the folders)", f.root, moved, len(folders), example, classMapName))
	}
	return labels
}

// naturalOrder is the order of timm's class folders: small letters for capitals, and numbers in text by their size.
func naturalOrder(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	digits := func(s string) string {
		return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	}
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m != "" && n != "" {
			x, y := strings.TrimLeft(m, "0"), strings.TrimLeft(n, "0")
			if d := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); d != 0 {
				return d
			}
			a, b = a[len(m):], b[len(n):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// mapLabels labels folders by a class map, which must have them all.
func mapLabels(folders []string, o Options) (map[string]int, error) {
	own, err := readClassMap(o.ClassMap, o.Classes)
	if err != nil {
		return nil, err
	}
	labels, strangers := labelsBy(folders, func(name string) (int, bool) {
		class, ok := own[name]
		return class, ok
	})
	if len(strangers) > 0 {
		return nil, fmt.Errorf("%d of %d class folders are not in the class map %s: %s", len(strangers), len(folders), o.ClassMap,
			firstOf(strangers))
	}
	return labels, nil
}

// numberLabels labels folders whose names are all numbers; nil where one is not.
func numberLabels(folders []string, classes int) (map[string]int, error) {
	labels := make(map[string]int, len(folders))
	folderOf := make(map[int]string, len(folders))
	for _, name := range folders {
		if _, err := strconv.ParseUint(name, 10, 31); err != nil {
			return nil, nil
		}
	}
	for _, name := range folders {
		index, err := strconv.Atoi(name)
		if err != nil || classes > 0 && index >= classes {
			return nil, fmt.Errorf("class folder %s: want a class index from 0 to %d", name, classes-1)
		}
		if other, ok := folderOf[index]; ok {
			return nil, fmt.Errorf("class folders %s and %s are the same class", other, name)
		}
		folderOf[index], labels[name] = name, index
	}
	return labels, nil
}

// labelsBy labels folders as class does, and returns those that it does not know. Two folders of one class are fine: a class
// has several names.
func labelsBy(folders []string, class func(name string) (int, bool)) (labels map[string]int, strangers []string) {
	labels = make(map[string]int, len(folders))
	for _, name := range folders {
		if index, ok := class(name); ok {
			labels[name] = index
		} else {
			strangers = append(strangers, name)
		}
	}
	return labels, strangers
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

// imagesBelow lists the images below a class folder, by their names below the root, in torchvision's order: the folders'
// paths sorted as text, then the files.
func (f *Files) imagesBelow(class string) ([]string, error) {
	var names []string
	folders := []string{class}
	for i := 0; i < len(folders); i++ {
		if strings.Count(folders[i], "/") > maxDepth {
			return nil, fmt.Errorf("datasets: %s: folders more than %d deep, or a link that leads back", filepath.Join(f.root, class), maxDepth)
		}
		folder := filepath.Join(f.root, filepath.FromSlash(folders[i]))
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("datasets: %w", err)
		}
		for _, e := range entries {
			name := path.Join(folders[i], e.Name())
			switch {
			case isFolder(folder, e):
				if !strings.HasPrefix(e.Name(), ".") {
					folders = append(folders, name)
				}
			case isImage(e.Name()):
				names = append(names, name)
			default:
				f.passOver(name)
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
