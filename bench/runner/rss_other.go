//go:build !linux && !darwin

package runner

// peakRSS is the largest resident set of this process, which is not known here.
func peakRSS() (bytes int64, known bool) { return 0, false }

// residentBytes is the resident set of another process, which is not known here.
func residentBytes(int) (bytes int64, known bool) { return 0, false }
