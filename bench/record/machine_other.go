//go:build !linux

package record

// system knows nothing beyond what Go tells on systems other than Linux.
func system() (release string, memoryBytes int64) { return "", 0 }
