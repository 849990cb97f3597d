package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A checkpoint can be several files: shards with an index, which is a JSON file whose weight_map says which file has
// which tensor; or a folder with a file for each tensor, named by the tensor.

// preferred are the files in a folder that are taken to be the checkpoint if others lie beside them, in the order
// in which the transformers library looks for them.
var preferred = [...]string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// The bounds of a checkpoint of several files: an index's bytes, files, and folders inside each other.
const (
	maxIndex      = 64 << 20
	maxVolumes    = 1 << 14
	maxSetFolders = 8
)

// shardName is how shards are named: "model-00002-of-00003.safetensors".
var shardName = regexp.MustCompile(`^(.+)-(\d{1,9})-of-(\d{1,9})(\.[a-z]+)$`)

// isCheckpoint reports whether a file can be a checkpoint, or a part of one, by the end of its name.
func isCheckpoint(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar", ".npz", ".npy", ".h5", ".hdf5", ".keras":
		return true
	}
	return false
}

// openFolder opens the checkpoint in a folder: the preferred file, the only one, shards without an index, or a file for
// each tensor.
func openFolder(path string) (*File, error) {
	files, err := listFolder(path, "", 0)
	if err != nil {
		return nil, err
	}
	for _, name := range preferred {
		if slices.Contains(files, name) {
			return openNamed(filepath.Join(path, name), filepath.Base(path)+"/"+name)
		}
	}
	base := filepath.Base(path)
	switch {
	case len(files) == 0:
		return nil, fmt.Errorf("weights: %s: is a folder without a checkpoint, want a file, or a folder with one or with a file for each tensor",
			base)
	case len(files) == 1 && !strings.HasSuffix(files[0], ".npy"):
		return openNamed(filepath.Join(path, files[0]), base+"/"+files[0])
	}
	return openSet(base, path, files, nil)
}

// listFolder lists what can be a checkpoint in a folder and below, in alphabetical order, without links.
func listFolder(root, below string, depth int) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, below))
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := filepath.Join(below, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir() && depth < maxSetFolders:
			more, err := listFolder(root, name, depth+1)
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		case e.IsDir():
		case isCheckpoint(name), below == "" && slices.Contains(preferred[:], name):
			// The files of Hugging Face's cache are links.
			if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
				files = append(files, name)
			}
		}
		if len(files) > maxVolumes {
			return nil, fmt.Errorf("weights: %s: more than %d files, want a checkpoint", filepath.Base(root), maxVolumes)
		}
	}
	return files, nil
}

// openIndex opens the shards that an index lists.
func openIndex(path, name string, r io.ReaderAt, size int64) (*File, error) {
	broken := func(format string, args ...any) error {
		return &FormatError{File: name, Offset: -1, Msg: fmt.Sprintf(format, args...)}
	}
	if size > maxIndex {
		return nil, broken("index of %d bytes, want at most %d", size, maxIndex)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), text); err != nil {
		return nil, broken("cannot be read: %v", err)
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, broken("index of shards: %v", err)
	}
	if len(index.Files) == 0 {
		return nil, &UnsupportedError{File: name, Offset: -1, Msg: "JSON without weight_map, which an index of shards has"}
	}
	for tensor, file := range index.Files {
		if file == "" || file != filepath.Base(file) || strings.ContainsAny(file, `/\`) || file == "." || file == ".." {
			return nil, broken("weight_map: %s is in %s, want a file beside the index", clip(tensor), clip(file))
		}
	}
	files := slices.Compact(slices.Sorted(maps.Values(index.Files)))
	if len(files) > maxVolumes {
		return nil, broken("%d files, want at most %d", len(files), maxVolumes)
	}
	return openSet(name, filepath.Dir(path), files, index.Files)
}

// openSet opens several files of a folder as one checkpoint. An index says which file has a tensor; without one the files
// are shards, all of them, or have a tensor each.
func openSet(name, dir string, files []string, index map[string]string) (*File, error) {
	f := &File{name: name, copies: map[string][]float32{}}
	l, err := f.addAll(dir, files, index)
	if err == nil {
		f.layout = l
		err = f.take(l.sections[0], "")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// addAll opens the files and merges their tensors.
func (f *File) addAll(dir string, files []string, index map[string]string) (layout, error) {
	whole := layout{format: "several files", sections: make([]section, 1)}
	if index == nil {
		if err := completeShards(f.name, files); err != nil {
			return layout{}, err
		}
	}
	var each [][]entry
	for _, name := range files {
		p, err := openVolume(filepath.Join(dir, name), f.name+"/"+name)
		if err != nil {
			if index != nil && errors.Is(err, fs.ErrNotExist) {
				return layout{}, f.shardMissing(name, index)
			}
			return layout{}, err
		}
		f.volumes = append(f.volumes, p)
		l, err := parse(p.name, p.r, p.size)
		if err != nil {
			return layout{}, err
		}
		entries, err := l.everything(p.name)
		if err != nil {
			return layout{}, err
		}
		for i := range entries {
			entries[i].volume = len(f.volumes) - 1
		}
		each = append(each, entries)
		whole.size += l.size
	}
	if index == nil {
		nameByFile(files, each)
	}
	seen := map[string]string{}
	for i, entries := range each {
		for _, e := range entries {
			if of, ok := index[e.Name]; ok && of != files[i] {
				continue // the index says that another file's is meant
			}
			if before, twice := seen[e.Name]; twice {
				return layout{}, fmt.Errorf("weights: %s: %s is in %s and in %s: %d checkpoints in one folder? name one of the files",
					f.name, clip(e.Name), clip(before), clip(files[i]), len(files))
			}
			seen[e.Name] = files[i]
			whole.sections[0].entries = append(whole.sections[0].entries, e)
		}
	}
	for _, tensor := range slices.Sorted(maps.Keys(index)) {
		if seen[tensor] == "" {
			return layout{}, &FormatError{File: f.name, Item: tensor, Offset: -1,
				Msg: fmt.Sprintf("weight_map: %s has no such tensor", clip(index[tensor]))}
		}
	}
	return whole, nil
}

// everything is the entries of the file's first section under their full names; a lone tensor or array has the name "".
func (l *layout) everything(file string) ([]entry, error) {
	s := l.sections[0]
	if s.dict == nil {
		return s.entries, nil
	}
	var entries []entry
	for _, name := range s.dict.names {
		if t, dense := s.dict.items[name].(*tensor); dense {
			e, err := l.entry(file, name, t)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// nameByFile gives tensors the names of their files where each file has one tensor, and that has no name or one that
// another file's has too.
func nameByFile(files []string, each [][]entry) {
	count := map[string]int{}
	for _, entries := range each {
		if len(entries) != 1 {
			return
		}
		count[entries[0].Name]++
	}
	for i, entries := range each {
		if e := &entries[0]; e.Name == "" || count[e.Name] > 1 {
			e.Name = strings.ReplaceAll(filepath.ToSlash(strings.TrimSuffix(files[i], filepath.Ext(files[i]))), "/", ".")
		}
	}
}

// completeShards is an error where files are shards by their names and one is not there.
func completeShards(name string, files []string) error {
	have := map[string]bool{}
	for _, file := range files {
		have[file] = true
	}
	for _, file := range files {
		m := shardName.FindStringSubmatch(file)
		if m == nil {
			continue
		}
		of, _ := strconv.Atoi(m[3])
		if of > maxVolumes {
			return fmt.Errorf("weights: %s: %s: more than %d shards", name, clip(file), maxVolumes)
		}
		for i := 1; i <= of; i++ {
			shard := fmt.Sprintf("%s-%0*d-of-%s%s", m[1], len(m[2]), i, m[3], m[4])
			if !have[shard] {
				return fmt.Errorf("weights: %s: shard %s is missing, %s says that there are %d", name, clip(shard), clip(file), of)
			}
		}
	}
	return nil
}

// shardMissing is the error for a file that an index names and that is not there.
func (f *File) shardMissing(file string, index map[string]string) error {
	tensors := 0
	for _, of := range index {
		if of == file {
			tensors++
		}
	}
	return fmt.Errorf("weights: %s: shard %s is missing, which has %d of %d tensors: %w", f.name, clip(file), tensors, len(index),
		fs.ErrNotExist)
}

// shardOf says which shard a file is by its name, as "shard 2 of 3", "" where it is none or the only one.
func shardOf(name string) string {
	m := shardName.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	i, _ := strconv.Atoi(m[2])
	of, _ := strconv.Atoi(m[3])
	if of < 2 {
		return ""
	}
	return fmt.Sprintf("shard %d of %d", i, of)
}
