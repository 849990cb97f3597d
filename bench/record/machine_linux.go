package record

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// system returns the kernel release and the memory in bytes.
func system() (release string, memoryBytes int64) {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		release = unix.ByteSliceToString(u.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memoryBytes = int64(uint64(info.Totalram) * uint64(info.Unit))
	}
	return release, memoryBytes
}

// caches returns the sizes in bytes of the caches for data in a processor's folder, 0 for one that is not there.
func caches(dir string) (l1d, l2, l3 int64) {
	of := map[string]*int64{"1": &l1d, "2": &l2, "3": &l3}
	found, _ := filepath.Glob(filepath.Join(dir, "index[0-9]*")) // the pattern is sound
	for _, cache := range found {
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(cache, name))
			if err != nil {
				return ""
			}
			return strings.TrimSpace(string(text))
		}
		size := of[read("level")]
		kib, err := strconv.ParseInt(strings.TrimSuffix(read("size"), "K"), 10, 64)
		if size != nil && err == nil && read("type") != "Instruction" {
			*size = kib << 10
		}
	}
	return l1d, l2, l3
}
