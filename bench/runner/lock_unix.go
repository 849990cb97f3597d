//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockName is the file in a run's folder that a process holds a lock on while it writes there.
const lockName = ".lock"

// lock keeps other processes from writing into a run's folder until the function that it returns is called or the process ends,
// whatever ends it. Another process that holds it is an error with that process's name. A file system without locks has none.
func lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		defer f.Close()
		owner, _ := os.ReadFile(path) // another's file may be unreadable: the error says enough
		return nil, fmt.Errorf("runner: %s: another process writes into this folder: %s; wait until it ends, or name another folder",
			dir, strings.TrimSpace(string(owner)))
	case err != nil:
		return func() { f.Close() }, nil
	}
	host, _ := os.Hostname() // "" says as little
	text := fmt.Sprintf("process %d on %s, since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(text), 0)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("runner: %s: %w", path, err)
		}
	}
	return func() { f.Close() }, nil
}
