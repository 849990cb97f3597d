//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package features

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock waits until no other run has the file locked. The system drops the lock of a process that ends. A file system that
// has no locks is left to one run at a time.
func lock(f *os.File) (unlock func(), err error) {
	fd := int(f.Fd())
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX)
		if err == nil {
			return func() { syscall.Flock(fd, syscall.LOCK_UN) }, nil
		}
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EOPNOTSUPP):
			return func() {}, nil
		default:
			return nil, fmt.Errorf("lock: %w", err)
		}
	}
}
