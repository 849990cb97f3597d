package weights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadOnlyStore uses a store on a file system that is mounted read-only: what is there is verified and serves, what
// is not cannot be fetched.
func TestReadOnlyStore(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	defer unix.Unmount(dir, 0)
	if err := os.WriteFile(filepath.Join(dir, "a.pth"), []byte("weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, "size=1m"); err != nil {
		t.Skipf("cannot mount read-only: %v", err)
	}
	s := Store{Dir: dir, Mirror: "http://127.0.0.1:1"}
	sum, err := HashFile(t.Context(), filepath.Join(dir, "a.pth"))
	if err != nil {
		t.Fatal(err)
	}
	there := Remote{Name: "a.pth", URL: "http://example.test/a.pth", SHA256: sum[:8]}
	if h, err := s.Pull(t.Context(), there, nil); err != nil || h.SHA256 != sum {
		t.Errorf("what is there: %+v, error %v", h, err)
	}
	if h, err := s.Verify(t.Context(), there); err != nil || h.SHA256 != sum {
		t.Errorf("verified: %+v, error %v", h, err)
	}
	there.SHA256 = strings.Repeat("0", 8)
	if _, err := s.Verify(t.Context(), there); err == nil || !strings.Contains(err.Error(), "want 00000000, as published") {
		t.Errorf("another hash: error %v", err)
	}
	if _, err := s.Pull(t.Context(), Remote{Name: "b.pth", URL: "http://example.test/b.pth"}, nil); err == nil ||
		!strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("what is not there: error %v", err)
	}
}
