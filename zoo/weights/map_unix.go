//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package weights

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file for reading, nil where that cannot be done: reading does without.
func mapFile(f *os.File, size int64) []byte {
	if size == 0 || size > math.MaxInt {
		return nil
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return data
}

func unmapFile(data []byte) error {
	if data == nil {
		return nil
	}
	return unix.Munmap(data)
}

// releasePages drops the pages that hold bytes lo to hi of a map. A neighbour's byte on the first or the last page
// comes back from the file when it is next read. Failing to drop them costs memory only.
func releasePages(data []byte, lo, hi int64) {
	page := int64(os.Getpagesize())
	lo -= lo % page
	_ = unix.Madvise(data[lo:hi], unix.MADV_DONTNEED)
}
