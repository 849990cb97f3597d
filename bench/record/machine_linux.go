package record

import "golang.org/x/sys/unix"

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
