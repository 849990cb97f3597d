package datasets

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/datasets/parquet"
)

// A rowAt is where an item's bytes are in Parquet shards.
type rowAt struct{ table, row int }

// isParquet reports whether a file is a Parquet shard, by its name.
func isParquet(name string) bool { return strings.EqualFold(filepath.Ext(name), ".parquet") }

// parquetIn lists the Parquet shards of a folder that has no images: in the folder itself or, as Hugging Face lays a dataset
// out, in the one folder in it.
func parquetIn(root string) []string {
	for range 2 {
		entries, err := os.ReadDir(root)
		if err != nil {
			return nil
		}
		var files, folders []string
		for _, e := range entries {
			switch {
			case strings.HasPrefix(e.Name(), "."):
			case isFolder(root, e):
				folders = append(folders, e.Name())
			case isImage(e.Name()):
				return nil
			case isParquet(e.Name()):
				files = append(files, filepath.Join(root, e.Name()))
			}
		}
		if len(files) > 0 || len(folders) != 1 {
			return files
		}
		root = filepath.Join(root, folders[0])
	}
	return nil
}

// openParquet opens Parquet shards of one split, in the order of their names. A label is a class index, or the index of a name
// that the file lists: names of ImageNet-1k's classes, or of o.ClassMap, stand for those classes, whatever their order.
func openParquet(where string, files []string, o Options) (*Files, error) {
	if o.Labels != "" {
		return nil, fmt.Errorf("datasets: %s: Parquet has its labels in a column; leave out the label file %s", where, o.Labels)
	}
	files, split, err := splitFiles(where, files, o.Split)
	if err != nil {
		return nil, err
	}
	f := &Files{root: where, Split: split}
	if err := f.shards(files, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// shards opens the shards and labels their rows.
func (f *Files) shards(files []string, o Options) error {
	for _, file := range files {
		table, err := parquet.Open(file)
		if err != nil {
			return fmt.Errorf("datasets: %w; the file may be damaged: fetch it again, or write its images into class folders or WebDataset's "+
				"shards", err)
		}
		f.tables = append(f.tables, table)
	}
	class, err := f.columnClasses(o)
	if err != nil {
		return fmt.Errorf("datasets: %s: %w", f.root, err)
	}
	for i, table := range f.tables {
		names := rowNames(table.Paths)
		for row, label := range table.Labels {
			item := Item{Name: names[row]}
			if len(files) > 1 {
				item.Name = strings.TrimSuffix(filepath.Base(files[i]), filepath.Ext(files[i])) + "/" + item.Name
			}
			if label != -1 {
				index, err := class(label)
				if err != nil {
					return fmt.Errorf("datasets: %s: %s: %w", files[i], names[row], err)
				}
				item.Labels = []int{index}
			}
			f.items = append(f.items, item)
			f.rows = append(f.rows, rowAt{i, row})
		}
	}
	if !slices.ContainsFunc(f.items, func(i Item) bool { return len(i.Labels) > 0 }) {
		return fmt.Errorf("datasets: %s: %d images without a label", f.root, len(f.items))
	}
	return nil
}

// rowNames are the rows' paths, with their numbers where these alone tell them apart.
func rowNames(paths []string) []string {
	seen := make(map[string]bool, len(paths))
	unique := true
	for _, p := range paths {
		unique = unique && p != "" && !seen[p]
		seen[p] = true
	}
	names := slices.Clone(paths)
	for i := range names {
		names[i] = clean(names[i])
		if !unique {
			names[i] = path.Join(fmt.Sprintf("%06d", i), names[i])
		}
	}
	return names
}

// columnClasses says which class a label of the column is.
func (f *Files) columnClasses(o Options) (class func(label int) (int, error), err error) {
	names := f.tables[0].Names
	f.Reading = "labels from Parquet's column " + f.tables[0].Label
	for _, t := range f.tables[1:] {
		if !slices.Equal(t.Names, names) || t.Label != f.tables[0].Label {
			return nil, fmt.Errorf("the shards' labels mean different classes")
		}
	}
	most := len(names)
	if names == nil {
		if o.ClassMap != "" {
			return nil, fmt.Errorf("the files do not name their classes, which the class map %s needs", o.ClassMap)
		}
		most = o.Classes
	}
	index := func(label int) (int, error) {
		if label < 0 || most > 0 && label >= most {
			return 0, fmt.Errorf("label %d, want 0 to %d", label, most-1)
		}
		return label, nil
	}
	to, by, err := f.meaning(names, o)
	if err != nil {
		return nil, err
	}
	f.Reading += by
	return func(label int) (int, error) {
		label, err := index(label)
		if err == nil && to != nil {
			label = to[label]
		}
		return label, err
	}, nil
}

// meaning is the class of each name of a column, nil where labels are classes as they are, and how that was found out.
func (f *Files) meaning(names []string, o Options) (to []int, by string, err error) {
	if o.ClassMap != "" {
		own, err := mapLabels(names, o)
		if err != nil {
			return nil, "", err
		}
		for _, name := range names {
			to = append(to, own[name])
		}
		return to, ", by the class map " + filepath.Base(o.ClassMap), nil
	}
	if names == nil {
		return nil, ", by class index", nil
	}
	known, moved := 0, 0
	for i, name := range names {
		class, ok := ClassCalled(name)
		if ok {
			known++
		}
		if ok && class != i {
			moved++
		}
		to = append(to, class)
	}
	switch imageNet := o.Classes == imageNetClasses || o.Classes == 0 && len(names) == imageNetClasses; {
	case imageNet && len(names) == imageNetClasses && moved == 0:
		return nil, ", by class index, in the order of ImageNet-1k", nil // a few names are of two classes
	case imageNet && known == len(names):
		return to, ", by the names of ImageNet-1k's classes in the file", nil
	case o.Classes > 0 && o.Classes != len(names):
		return nil, "", fmt.Errorf("%d classes (%s), want %d", len(names), firstOf(names), o.Classes)
	}
	f.Classes = names
	return nil, ", by class index", nil
}
