package weights

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
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

// TestPins lets a file without a published hash change at its source.
func TestPins(t *testing.T) {
	data := []byte("first")
	s, url, _ := serve(t, func(w http.ResponseWriter, r request) { w.Write(data) })
	remote := Remote{Name: "a.pth", URL: url + "/a"}
	if _, err := s.Pull(t.Context(), remote, nil); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Verify(t.Context(), Remote{Name: "a.pth"}); err != nil || h.Trust != FirstUse {
		t.Errorf("verify: got %+v, error %v", h, err)
	}
	if err := s.Remove(t.Context(), "a.pth"); err != nil {
		t.Fatal(err)
	}
	data = []byte("other")
	if _, err := s.Pull(t.Context(), remote, nil); err == nil || !strings.Contains(err.Error(), "(first use)") {
		t.Errorf("another file than was pinned: error %v", err)
	}
	if list, err := s.List(); err != nil || len(list) != 0 {
		t.Errorf("list: got %v, error %v, want none", list, err)
	}
	data = []byte("first")
	if _, err := s.Pull(t.Context(), remote, nil); err != nil {
		t.Error(err)
	}
	if list, err := s.List(); err != nil || len(list) != 1 || list[0].Name != "a.pth" || list[0].Trust != FirstUse || list[0].Bytes != 5 {
		t.Errorf("list: got %v, error %v", list, err)
	}
	if err := os.WriteFile(s.Path("a.pth"), []byte("fir5t"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context(), Remote{Name: "a.pth"}); err == nil || !strings.Contains(err.Error(), "want "+sumOf(data)) {
		t.Errorf("verify a damaged file: error %v", err)
	}
	for _, name := range []string{"", ".a.pth.pin", "../a", "a/b"} {
		if err := s.Remove(t.Context(), name); err == nil || !strings.Contains(err.Error(), "invalid file name") {
			t.Errorf("remove %q: error %v", name, err)
		}
	}
}
