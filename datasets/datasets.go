// Package datasets gives labelled images to an evaluation: where they lie,
// which answers are right, in which order, as input tensors. They lie in a
// folder for each class, in a flat folder with a label file, or in tar archives
// as they were published: ILSVRC-2012's validation set, ImageNetV2, WebDataset's
// shards; or in Parquet shards as Hugging Face writes them. Some sets are opened by
// name: those that are computed (datasets/shapes), and CIFAR in its binary form.
//
// The contract: a Source is an ordered list of items, each with a name, the
// classes that count as right and the bytes of its file; opening one checks
// every label against the classes, so that a wrong list is an error before
// anything runs. The order is torchvision's for class folders and the label
// file's for flat ones. A Loader reads, decodes and preprocesses items on
// goroutines of its own, ahead of its consumer, and delivers them in order in
// bounded memory. An item that cannot be read keeps its place and carries its
// error: whether it counts as wrong is never decided by leaving it out.
//
// It leaves pixels to datasets/decode, resizing and normalising to
// datasets/preprocess, and counting right answers to the runner.
package datasets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zoobench/datasets/parquet"
)

// An Item is one image of a source.
type Item struct {
	// Name is the item's path below its source's root, with slashes. No two
	// items of a source have the same.
	Name string
	// Labels are the classes that count as right: one, or several where a
	// source has several right answers to an image (ImageNet-ReaL), or none.
	Labels []int
}

// A Source is an ordered set of labelled images. Its methods may be called
// from several goroutines.
type Source interface {
	// Len is the number of items.
	Len() int
	// Item describes item i, 0 ≤ i < Len.
	Item(i int) Item
	// Read returns the bytes of item i's file, in buf's memory where that is
	// large enough.
	Read(i int, buf []byte) ([]byte, error)
}

// Options say how a folder is to be read.
type Options struct {
	// Labels is the path of a label file; "" where the class folders are the
	// labels, or where the images are ILSVRC-2012's validation set, whose
	// labels are built in.
	Labels string
	// Classes is the number of classes of the network to be evaluated, against
	// which labels are checked; 0 means any.
	Classes int
	// ClassMap is the path of a file that says which class has which index; "" where the names of class folders decide.
	ClassMap string
	// Split names one of the splits, as train and val, that the images lie in; "" where there are none, or one.
	Split string
	// Ranks makes each class folder a class of its own, whatever its name says.
	Ranks bool
	// ClassRange are the classes from the first up to but not to the second, which alone are read, as classes from 0 on; zero
	// for all. The classes must have names.
	ClassRange [2]int
	// Index is the folder in which the lists of archives' members are kept; ""
	// for nowhere: they are then made each time.
	Index string
	// Sets is the folder that sets which were fetched lie in, for those that are opened by name.
	Sets string
	// Answers says among which classes answers are chosen: AllAnswers, OwnAnswers,
	// a name of AnswerSets, or a file with a class on each line. "" chooses among
	// the folders' classes where class folders are a part of the network's
	// classes, and else among all.
	Answers string
}

// The sets of ImageNet-1k's own classes that Files.Set names.
const (
	Validation = "imagenet-1k validation"
	ImageNetV2 = "imagenetv2 matched-frequency"
)

// Files is a source of files below a folder or in archives.
type Files struct {
	// Classes are the folders' names by label, where labels are their ranks;
	// nil where labels are indices or stand for ImageNet-1k's classes.
	Classes []string
	// Set is the published set that the images and their labels are of, where
	// their names or the name of their folder or archive shows it: Validation,
	// ImageNetV2, ImageNetA, ImageNetR, ImageNetSketch or ObjectNet, or a set
	// that Named knows, else "".
	Set string
	// Reading says how the labels were read, in words: by the folders' names, a label file's columns and so on.
	Reading string
	// Split is the split that was read, "" where there are none.
	Split string
	// Answers are the classes among which answers are chosen, where Options.Classes
	// says how many the network has.
	Answers AnswerSpace
	// Warnings say what is odd about the folder and does not hinder the
	// evaluation: images that the label file does not list, or the reverse.
	Warnings []string

	root     string
	items    []Item
	real     bool // labelled by ImageNet-ReaL's list
	passed   passedOver
	byFolder bool // class folders are the labels

	archives []*os.File // tar archives, empty for a folder
	spans    []span     // where each item lies in them

	pixels func(i int, dst []byte) ([]byte, error) // of a set of images that are no files
	edge   int                                     // theirs, which are square

	tables []*parquet.File // Parquet shards
	rows   []rowAt         // where each item lies in them
}

// Open opens images wherever they lie: a set by its name (see Named), CIFAR's binary files, in tar archives (one, a range such as
// val-{000..049}.tar, or a folder with nothing else in it), in a folder that the
// label file o.Labels labels, or in class folders, as OpenFolder does. Archives
// hold class folders, images that a label file or their own names label, or
// WebDataset's pairs of an image and its label.
func Open(root string, o Options) (*Files, error) {
	all := o
	if o.ClassRange != ([2]int{}) {
		all.Classes = 0 // the network has those of the range
	}
	f, err := open(root, all)
	if err != nil {
		return nil, err
	}
	if err := f.within(o); err != nil {
		f.Close()
		return nil, err
	}
	return f.finish(o)
}

// finish looks at what was opened as a whole: labels that the images' own names contradict, what was passed over, and which
// set it is.
func (f *Files) finish(o Options) (*Files, error) {
	from := "the naming of the folders"
	if o.Labels != "" {
		from = filepath.Base(o.Labels)
	}
	if f.Classes == nil || o.Classes == imageNetClasses {
		if err := f.checkValidation(from); err != nil {
			f.Close()
			return nil, err
		}
	}
	if text := f.passed.warning(); text != "" {
		f.Warnings = append(f.Warnings, f.root+": "+text)
	}
	f.Set = f.set()
	if err := f.judge(o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func open(root string, o Options) (*Files, error) {
	if Named(root) {
		return openNamed(root, o)
	}
	if c := cifarIn(root); c != nil {
		return c.open(root, o)
	}
	if isArchive(root) {
		files, err := expandShards(root)
		if err != nil {
			return nil, err
		}
		if isParquet(files[0]) {
			return openParquet(root, files, o)
		}
		return openArchives(files, o)
	}
	if files := parquetIn(root); len(files) > 0 {
		return openParquet(root, files, o)
	}
	if files := archivesIn(root); len(files) > 0 {
		files, split, err := splitFiles(root, files, o.Split)
		if err != nil {
			return nil, err
		}
		f, err := openArchives(files, o)
		if err == nil {
			f.Split = split
		}
		return f, err
	}
	if o.Labels != "" {
		return openFlat(root, o)
	}
	return openFolder(root, o)
}

// set is the published set: by the folder's or the archive's name for ImageNetV2 and its like, by every image's name and its label, which
// must be the set's own, for the validation set. ImageNet-ReaL's labels make another set of it even where they are the same.
func (f *Files) set() string {
	if strings.HasPrefix(strings.ToLower(filepath.Base(f.root)), "imagenetv2-matched-frequency") {
		return ImageNetV2
	}
	if f.Set == ObjectNet || f.pixels != nil {
		return f.Set
	}
	if set := publishedSet(f.root); set != "" {
		return set
	}
	if f.real {
		return ""
	}
	for _, item := range f.items {
		own, ok := validationLabel(item.Name)
		if !ok || len(item.Labels) != 1 || item.Labels[0] != own {
			return ""
		}
	}
	return Validation
}

// Root is the folder that the items' names start from, or the first archive.
func (f *Files) Root() string { return f.root }

// Len is the number of items.
func (f *Files) Len() int { return len(f.items) }

// Item describes item i.
func (f *Files) Item(i int) Item { return f.items[i] }

// Close closes the archives and shards; nothing can be read from them afterwards. Files of
// a folder need no Close.
func (f *Files) Close() error {
	var errs []error
	for _, a := range f.archives {
		errs = append(errs, a.Close())
	}
	for _, t := range f.tables {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}

// maxFileBytes limits what is read for one image: photographs of ImageNet
// have at most some 20 MB.
const maxFileBytes = 256 << 20

// Read reads item i's file. A file that is not regular or that has more than
// 256 MiB is an error.
func (f *Files) Read(i int, buf []byte) ([]byte, error) {
	if f.pixels != nil {
		return f.readPixels(i, buf)
	}
	if f.spans != nil {
		return f.read(f.spans[i], buf)
	}
	if f.rows != nil {
		return f.tables[f.rows[i].table].Image(f.rows[i].row, buf)
	}
	path := filepath.Join(f.root, filepath.FromSlash(f.items[i].Name))
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("datasets: not a regular file (%v)", info.Mode().Type())
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("datasets: file of %d bytes, want at most %d", info.Size(), maxFileBytes)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	defer file.Close()
	if n := int(info.Size()); cap(buf) < n {
		buf = make([]byte, n)
	} else {
		buf = buf[:n]
	}
	if _, err := io.ReadFull(file, buf); err != nil {
		return nil, fmt.Errorf("datasets: read: %w", err)
	}
	return buf, nil
}

// plain drops the path from a file error: the item's name has it already.
func plain(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("datasets: %s: %w", p.Op, p.Err)
	}
	return err
}

// isImage reports whether a file counts as an image, by torchvision's list of
// extensions (IMG_EXTENSIONS of datasets/folder.py). Hidden files do not: copies
// from macOS hold one beside each image.
func isImage(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// checkFolder reports a root that cannot be listed, in words that name it.
func checkFolder(root string) error {
	info, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("datasets: %s: a file, not a directory; want a folder of images", root)
	}
	return nil
}

// firstOf joins the first few of a list of names.
func firstOf(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + ", …"
}
