//go:build !linux

package runner

// victim is played on Linux only.
func victim() {}
