//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package choose

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock waits until no other run has the file locked. The system drops the lock of a process that ends.
func lock(f *os.File) (unlock func(), err error) {
	fd := int(f.Fd())
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX)
		if err == nil {
			return func() { syscall.Flock(fd, syscall.LOCK_UN) }, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("lock: %w", err)
		}
	}
}
