package cpu

import "testing"

func TestPlausible(t *testing.T) {
	for read, want := range map[int]int{-1: 1 << 20, 0: 1 << 20, 64 << 10: 1 << 20, 256 << 10: 256 << 10, 2 << 20: 2 << 20,
		64 << 20: 1 << 20} {
		if got := plausible(read); got != want {
			t.Errorf("%d bytes as read: %d, want %d", read, got, want)
		}
	}
	if L2Bytes != plausible(L2Bytes) {
		t.Errorf("L2 of %d bytes", L2Bytes)
	}
}
