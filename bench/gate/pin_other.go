//go:build !linux

package gate

import "os/exec"

// startPinned starts a process; this system pins none to a core.
func startPinned(c *exec.Cmd, _ int) error { return c.Start() }

// onCore calls f; this system pins no thread to a core.
func onCore(_ int, f func() error) error { return f() }

// cores are not known here.
func cores() []int { return nil }
