//go:build !linux

package cli

import "syscall"

var errPipe error = syscall.EPIPE

// limitFiles sets limits on Linux only.
func limitFiles(string) {}
