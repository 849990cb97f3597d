package weights

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestPullMD5 compares a file with the MD5 that is published in place of a SHA-256.
func TestPullMD5(t *testing.T) {
	good := content(1, 1000)
	sum := fmt.Sprintf("%x", md5.Sum(good))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(good) }))
	defer server.Close()
	s := Store{Dir: t.TempDir()}
	remote := Remote{Name: "a.h5", URL: server.URL, MD5: strings.Repeat("0", 32)}
	if _, err := s.Pull(t.Context(), remote, nil); err == nil || !strings.Contains(err.Error(), "md5 "+sum+", want 0000") {
		t.Errorf("another MD5: %v", err)
	}
	if _, err := os.Stat(s.Path("a.h5")); err == nil {
		t.Error("the wrong file was kept")
	}
	remote.MD5 = "5e"
	const want = `published MD5 "5e": want 32 hexadecimal digits`
	if _, err := s.Pull(t.Context(), remote, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("two digits: %v", err)
	}
	remote.MD5 = sum
	for range 2 {
		if h, err := s.Pull(t.Context(), remote, nil); err != nil || h.Trust != Published || h.MD5 != sum || h.SHA256 != sumOf(good) {
			t.Errorf("%+v, %v", h, err)
		}
	}
	if err := os.WriteFile(s.Path("b.h5"), good, 0o666); err != nil {
		t.Fatal(err)
	}
	byHand := Remote{Name: "b.h5"}
	if h, err := s.Pull(t.Context(), byHand, nil); err != nil || h.Trust != ByHand || h.MD5 != "" {
		t.Errorf("by hand: %+v, %v", h, err)
	}
	byHand.MD5 = strings.Repeat("0", 32)
	if _, err := s.Pull(t.Context(), byHand, nil); err == nil || !strings.Contains(err.Error(), "md5 "+sum) {
		t.Errorf("put by hand, with another MD5 than the published one: %v", err)
	}
	byHand.MD5 = sum
	if h, err := s.Verify(t.Context(), byHand); err != nil || h.SHA256 != sumOf(good) {
		t.Errorf("verified: %+v, %v", h, err)
	}
}
