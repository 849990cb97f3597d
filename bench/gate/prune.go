package gate

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// What is kept of earlier builds. One that was used in the last day is kept in any case: a gate may be running it.
const (
	keepFor    = 24 * time.Hour
	keepBuilds = 16
	keepBytes  = 512 << 20
)

// Prune removes the builds that were used longest ago, until those older than a day are no more than 16 and take no more
// than 512 MiB with all others, and the worktrees that a gate which was killed left behind. It returns how many builds
// are gone. What cannot be removed stays.
func (r *Repo) Prune(ctx context.Context, now time.Time) int {
	type build struct {
		dir  string
		used time.Time
		size int64
	}
	var builds []build
	entries, err := os.ReadDir(r.Cache)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(r.Cache, e.Name())
		trees, _ := filepath.Glob(filepath.Join(dir, "tree*")) // the pattern is sound
		for _, tree := range trees {
			if info, err := os.Lstat(tree); err == nil && now.Sub(info.ModTime()) > keepFor {
				r.git(ctx, "worktree", "remove", "--force", tree) // lest Git remember it
				os.RemoveAll(tree)
			}
		}
		if info, err := os.Lstat(filepath.Join(dir, "bench.test")); err == nil && info.Mode().IsRegular() {
			builds = append(builds, build{dir, info.ModTime(), info.Size()})
		} else {
			os.Remove(dir) // empty ones only
		}
	}
	slices.SortFunc(builds, func(a, b build) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(a.dir, b.dir)) })
	gone, kept, size := 0, 0, int64(0)
	for _, b := range builds {
		if now.Sub(b.used) > keepFor && (kept >= keepBuilds || size+b.size > keepBytes) && os.RemoveAll(b.dir) == nil {
			gone++
			continue
		}
		kept++
		size += b.size
	}
	return gone
}
