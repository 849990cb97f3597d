package datasets

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// cifar is a form of Krizhevsky's tiny images (Learning Multiple Layers of Features from Tiny Images, 2009), as
// cs.toronto.edu/~kriz/cifar.html publishes it for programs in C: records of some label bytes and 32×32 pixels, all red
// ones before all green and all blue ones.
type cifar struct {
	set     string
	folder  string // that the archive unpacks to
	names   string // file of the classes' names
	classes int
	labels  int // bytes before the pixels, the last of which is the label
	train   []string
	test    string
}

var cifars = []*cifar{
	{CIFAR10, "cifar-10-batches-bin", "batches.meta.txt", 10, 1,
		[]string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}, "test_batch.bin"},
	{CIFAR100, "cifar-100-binary", "fine_label_names.txt", 100, 2, []string{"train.bin"}, "test.bin"},
}

const (
	cifarEdge   = 32
	cifarPixels = 3 * cifarEdge * cifarEdge
)

func cifarOf(set string) *cifar {
	for _, c := range cifars {
		if c.set == set {
			return c
		}
	}
	return nil
}

// cifarIn is the form whose files a folder has, nil for none.
func cifarIn(folder string) *cifar {
	for _, c := range cifars {
		if c.in(folder) {
			return c
		}
	}
	return nil
}

// in reports whether a folder has the form's file of names and a file of images.
func (c *cifar) in(folder string) bool {
	for _, name := range []string{c.names, c.test} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// open opens the training or the test images in a folder.
func (c *cifar) open(folder string, o Options) (*Files, error) {
	classes, err := c.classNames(folder)
	if err != nil {
		return nil, err
	}
	f, err := openPixels(folder, c.set, cifarEdge, classes, []string{"train", "test"}, o)
	if err != nil {
		return nil, err
	}
	names := []string{c.test}
	if f.Split == "train" {
		names = c.train
	}
	type place struct {
		file *os.File
		at   int64
	}
	var places []place
	for _, name := range names {
		labels, err := c.readLabels(f, folder, name)
		if err != nil {
			f.Close()
			return nil, err
		}
		for i, label := range labels {
			item := fmt.Sprintf("%s/%s_%05d.bmp", classes[label], strings.TrimSuffix(name, ".bin"), i)
			f.items = append(f.items, Item{Name: item, Labels: []int{label}})
			places = append(places, place{f.archives[len(f.archives)-1], int64(i)*c.record() + int64(c.labels)})
		}
	}
	f.Reading = "labels in the records of CIFAR's binary files"
	f.pixels = func(i int, dst []byte) ([]byte, error) {
		var planes [cifarPixels]byte
		if _, err := places[i].file.ReadAt(planes[:], places[i].at); err != nil {
			return nil, plain(err)
		}
		dst = dst[:cifarPixels]
		for p := range cifarEdge * cifarEdge {
			for channel := range 3 {
				dst[3*p+channel] = planes[channel*cifarEdge*cifarEdge+p]
			}
		}
		return dst, nil
	}
	return f, nil
}

func (c *cifar) record() int64 { return int64(c.labels) + cifarPixels }

// classNames reads the names of the classes, a line each.
func (c *cifar) classNames(folder string) ([]string, error) {
	path := filepath.Join(folder, c.names)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	names := strings.Fields(string(text))
	if len(names) != c.classes {
		return nil, fmt.Errorf("datasets: %s: %d names of classes, want %d", path, len(names), c.classes)
	}
	for _, name := range names {
		if strings.ContainsAny(name, `/\`) {
			return nil, fmt.Errorf("datasets: %s: class name %q, want one without a slash", path, name)
		}
	}
	return names, nil
}

// readLabels reads the labels of a file's records, and leaves the file open in f.
func (c *cifar) readLabels(f *Files, folder, name string) (labels []int, err error) {
	path := filepath.Join(folder, name)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	f.archives = append(f.archives, file)
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	if n := info.Size(); n == 0 || n%c.record() != 0 {
		return nil, fmt.Errorf("datasets: %s: %d bytes, want whole records of %d: the file is cut off, or of another set", path, n, c.record())
	}
	r := bufio.NewReaderSize(file, 1<<16)
	head := make([]byte, c.labels)
	for range info.Size() / c.record() {
		if _, err := io.ReadFull(r, head); err != nil {
			return nil, fmt.Errorf("datasets: %s: %w", path, err)
		}
		label := int(head[c.labels-1])
		if label >= c.classes {
			return nil, fmt.Errorf("datasets: %s: record %d: label %d, want less than %d", path, len(labels), label, c.classes)
		}
		labels = append(labels, label)
		if _, err := r.Discard(cifarPixels); err != nil {
			return nil, fmt.Errorf("datasets: %s: %w", path, err)
		}
	}
	return labels, nil
}
