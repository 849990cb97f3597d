package weights

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// lockVariable makes the test binary pull the file at its URL into the folder, both separated by a space.
const lockVariable = "ZOO_TEST_PULL"

// TestTwoProcesses lets two processes want one file at once: one fetches it, the other waits for it.
func TestTwoProcesses(t *testing.T) {
	if job := os.Getenv(lockVariable); job != "" {
		dir, url, _ := strings.Cut(job, " ")
		if _, err := (Store{Dir: dir}).Pull(t.Context(), Remote{Name: "a.pth", URL: url}, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	data := content(1, 100_000)
	var requests atomic.Int32
	asked, answer := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(data[:50_000])
		w.(http.Flusher).Flush()
		if requests.Add(1) == 1 {
			close(asked)
		}
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		w.Write(data[50_000:])
	}))
	defer server.Close()
	s, remote := Store{Dir: t.TempDir()}, Remote{Name: "a.pth", URL: server.URL}
	other := make(chan error, 1)
	go func() {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestTwoProcesses$")
		cmd.Env = append(os.Environ(), lockVariable+"="+s.Dir+" "+remote.URL)
		text, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("the other process: %w: %s", err, text)
		}
		other <- err
	}()
	select {
	case <-asked:
	case err := <-other:
		t.Fatalf("no request: %v", err)
	}
	// The other process is in the middle of the file until it gets its answer.
	impatient, cancel := context.WithTimeout(t.Context(), 2*lockPoll)
	defer cancel()
	if h, err := s.Pull(impatient, remote, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another process fetches: got %+v, error %v", h, err)
	}
	close(answer)
	if h, err := s.Pull(t.Context(), remote, nil); err != nil || h.SHA256 != sumOf(data) {
		t.Errorf("got %+v, error %v", h, err)
	}
	if err := <-other; err != nil {
		t.Error(err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}
