package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPrune keeps what was used today and the newest of the rest, and removes what a killed gate left.
func TestPrune(t *testing.T) {
	repo := toy(t)
	ctx := context.Background()
	now := time.Now()
	put := func(name string, age time.Duration, bytes int64) string {
		t.Helper()
		path := filepath.Join(repo.Cache, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, bytes); err != nil { // with holes: it takes no room
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const day = 24 * time.Hour
	for i := range 20 {
		put(fmt.Sprintf("today%02d/bench.test", i), time.Hour, 1)
	}
	old := put("old/bench.test", 2*day, 1)
	note := put("a file of somebody's", 9*day, 1)
	stale, fresh := filepath.Join(repo.Cache, "killed", "tree1"), filepath.Join(repo.Cache, "running", "tree2")
	for _, tree := range []string{stale, fresh} {
		if err := os.MkdirAll(filepath.Dir(tree), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := repo.git(ctx, "worktree", "add", "--detach", tree, "main~2"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(stale, now.Add(-2*day), now.Add(-2*day)); err != nil {
		t.Fatal(err)
	}
	if gone := repo.Prune(ctx, now); gone != 1 {
		t.Errorf("%d builds removed, want the one that is old beside twenty newer ones", gone)
	}
	for path, want := range map[string]bool{old: false, stale: false, filepath.Dir(stale): false, fresh: true, note: true,
		filepath.Join(repo.Cache, "today19"): true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: there %t, want %t", path, err == nil, want)
		}
	}
	if trees, err := repo.git(ctx, "worktree", "list"); err != nil || strings.Contains(trees, "killed") ||
		!strings.Contains(trees, "running") {
		t.Errorf("worktrees: %s, error %v", trees, err)
	}

	// Of builds that are all old, the newest stay as far as they are few and small.
	if err := os.RemoveAll(repo.Cache); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		put(fmt.Sprintf("%02d/bench.test", i), day+time.Duration(i+1)*time.Hour, 1)
	}
	if gone := repo.Prune(ctx, now); gone != 4 {
		t.Errorf("%d of 20 removed, want 4", gone)
	}
	put("large/bench.test", day+time.Minute, 500<<20)
	put("larger/bench.test", day+2*time.Minute, 500<<20)
	repo.Prune(ctx, now)
	for name, want := range map[string]bool{"large": true, "larger": false, "00": true, "14": true, "15": false} {
		if _, err := os.Stat(filepath.Join(repo.Cache, name)); (err == nil) != want {
			t.Errorf("%s: there %t, want %t", name, err == nil, want)
		}
	}
}
