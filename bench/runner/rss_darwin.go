package runner

import "syscall"

// peakRSS is the largest resident set of this process since it was started, in bytes.
func peakRSS() (bytes int64, known bool) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, false
	}
	return usage.Maxrss, true // in bytes on this system
}

// residentBytes is the resident set of another process, which this system does not say.
func residentBytes(int) (bytes int64, known bool) { return 0, false }
