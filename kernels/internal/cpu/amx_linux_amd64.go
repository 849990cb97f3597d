//go:build !purego

package cpu

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// What Linux calls by these names.
	archReqXcompPerm = 0x1023
	xfeatureXTILE    = 18
	atMinSigStkSz    = 51

	// signalStack is the bytes of the stack on which Go handles a thread's signals, handlerNeeds what is left for its handler.
	signalStack  = 32 << 10
	handlerNeeds = 12 << 10
)

// grantTiles asks the system for the tiles' state, for all threads of the process, and reports whether it gives it. A signal then
// saves the tiles too, 8 KiB more on the stack of its handler, which must hold them: the system says how much that makes at most.
func grantTiles() bool {
	vectors, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, v := range vectors {
		if v[0] == atMinSigStkSz && v[1] <= signalStack-handlerNeeds {
			_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXcompPerm, xfeatureXTILE, 0)
			return errno == 0
		}
	}
	return false
}
