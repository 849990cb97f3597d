package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// content is a file's content, other for each seed.
func content(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i*i>>3)
	}
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A request is one that a server got, by number from 1 on.
type request struct {
	n int
	*http.Request
}

// serve answers with handle, which sees how many requests there were, and gives a store of an empty folder and the
// count. Its connections are in memory, so that in a bubble of synctest no wait takes any time.
func serve(t *testing.T, handle func(w http.ResponseWriter, r request)) (Store, string, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	line := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(w, request{int(n.Add(1)), r})
	})}
	transport := &http.Transport{DialContext: line.dial, DisableKeepAlives: true}
	ended := make(chan error)
	go func() { ended <- server.Serve(line) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return Store{Dir: t.TempDir(), transport: transport}, "http://server.test", &n
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) dial(ctx context.Context, network, address string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.accepted <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveWhole serves a file as a good server does, ranges and ETag included.
func serveWhole(w http.ResponseWriter, r request, tag string, data []byte) {
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	http.ServeContent(w, r.Request, "", time.Time{}, bytes.NewReader(data))
}

// serveCut serves the first k bytes of what was asked for and drops the line.
func serveCut(w http.ResponseWriter, r request, tag string, data []byte, k int) {
	first := 0
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if span := r.Header.Get("Range"); span != "" {
		fmt.Sscanf(span, "bytes=%d-", &first)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, len(data)-1, len(data)))
		w.Header().Set("Content-Length", fmt.Sprint(len(data)-first))
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(data[first:min(first+k, len(data))])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// bubble is t.Run where time passes at once when everybody waits for it.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestPull(t *testing.T) {
	good, other := content(1, 300_000), content(2, 300_000)
	sum := sumOf(good)
	for _, tt := range []struct {
		name     string
		handle   func(w http.ResponseWriter, r request)
		sha256   string
		bytes    int64
		trust    string
		requests int32  // 0: does not matter
		err      string // "" where the good file must come
	}{
		{name: "plain", handle: func(w http.ResponseWriter, r request) { serveWhole(w, r, `"a"`, good) }, sha256: sum[:8],
			trust: Published, requests: 1},
		{name: "cut twice, resumed", handle: func(w http.ResponseWriter, r request) {
			if r.n <= 2 {
				serveCut(w, r, `"a"`, good, 100_000)
			}
			if got, want := r.Header.Get("Range"), "bytes=200000-"; got != want || r.Header.Get("If-Range") != `"a"` {
				http.Error(w, "asked for "+got, http.StatusTeapot)
				return
			}
			serveWhole(w, r, `"a"`, good)
		}, sha256: sum, trust: Published, requests: 3},
		{name: "cut without end", handle: func(w http.ResponseWriter, r request) { serveCut(w, r, `"a"`, good, 10) }, sha256: sum,
			requests: 5, err: "given up after 5 tries"},
		{name: "stalls once", handle: func(w http.ResponseWriter, r request) {
			if r.n > 1 {
				serveWhole(w, r, `"a"`, good)
				return
			}
			w.Header().Set("ETag", `"a"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, sha256: sum, trust: Published, requests: 2},
		{name: "stalls before the first byte, always", handle: func(w http.ResponseWriter, r request) { <-r.Context().Done() },
			sha256: sum, requests: 5, err: "the server sent nothing for 30s"},
		{name: "promises more than it sends", handle: func(w http.ResponseWriter, r request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)+5))
			w.Write(good)
		}, sha256: sum, err: "given up"},
		{name: "promises less than there is", handle: func(w http.ResponseWriter, r request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(good[:1000])
		}, sha256: sum, err: "want " + sum + ", as published; nothing was kept"},
		{name: "another length than published", handle: func(w http.ResponseWriter, r request) { serveWhole(w, r, `"a"`, other[:1000]) },
			sha256: sum, bytes: int64(len(good)), requests: 1, err: "the server has 1000 bytes, want 300000"},
		{name: "no length at all", handle: func(w http.ResponseWriter, r request) {
			w.(http.Flusher).Flush()
			w.Write(good)
		}, sha256: sum, trust: Published},
		{name: "changes the file between ranges, and says so", handle: func(w http.ResponseWriter, r request) {
			if r.n == 1 {
				serveCut(w, r, `"old"`, other, 100_000)
			}
			serveWhole(w, r, `"new"`, good) // 200 with the whole, by If-Range
		}, sha256: sum, trust: Published, requests: 2},
		{name: "changes the file between ranges, ignoring If-Range", handle: func(w http.ResponseWriter, r request) {
			switch r.n {
			case 1:
				serveCut(w, r, `"old"`, other, 100_000)
			case 2:
				serveCut(w, r, `"new"`, good, 300_000) // 206 of another file
			}
			serveWhole(w, r, `"new"`, good)
		}, sha256: sum, trust: Published, requests: 3},
		{name: "changes the file and never says so", handle: func(w http.ResponseWriter, r request) {
			if r.n == 1 {
				serveCut(w, r, `"same"`, other, 100_000)
			}
			serveWhole(w, r, `"same"`, good) // the pieces make a file with a wrong hash: once more from the start
		}, sha256: sum, trust: Published, requests: 3},
		{name: "changes the length between ranges", handle: func(w http.ResponseWriter, r request) {
			switch r.n {
			case 1:
				serveCut(w, r, `"a"`, other[:200_000], 100_000)
			case 2:
				serveCut(w, r, `"a"`, good, 300_000)
			}
			serveWhole(w, r, `"a"`, good)
		}, sha256: sum, trust: Published, requests: 3},
		{name: "does not know ranges", handle: func(w http.ResponseWriter, r request) {
			if r.n == 1 {
				serveCut(w, r, `"a"`, good, 100_000)
			}
			w.Write(good)
		}, sha256: sum, trust: Published, requests: 2},
		{name: "answers another range", handle: func(w http.ResponseWriter, r request) {
			switch {
			case r.n == 1:
				serveCut(w, r, `"a"`, good, 100_000)
			case r.Header.Get("Range") != "":
				w.Header().Set("ETag", `"a"`)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(good)-1, len(good)))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(good[5:])
			default:
				serveWhole(w, r, `"a"`, good)
			}
		}, sha256: sum, trust: Published, requests: 3},
		{name: "no mark of the version, no hash: begins anew", handle: func(w http.ResponseWriter, r request) {
			if r.n == 1 {
				serveCut(w, r, "", good, 100_000)
			}
			if r.Header.Get("Range") != "" {
				http.Error(w, "a range", http.StatusTeapot)
				return
			}
			serveWhole(w, r, "", good)
		}, trust: FirstUse, requests: 2},
		{name: "wrong bytes", handle: func(w http.ResponseWriter, r request) { serveWhole(w, r, `"a"`, other) }, sha256: sum,
			requests: 1, err: "want " + sum},
		{name: "busy at first", handle: func(w http.ResponseWriter, r request) {
			if r.n < 3 {
				w.Header().Set("Retry-After", "0")
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			serveWhole(w, r, `"a"`, good)
		}, sha256: sum, trust: Published, requests: 3},
		{name: "not there", handle: func(w http.ResponseWriter, r request) { http.NotFound(w, r.Request) }, sha256: sum, requests: 1,
			err: "404 Not Found; without access to the internet, put the file at "},
		{name: "hash declared on the way", handle: func(w http.ResponseWriter, r request) {
			if r.URL.Path == "/file" {
				w.Header().Set("X-Linked-ETag", `"`+sum+`"`)
				http.Redirect(w, r.Request, "/storage", http.StatusFound)
				return
			}
			serveWhole(w, r, `"a"`, good)
		}, trust: Declared, requests: 2},
		{name: "hash declared, other bytes", handle: func(w http.ResponseWriter, r request) {
			w.Header().Set("X-Linked-ETag", `"`+sum+`"`)
			serveWhole(w, r, `"a"`, other)
		}, requests: 1, err: "want " + sum + ", as the server declares"},
		{name: "nobody names a hash", handle: func(w http.ResponseWriter, r request) { serveWhole(w, r, `"a"`, good) }, trust: FirstUse,
			requests: 1},
		{name: "compressed unasked", handle: func(w http.ResponseWriter, r request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(good)
		}, sha256: sum, err: `content encoding "gzip", want none`},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			s, url, requests := serve(t, tt.handle)
			remote := Remote{Name: "net.tag.pth", URL: url + "/file", SHA256: tt.sha256, Bytes: tt.bytes}
			var last int64
			h, err := s.Pull(t.Context(), remote, func(done, total int64) { last = done })
			if tt.requests != 0 && requests.Load() != tt.requests {
				t.Errorf("%d requests, want %d", requests.Load(), tt.requests)
			}
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.HasPrefix(err.Error(), "weights: net.tag.pth: ") {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				if _, err := os.Stat(s.Path(remote.Name)); err == nil {
					t.Error("the file has its name")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(s.Path(remote.Name))
			if err != nil || !bytes.Equal(data, good) {
				t.Errorf("%d bytes, error %v; want the good file", len(data), err)
			}
			if h.SHA256 != sum || h.Trust != tt.trust || h.Bytes != int64(len(good)) || last != int64(len(good)) {
				t.Errorf("got %+v and %d bytes of progress, want %s by %s", h, last, sum, tt.trust)
			}
			if left, _ := filepath.Glob(filepath.Join(s.Dir, ".*part*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			before := requests.Load()
			if again, err := s.Pull(t.Context(), remote, nil); err != nil || again != h || requests.Load() != before {
				t.Errorf("a second time: got %+v, error %v after %d requests; want the same and none", again, err, requests.Load()-before)
			}
		})
	}
}

// TestPullLater goes on where an earlier process was stopped.
func TestPullLater(t *testing.T) {
	good := content(1, 300_000)
	var ranges []string
	ctx, stop := context.WithCancel(t.Context())
	s, url, _ := serve(t, func(w http.ResponseWriter, r request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if r.n == 1 {
			serveCut(w, r, `"a"`, good, 70_000)
		}
		serveWhole(w, r, `"a"`, good)
	})
	remote := Remote{Name: "a.pth", URL: url + "/a", SHA256: sumOf(good)}
	_, err := s.Pull(ctx, remote, func(done, total int64) {
		if done == 70_000 {
			stop()
		}
	})
	if err == nil {
		t.Fatal("stopped: no error")
	}
	if h, err := s.Pull(t.Context(), remote, nil); err != nil || h.SHA256 != remote.SHA256 {
		t.Errorf("got %+v, error %v", h, err)
	}
	if got, want := strings.Join(ranges, " "), " bytes=70000-"; got != want {
		t.Errorf("ranges %q, want %q", got, want)
	}
}

func TestPullOffline(t *testing.T) {
	s, url, requests := serve(t, func(w http.ResponseWriter, r request) { t.Error("a request") })
	s.Offline = true
	remote := Remote{Name: "a.pth", URL: url + "/a", SHA256: sumOf([]byte("x"))}
	_, err := s.Pull(t.Context(), remote, nil)
	if err == nil || !strings.Contains(err.Error(), "put the file from "+remote.URL+" at "+s.Path("a.pth")) {
		t.Errorf("error %v, want one that says what to put where", err)
	}
	if err := os.WriteFile(s.Path("a.pth"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Pull(t.Context(), remote, nil); err != nil || h.Trust != Published {
		t.Errorf("put there by hand: got %+v, error %v", h, err)
	}
	if err := os.WriteFile(s.Path("a.pth"), []byte("y"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pull(t.Context(), remote, nil); err == nil || !strings.Contains(err.Error(), "as published; remove "+s.Path("a.pth")) {
		t.Errorf("another file by hand: error %v", err)
	}
	if requests.Load() != 0 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestMirror(t *testing.T) {
	data := []byte("weights")
	s, url, _ := serve(t, func(w http.ResponseWriter, r request) {
		if r.URL.Path != "/pub/models/a.pth" {
			http.NotFound(w, r.Request)
			return
		}
		w.Write(data)
	})
	s.Mirror = url + "/pub/"
	remote := Remote{Name: "a.pth", URL: "https://download.example/models/a.pth", SHA256: sumOf(data)}
	if _, err := s.Pull(t.Context(), remote, nil); err != nil {
		t.Error(err)
	}
	s.Mirror = "mirror"
	remote.Name = "b.pth"
	if _, err := s.Pull(t.Context(), remote, nil); err == nil || !strings.Contains(err.Error(), `mirror "mirror": want a URL`) {
		t.Errorf("error %v", err)
	}
}

// TestPullAll pulls eight files, three at a time: the server answers none before it has all requests that come.
func TestPullAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int32
		answer := make(chan struct{})
		s, url, _ := serve(t, func(w http.ResponseWriter, r request) {
			open.Add(1)
			<-answer
			open.Add(-1)
			if r.URL.Path == "/3" {
				http.NotFound(w, r.Request)
				return
			}
			w.Write([]byte(r.URL.Path))
		})
		var remotes []Remote
		for i := range 8 {
			remotes = append(remotes, Remote{Name: fmt.Sprintf("%d.pth", i), URL: fmt.Sprintf("%s/%d", url, i)})
		}
		var mu sync.Mutex
		heard := map[int]bool{}
		var held []Held
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			held, err = s.PullAll(t.Context(), remotes, 3, func(i int, done, total int64) {
				mu.Lock()
				defer mu.Unlock()
				heard[i] = true
			})
		}()
		for _, want := range []int32{3, 3, 3, 3, 3, 3, 2, 1} {
			synctest.Wait()
			if got := open.Load(); got != want {
				t.Errorf("%d requests at a time, want %d", got, want)
			}
			answer <- struct{}{}
		}
		<-done
		if err == nil || strings.Count(err.Error(), "weights: ") != 1 || !strings.Contains(err.Error(), "weights: 3.pth") {
			t.Errorf("error %v, want that of 3.pth", err)
		}
		for i, h := range held {
			if want := sumOf([]byte(fmt.Sprintf("/%d", i))); i != 3 && h.SHA256 != want || i == 3 && h != (Held{}) {
				t.Errorf("%d: got %+v", i, h)
			}
		}
		if len(heard) != 7 {
			t.Errorf("progress of %d files, want 7", len(heard))
		}
	})
}

// TestPullStopped ends with its context, not with the server's silence.
func TestPullStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, url, _ := serve(t, func(w http.ResponseWriter, r request) {
			w.Write([]byte("a"))
			w.(http.Flusher).Flush()
			cancel()
			<-r.Context().Done()
		})
		start := time.Now()
		_, err := s.Pull(ctx, Remote{Name: "a.pth", URL: url}, nil)
		if err == nil || !strings.Contains(err.Error(), "canceled") || time.Since(start) > 0 {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
}

func ExampleStore_Pull() {
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer server.Close()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s := Store{Dir: dir, Mirror: server.URL}
	h, err := s.Pull(context.Background(), Remote{Name: "tiny.IMAGENET1K_V1.pth", URL: "https://download.example/protocol2.pth"}, nil)
	fmt.Println(h.Name, h.Trust, err)
	// Output: tiny.IMAGENET1K_V1.pth first use <nil>
}
