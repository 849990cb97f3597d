package datasets

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// splitWords are the words that datasets call their parts by, with the part that each means.
var splitWords = map[string]string{
	"train": "train", "training": "train",
	"val": "val", "valid": "val", "validation": "val", "dev": "val",
	"test": "test", "testing": "test", "eval": "test",
}

// isSplit reports whether a folder's name is that of a part of a dataset.
func isSplit(name string) bool { return splitWords[strings.ToLower(name)] != "" }

// sameSplit reports whether two names are of one split: val and validation are.
func sameSplit(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a == b || splitWords[a] != "" && splitWords[a] == splitWords[b]
}

// pickSplit is the one of some splits that want names, or the only one where want is "". Where says where they are.
func pickSplit(where string, splits []string, want string) (string, error) {
	if want == "" && len(splits) == 1 {
		return splits[0], nil
	}
	var flags []string
	for _, s := range splits {
		if s == want || want != "" && sameSplit(s, want) {
			return s, nil
		}
		flags = append(flags, "--split "+s)
	}
	switch {
	case len(splits) == 0:
		return "", fmt.Errorf("datasets: %s: no split %s: there are none", where, want)
	case want != "":
		return "", fmt.Errorf("datasets: %s: no split %s, want one of %s", where, want, strings.Join(splits, ", "))
	}
	return "", fmt.Errorf("datasets: %s: %s are splits of a dataset, not classes; name one of them: %s", where, strings.Join(splits, ", "),
		strings.Join(flags, " or "))
}

// splitFolder is the folder of the split that want names, and the split's name; the root itself and "" where the root has
// no splits. Its folders are splits if all of them are called so and one of them has folders and no images in it, or if
// two of them are called so and have the same folders in them.
func splitFolder(root, want string) (folder, split string, err error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", "", fmt.Errorf("datasets: %w", err)
	}
	var splits []string
	nested, others, alike := false, false, map[string]int{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !isFolder(root, e) {
			continue
		}
		if want != "" && e.Name() == want {
			return filepath.Join(root, want), want, nil
		}
		if !isSplit(e.Name()) {
			others = true
			continue
		}
		splits = append(splits, e.Name())
		if below := foldersIn(filepath.Join(root, e.Name())); below != nil {
			nested = true
			alike[strings.Join(below, "/")]++
		}
	}
	same := slices.ContainsFunc(slices.Collect(maps.Values(alike)), func(n int) bool { return n > 1 })
	if want == "" && !same && (others || !nested) {
		return root, "", nil
	}
	split, err = pickSplit(root, splits, want)
	return filepath.Join(root, split), split, err
}

// foldersIn are the folders in a folder without images, in alphabetical order; none where it has images.
func foldersIn(root string) (folders []string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case isFolder(root, e):
			folders = append(folders, e.Name())
		case isImage(e.Name()):
			return nil
		}
	}
	return folders
}

// nestedWarning is what a reader should know of class folders that have the same folders in them and no images of their own:
// they, or the folders in them, may be parts of the data. It is "" for others.
func nestedWarning(root string, classes []string) string {
	if len(classes) < 2 {
		return ""
	}
	below := foldersIn(filepath.Join(root, classes[0]))
	if len(below) < 2 || slices.ContainsFunc(classes[1:], func(class string) bool {
		return !slices.Equal(foldersIn(filepath.Join(root, class)), below)
	}) {
		return ""
	}
	names := firstOf(below)
	text := fmt.Sprintf("%s: each of the class folders (%s) has the folders %s and no images of its own", root, firstOf(classes), names)
	if slices.ContainsFunc(below, isSplit) {
		return text + ": images of all of these folders are used together"
	}
	return text + fmt.Sprintf("; if these are parts of the data and %s are the classes, name a part, as --split %s", names, classes[0])
}

// fileSplit is the split in a shard's name, as Hugging Face and WebDataset write them: validation-00000-of-00014.parquet,
// imagenet1k-train-0000.tar; "" for none.
func fileSplit(name string) string {
	words := strings.FieldsFunc(strings.ToLower(filepath.Base(name)), func(r rune) bool { return strings.ContainsRune("-_.", r) })
	if i := slices.IndexFunc(words, isSplit); i >= 0 {
		return words[i]
	}
	return ""
}

// splitFiles are the shards of the split that want names. Shards of several splits need one named.
func splitFiles(where string, files []string, want string) (of []string, split string, err error) {
	var splits []string
	for _, file := range files {
		if s := fileSplit(file); !slices.Contains(splits, s) {
			splits = append(splits, s)
		}
	}
	if want == "" && len(splits) == 1 {
		return files, splits[0], nil
	}
	if split, err = pickSplit(where, slices.DeleteFunc(splits, func(s string) bool { return s == "" }), want); err != nil {
		return nil, "", err
	}
	for _, file := range files {
		if fileSplit(file) == split {
			of = append(of, file)
		}
	}
	return of, split, nil
}
