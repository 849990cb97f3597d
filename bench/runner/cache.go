package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// Find is the file of a network's checkpoint, under the network's name or one of its aliases; without one, the error
// says where it belongs.
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
	return "", fmt.Errorf("runner: %s.%s: no such file, and not in the cache folder; zoobench pull %[1]s.%[2]s fetches it if it is "+
		"published, or put it at %[3]s", spec.Name, tag, filepath.Join(c.Weights(), spec.Name+"."+tag+extensions[0]))
}

// Tags are the checkpoints of a network that are in the cache, in alphabetical order; a missing folder has none.
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
