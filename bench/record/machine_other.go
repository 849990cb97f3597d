//go:build !linux

package record

// system knows nothing beyond what Go knows on systems other than Linux.
func system() (release string, memoryBytes int64) { return "", 0 }

// caches knows nothing on systems other than Linux.
func caches(string) (l1d, l2, l3 int64) { return 0, 0, 0 }
