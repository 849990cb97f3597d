package runner

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zoobench/bench/experiment"
)

// opens counts how often a file is opened while do runs.
func opens(t *testing.T, path string, do func()) (count int) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Skipf("no inotify: %v", err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN); err != nil {
		t.Skipf("no inotify on %s: %v", path, err)
	}
	do()
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil || n <= 0 {
			return count
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			if binary.NativeEndian.Uint32(buf[at+4:])&unix.IN_OPEN != 0 {
				count++
			}
			at += unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[at+12:]))
		}
	}
}

// TestCheckpointIsOpenedOnce follows a checkpoint's file through a measurement of each kind.
func TestCheckpointIsOpenedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.mine.safetensors")
	writeWeights(t, file, 2)
	accuracy := &experiment.Accuracy{Data: images(t)}
	for _, test := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"accuracy", func(ctx context.Context) error {
			_, err := Accuracy(ctx, misbehaving(), Task{Job: experiment.Job{Model: "tiny", Accuracy: accuracy}, Weights: file}, Watch{})
			return err
		}},
		{"latency with a recheck", func(ctx context.Context) error {
			job := experiment.Job{Model: "tiny", Latency: &experiment.Latency{MinSamples: 11, MinDuration: 1}}
			_, err := Latency(ctx, misbehaving(), Task{Job: job, Weights: file, Recheck: accuracy})
			return err
		}},
		{"audit", func(ctx context.Context) error {
			_, err := Audit(ctx, misbehaving(), Task{Job: experiment.Job{Model: "tiny", Accuracy: accuracy}, Weights: file}, nil)
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if n := opens(t, file, func() {
				if err := test.do(t.Context()); err != nil {
					t.Error(err)
				}
			}); n != 1 {
				t.Errorf("the checkpoint was opened %d times, want once", n)
			}
		})
	}
}
