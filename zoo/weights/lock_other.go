//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package weights

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// lockPoll is how often a lock that somebody else has is tried again.
const lockPoll = 50 * time.Millisecond

// lock waits until no other process and no other goroutine is at work on the file of this name. The lock is a file
// that only one can make; that of a process that was killed has to be removed by hand, and the error names it.
func (s Store) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(s.Dir, "."+name+".lock")
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			f.Close()
			return func() { os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("another process is using the file, or left %s: %w", path, ctx.Err())
		}
	}
}
