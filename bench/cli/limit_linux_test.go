package cli

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

var errPipe error = syscall.EPIPE

// limitFiles makes every write past a size in bytes fail, after a part of it went through; "" sets no limit.
func limitFiles(bytes string) {
	if bytes == "" {
		return
	}
	size, err := strconv.ParseUint(bytes, 10, 64)
	if err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}
