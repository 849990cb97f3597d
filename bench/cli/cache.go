package cli

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/zoo/weights"
)

// cacheRow is a file of the cache.
type cacheRow struct {
	File   string `json:"file"` // below the cache folder
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // "" where nobody has asked for it yet
	Trust  string `json:"trust"`
	OK     *bool  `json:"ok,omitempty"` // of verify
	Error  string `json:"error,omitempty"`
}

func (a *app) cache() *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "List, verify and remove the files in the cache folder",
		Long: "The cache folder is $ZOOBENCH_CACHE or, without that variable, the folder zoobench in your own cache folder. Its folder\n" +
			"weights has checkpoints, its folder int8 what they are quantised to on the way, its folders data and sets have images.",
		RunE: group,
	}
	c.AddCommand(a.cacheLs(), a.cacheVerify(), a.cacheRm())
	return c
}

// cached is a file of one of the cache's folders.
type cached struct {
	store  weights.Store
	folder string
	held   weights.Held
}

// cachedFiles are the cache's files, of those named only them. A name may have wildcards, and may lack its folder and the
// extension.
func cachedFiles(names []string) ([]cached, error) {
	cache, err := runner.DefaultCache()
	if err != nil {
		return nil, err
	}
	var all []cached
	for _, folder := range []string{"weights", "int8", "data", "sets"} {
		s := weights.Store{Dir: filepath.Join(cache.Dir, folder)}
		list, err := s.List()
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			all = append(all, cached{s, folder, h})
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	var chosen []cached
	for _, name := range names {
		found := false
		for _, c := range all {
			base := c.held.Name
			for _, known := range []string{base, c.folder + "/" + base, strings.TrimSuffix(base, filepath.Ext(base))} {
				match, err := path.Match(name, known)
				if err != nil {
					return nil, fmt.Errorf("cache: pattern %q: %w", name, err)
				}
				if match || name == known {
					found = true
					if !slices.Contains(chosen, c) {
						chosen = append(chosen, c)
					}
					break
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("cache: %s: no such file in %s; zoobench cache ls lists them", name, cache.Dir)
		}
	}
	return chosen, nil
}

func (a *app) cachePrinter() *printer[cacheRow] {
	return newPrinter(a, []string{"file", "size", "hash", "sha256", "state"}, func(r cacheRow) []string {
		state := ""
		if r.OK != nil {
			if state = "sound"; !*r.OK {
				state = r.Error
			}
		}
		return []string{r.File, mebibytes(r.Bytes), r.Trust, r.SHA256[:min(16, len(r.SHA256))], state}
	})
}

func (c cached) row() cacheRow {
	return cacheRow{File: c.folder + "/" + c.held.Name, Bytes: c.held.Bytes, SHA256: c.held.SHA256, Trust: c.held.Trust}
}

// cacheNames completes the names of the cache's files.
func cacheNames(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	files, err := cachedFiles(nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, f := range files {
		if strings.HasPrefix(f.held.Name, begun) {
			names = append(names, f.held.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) cacheLs() *cobra.Command {
	c := &cobra.Command{
		Use:   "ls",
		Short: "List the files in the cache folder",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			files, err := cachedFiles(nil)
			if err != nil {
				return err
			}
			out := a.cachePrinter()
			for _, f := range files {
				if err := out.print(f.row()); err != nil {
					return err
				}
			}
			return out.close()
		},
	}
	a.formatFlag(c)
	return c
}

func (a *app) cacheVerify() *cobra.Command {
	c := &cobra.Command{
		Use:               "verify [FILE...]",
		Short:             "Read files again and compare their hashes with the published or pinned ones",
		ValidArgsFunction: cacheNames,
		RunE: func(c *cobra.Command, names []string) error {
			files, err := cachedFiles(names)
			if err != nil {
				return err
			}
			out := a.cachePrinter()
			wrong := 0
			for _, f := range files {
				remote := weights.Remote{Name: f.held.Name}
				for _, set := range imageSets {
					if set.remote.Name == remote.Name {
						remote = set.remote
					}
				}
				if known, err := a.list.FindCheckpoint(strings.TrimSuffix(remote.Name, filepath.Ext(remote.Name))); err == nil &&
					f.folder == "weights" {
					remote.SHA256, remote.MD5, remote.URL = known.SHA256, known.MD5, known.URL()
				}
				row, ok := f.row(), true
				h, err := f.store.Verify(c.Context(), remote)
				if stopped := c.Context().Err(); stopped != nil {
					return errors.Join(out.close(), stopped)
				}
				if err != nil {
					ok, row.Error = false, err.Error()
					wrong++
				} else {
					row.SHA256, row.Trust = h.SHA256, h.Trust
				}
				row.OK = &ok
				if err := out.print(row); err != nil {
					return err
				}
			}
			if err := out.close(); err != nil {
				return err
			}
			if wrong > 0 {
				return &exitError{exitFailed, fmt.Errorf("cache: %d of %d files are damaged; the column state says what is wrong", wrong, len(files))}
			}
			return nil
		},
	}
	a.formatFlag(c)
	return c
}

func (a *app) cacheRm() *cobra.Command {
	return &cobra.Command{
		Use:               "rm FILE...",
		Short:             "Remove files from the cache folder",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cacheNames,
		RunE: func(c *cobra.Command, names []string) error {
			files, err := cachedFiles(names) // all of them are known before the first is gone
			if err != nil {
				return err
			}
			for _, f := range files {
				if err := f.store.Remove(c.Context(), f.held.Name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
