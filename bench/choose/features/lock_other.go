//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package features

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockPoll is how often a lock that another run has is tried again, and lockTries how many times: a lock is held for a
// write.
const (
	lockPoll  = 50 * time.Millisecond
	lockTries = 1200
)

// lock waits until no other run has the file locked. The lock is a file that only one can make; that of a process that
// was killed has to be removed by hand, and the error names it.
func lock(f *os.File) (unlock func(), err error) {
	path := f.Name() + ".lock"
	for range lockTries {
		made, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			made.Close()
			return func() { os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("lock: %w", err)
		}
		time.Sleep(lockPoll)
	}
	return nil, fmt.Errorf("lock: another run uses %s; if no other run exists, remove this file", path)
}
