package runner

import (
	"bytes"
	"os"
	"strconv"
)

// peakRSS is the largest resident set of this process since it was started, in bytes. The kernel's own counter starts
// anew with each program; getrusage's is inherited from the parent.
func peakRSS() (bytes int64, known bool) { return statusBytes("/proc/self/status", "VmHWM:") }

// residentBytes is the resident set of a process, for a limit on it.
func residentBytes(pid int) (bytes int64, known bool) {
	return statusBytes("/proc/"+strconv.Itoa(pid)+"/status", "VmRSS:")
}

// statusBytes reads a field of a status file that counts in kB.
func statusBytes(path, field string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		value, ok := bytes.CutPrefix(line, []byte(field))
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
		return kb << 10, err == nil
	}
	return 0, false
}
