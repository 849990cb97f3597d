package weights

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// TestOlderFileInPlace puts another file of the same size and an earlier time in a pinned one's place, as cp -p does.
func TestOlderFileInPlace(t *testing.T) {
	s := Store{Dir: t.TempDir(), Offline: true}
	r := Remote{Name: "a.pth", SHA256: sumOf([]byte("one"))}
	put := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(s.Path(r.Name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(s.Path(r.Name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	put("one", time.Now())
	if _, err := s.Pull(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	put("two", time.Now().Add(-time.Hour))
	if h, err := s.Pull(t.Context(), r, nil); err == nil {
		t.Errorf("another file in its place: %+v, want an error", h)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Verify(stopped, r); !errors.Is(err, context.Canceled) {
		t.Errorf("with the context done: %v, want that", err)
	}
}
