package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// A Cache is the folder of this machine's checkpoints: weights/NETWORK.TAG.safetensors, .pth, .h5 or .keras in it.
type Cache struct{ Dir string }

// DefaultCache is the folder that $ZOOBENCH_CACHE names, else zoobench in the user's cache directory.
func DefaultCache() (Cache, error) {
	if dir := os.Getenv("ZOOBENCH_CACHE"); dir != "" {
		return Cache{dir}, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return Cache{}, fmt.Errorf("runner: no cache folder; set ZOOBENCH_CACHE: %w", err)
	}
	return Cache{filepath.Join(dir, "zoobench")}, nil
}

// extensions are those of checkpoints' files, the preferred first.
var extensions = [...]string{".safetensors", ".pth", ".h5", ".keras"}

// Weights is the folder in which checkpoints lie.
func (c Cache) Weights() string { return filepath.Join(c.Dir, "weights") }

// Find is the file of a network's checkpoint, under the network's name or one of its aliases. What the program contains is
// written into the cache folder if it is not there. Without a file, the error says where it belongs.
func (c Cache) Find(spec *zoo.Spec, tag string) (string, error) {
	for _, name := range append([]string{spec.Name}, spec.Aliases...) {
		for _, ext := range extensions {
			path := filepath.Join(c.Weights(), name+"."+tag+ext)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("runner: cache: %w", err)
			}
		}
	}
	if known, ok := spec.Checkpoint(tag); ok && known.Shipped != nil {
		return c.unpacked(known)
	}
	return "", fmt.Errorf("runner: %s.%s: no such file, and not in the cache folder; zoobench pull %[1]s.%[2]s fetches it if it is "+
		"published, or put it at %[3]s", spec.Name, tag, filepath.Join(c.Weights(), spec.Name+"."+tag+extensions[0]))
}

// unpacked is the file of a checkpoint that the program contains: it lies beside the others' folder, by its hash, so that
// programs with other weights have other files.
func (c Cache) unpacked(known zoo.Checkpoint) (string, error) {
	data, err := known.Shipped.Bytes()
	if err != nil {
		return "", fmt.Errorf("runner: %s: %w", known.Name(), err)
	}
	path := filepath.Join(c.Dir, "shipped", known.SHA256[:12], known.Name()+extensions[0])
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, data) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("runner: cache: %w", err)
	}
	err = record.Replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("runner: cache: %w", err)
	}
	return path, nil
}

// Tags are the checkpoints of a network that are in the cache or in the program, in alphabetical order; a missing folder has none.
func (c Cache) Tags(spec *zoo.Spec) ([]string, error) {
	entries, err := os.ReadDir(c.Weights())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("runner: cache: %w", err)
	}
	var tags []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !slices.Contains(extensions[:], ext) || e.IsDir() {
			continue
		}
		network, tag := zoo.Split(strings.TrimSuffix(e.Name(), ext))
		if tag != "" && (network == spec.Name || slices.Contains(spec.Aliases, network)) && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if known, ok := spec.Shipped(); ok && !slices.Contains(tags, known.Tag) {
		tags = append(tags, known.Tag)
	}
	slices.Sort(tags)
	return tags, nil
}

// Resolve says what --weights means: a file or a folder where there is one of that name, or where it can be nothing else, and a
// tag otherwise. The tag of a file in the cache's own form of name is known too. Behind either, #SECTION names a section
// of the file, which stays with the file's name.
func (c Cache) Resolve(spec *zoo.Spec, name string) (tag, file string, err error) {
	path, section := weights.SplitSection(name)
	if path == name {
		return c.resolve(spec, name)
	}
	if tag, file, err = c.resolve(spec, path); err == nil {
		file += "#" + section
	}
	return tag, file, err
}

func (c Cache) resolve(spec *zoo.Spec, weights string) (tag, file string, err error) {
	info, err := os.Stat(weights)
	if err == nil && info.IsDir() {
		return "", weights, nil
	}
	if err != nil && !strings.ContainsRune(weights, filepath.Separator) && !strings.Contains(weights, ".") {
		file, err = c.Find(spec, weights)
		return weights, file, err
	}
	if err != nil {
		return "", "", fmt.Errorf("runner: weights: %w", err)
	}
	base := strings.TrimSuffix(filepath.Base(weights), filepath.Ext(weights))
	if network, tag := zoo.Split(base); tag != "" && !strings.Contains(tag, ".") &&
		(network == spec.Name || slices.Contains(spec.Aliases, network)) {
		return tag, weights, nil
	}
	return "", weights, nil
}
