package weights

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxFetchBytes bounds a file of which nobody says how long it is.
const maxFetchBytes = 64 << 30

// progressBytes is how much must come before the tries are counted anew: a line that is cut every few seconds should
// not end a long fetch, nor one that sends a byte a try last for ever.
const progressBytes = 1 << 20

const (
	maxTries    = 5                // without progress, before a fetch is given up
	firstPause  = time.Second      // after the first try, doubled after each further one
	longestWait = time.Minute      // bounds the pause that a server may ask for
	maxSilence  = 30 * time.Second // after which a server that sends nothing is given up on
)

// A fetch is the way of one file from its server into the store. It may take several requests.
type fetch struct {
	store    Store
	remote   Remote
	source   string   // the URL that is asked
	file     *os.File // the hidden part, that grows
	known    part
	resumed  bool // the part has pieces of several requests
	progress func(done, total int64)
}

// A part is what is known of an unfinished file, kept beside it.
type part struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // the ETag or, without one, the date: what If-Range takes
	Total     int64  `json:"total"`     // -1 where unknown
	Declared  string `json:"declared"`  // SHA-256 by the server
}

// errFinal marks an error that another try would meet as well.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }

// errAnew says that what is there of the file is of no use.
var errAnew = errors.New("the file on the server has changed")

// errHash marks a whole file with the wrong hash, of which nothing is kept.
var errHash = errors.New("wrong hash")

// fetch gets a file that is not there.
func (s Store) fetch(ctx context.Context, r Remote, progress func(done, total int64)) (Held, error) {
	source, err := s.source(r.URL)
	if err != nil {
		return Held{}, err
	}
	if progress == nil {
		progress = func(done, total int64) {}
	}
	f := &fetch{store: s, remote: r, source: source, progress: progress}
	h, err := f.run(ctx)
	if f.resumed && errors.Is(err, errHash) {
		// The pieces may be of two files, whatever the server says of them.
		h, err = f.run(ctx)
	}
	var local *fs.PathError // of the folder, as where the disk is full
	if err != nil && ctx.Err() == nil && !errors.Is(err, errHash) && !errors.As(err, &local) {
		err = fmt.Errorf("%s: %w; without access to the internet, put the file at %s", source, err, s.Path(r.Name))
	}
	return h, err
}

// source is the URL to fetch from.
func (s Store) source(address string) (string, error) {
	if s.Mirror == "" {
		return address, nil
	}
	from, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(s.Mirror)
	if err != nil || to.Host == "" {
		return "", fmt.Errorf("mirror %q: want a URL such as https://mirror.example/models", s.Mirror)
	}
	return to.JoinPath(from.Path).String(), nil
}

// run gets the whole file and gives it its name.
func (f *fetch) run(ctx context.Context) (h Held, err error) {
	f.file, err = os.OpenFile(f.store.partPath(f.remote.Name), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return Held{}, err
	}
	defer f.file.Close()
	f.known, f.resumed = f.store.readPart(f.remote.Name, f.source), false
	if err := f.complete(ctx); err != nil {
		return Held{}, err
	}
	return f.admit(ctx)
}

// complete asks until the part is whole, as far as its length says.
func (f *fetch) complete(ctx context.Context) error {
	for try := 0; ; try++ {
		before, err := f.have()
		if err != nil {
			return err
		}
		f.resumed = f.resumed || before > 0
		asked, err := f.request(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, errAnew) {
			if err := f.discard(); err != nil {
				return err
			}
		}
		var final errFinal
		if errors.As(err, &final) || ctx.Err() != nil {
			return err
		}
		if after, _ := f.have(); after-before >= progressBytes {
			try = 0
		}
		if try+1 >= maxTries {
			return fmt.Errorf("given up after %d tries: %w", try+1, err)
		}
		pause := max(firstPause<<min(try, 6), asked)
		pause += time.Duration(rand.Int64N(int64(pause)/4 + 1)) // so that many do not come back at once
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// have is the bytes that are there of the file; what is written next goes behind them.
func (f *fetch) have() (int64, error) { return f.file.Seek(0, io.SeekEnd) }

// discard empties the part and forgets what was known of it.
func (f *fetch) discard() error {
	f.known, f.resumed = part{Total: -1}, false
	return errors.Join(f.file.Truncate(0), removeAll(f.store.partPath(f.remote.Name)+".json"))
}

// request asks for what is missing and appends what comes. It returns nil once the file is whole as far as its length
// says; asked is the pause that the server wants before the next try.
func (f *fetch) request(ctx context.Context) (asked time.Duration, err error) {
	have, err := f.have()
	if err != nil {
		return 0, errFinal{err}
	}
	// Without a mark of the file's version and without a hash, pieces of two requests cannot be joined.
	if have > 0 && f.known.Validator == "" && f.remote.SHA256 == "" && f.known.Declared == "" {
		return 0, errAnew
	}
	if have > 0 && have == f.known.Total {
		return 0, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(maxSilence, func() { cancel(fmt.Errorf("the server sent nothing for %v", maxSilence)) })
	defer silence.Stop()
	resp, declared, err := f.ask(ctx, have)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if asked, err := f.accept(resp, have, declared); err != nil {
		return asked, err
	}
	return 0, f.receive(ctx, resp.Body, silence)
}

// ask sends the request for the bytes from have on. declared is the hash that a server on the way names.
func (f *fetch) ask(ctx context.Context, have int64) (resp *http.Response, declared string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.source, nil)
	if err != nil {
		return nil, "", errFinal{err}
	}
	req.Header.Set("User-Agent", "zoobench")
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if f.known.Validator != "" {
			req.Header.Set("If-Range", f.known.Validator)
		}
	}
	client := http.Client{Transport: f.store.transport}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		// Hugging Face names the hash when it hands over to its storage.
		if sum := declaredHash(next.Response.Header); sum != "" {
			declared = sum
		}
		return nil
	}
	resp, err = client.Do(req)
	if err != nil {
		var unknown *net.DNSError
		if errors.As(err, &unknown) && unknown.IsNotFound {
			return nil, "", errFinal{err} // as without access to the internet: asking again is of no use
		}
		return nil, "", causeOf(ctx, err)
	}
	return resp, cmp.Or(declared, declaredHash(resp.Header)), nil
}

// causeOf is why a context ended, where it has, and else err.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// accept compares a response's head with what was asked for and what is known, and makes the part ready for its body.
func (f *fetch) accept(resp *http.Response, have int64, declared string) (asked time.Duration, err error) {
	now := part{URL: f.source, Validator: validator(resp.Header), Total: resp.ContentLength, Declared: declared}
	switch resp.StatusCode {
	case http.StatusOK: // from the beginning, asked for or not
		if err := f.file.Truncate(0); err != nil {
			return 0, errFinal{err}
		}
	case http.StatusPartialContent:
		first, total, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok || first != have || resp.ContentLength >= 0 && resp.ContentLength > total-have {
			return 0, errAnew
		}
		if now.Total = total; !f.known.sameFile(now) {
			return 0, errAnew
		}
		now.Declared = cmp.Or(now.Declared, f.known.Declared)
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, errAnew
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			asked = min(time.Duration(seconds)*time.Second, longestWait)
		}
		return asked, fmt.Errorf("the server answered %s", resp.Status)
	default:
		return 0, errFinal{fmt.Errorf("the server answered %s", resp.Status)}
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return 0, errFinal{fmt.Errorf("content encoding %q, want none", e)}
	}
	if want := f.remote.Bytes; want > 0 {
		if now.Total >= 0 && now.Total != want {
			return 0, errFinal{fmt.Errorf("the server has %d bytes, want %d, as published", now.Total, want)}
		}
		now.Total = want
	}
	f.known = now
	text, err := json.Marshal(now)
	if err == nil {
		err = os.WriteFile(f.store.partPath(f.remote.Name)+".json", text, 0o666)
	}
	if err != nil {
		return 0, errFinal{err}
	}
	return 0, nil
}

// receive appends a response's body to the part. Every piece that comes ends a silence.
func (f *fetch) receive(ctx context.Context, body io.Reader, silence *time.Timer) error {
	have, err := f.have()
	if err != nil {
		return errFinal{err}
	}
	total := f.known.Total
	limit := total
	if total < 0 {
		limit = maxFetchBytes
	}
	f.progress(have, max(total, 0))
	buf := make([]byte, 256<<10)
	for have < limit {
		n, err := body.Read(buf[:min(int64(len(buf)), limit-have)])
		if n > 0 {
			silence.Reset(maxSilence)
			if _, err := f.file.Write(buf[:n]); err != nil {
				return errFinal{err}
			}
			have += int64(n)
			f.progress(have, max(total, 0))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", have, causeOf(ctx, err))
		}
	}
	if total >= 0 && have < total {
		return fmt.Errorf("the connection ended after %d of %d bytes", have, total)
	}
	if have >= maxFetchBytes {
		return errFinal{fmt.Errorf("more than %d bytes", int64(maxFetchBytes))}
	}
	return nil
}

// admit verifies a whole part and gives it the file's name. A wrong one is removed.
func (f *fetch) admit(ctx context.Context) (Held, error) {
	s, r := f.store, f.remote
	if err := f.file.Sync(); err != nil {
		return Held{}, err
	}
	info, err := f.file.Stat()
	if err != nil {
		return Held{}, err
	}
	sum, err := hashFile(ctx, s.partPath(r.Name), r.MD5 != "")
	if err != nil {
		return Held{}, err
	}
	pin, pinned, err := s.pin(r.Name)
	if err != nil {
		return Held{}, err
	}
	declared := f.known.Declared
	if err = s.compareHash(r, sum, pin, pinned); err == nil && declared != "" && sum.sha256 != declared {
		err = fmt.Errorf("sha256 %s, want %s, as the server declares", sum.sha256, declared)
	}
	if err != nil {
		err = errors.Join(err, removeAll(s.partPath(r.Name), s.partPath(r.Name)+".json"))
		return Held{}, fmt.Errorf("%w: %w; nothing was kept", errHash, err)
	}
	h := Held{Name: r.Name, Bytes: info.Size(), SHA256: sum.sha256, MD5: sum.md5, URL: r.URL, Time: time.Now().UTC(),
		Modified: info.ModTime().UTC()}
	switch {
	case r.hashed():
		h.Trust = Published
	case pinned:
		h.Trust = pin.Trust
	case declared != "":
		h.Trust = Declared
	default:
		h.Trust = FirstUse
	}
	if err := s.writePin(h); err != nil {
		return Held{}, err
	}
	if err := os.Rename(s.partPath(r.Name), s.Path(r.Name)); err != nil {
		return Held{}, err
	}
	return h, removeAll(s.partPath(r.Name) + ".json")
}

// removeAll removes the files that are there of these.
func removeAll(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// sameFile reports whether a later answer is about the file that is known, as far as length and version say.
func (p part) sameFile(now part) bool {
	return (p.Total < 0 || now.Total == p.Total) && (p.Validator == "" || now.Validator == p.Validator)
}

// readPart is what is known of an unfinished file from this source, nothing where it is of another one.
func (s Store) readPart(name, source string) (p part) {
	text, err := os.ReadFile(s.partPath(name) + ".json")
	if err != nil || json.Unmarshal(text, &p) != nil || p.URL != source {
		return part{Total: -1}
	}
	return p
}

// validator is what If-Range takes to mean this version of a file: a strong ETag, or the date.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return h.Get("Last-Modified")
}

// declaredHash is the SHA-256 that a server names, in the headers of Hugging Face or as an ETag of that form.
func declaredHash(h http.Header) string {
	for _, key := range []string{"X-Linked-ETag", "ETag"} {
		sum := strings.ToLower(strings.Trim(h.Get(key), `"`))
		if len(sum) == 64 && strings.Trim(sum, "0123456789abcdef") == "" {
			return sum
		}
	}
	return ""
}

// contentRange reads "bytes FIRST-LAST/TOTAL".
func contentRange(text string) (first, total int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	span, all, found := strings.Cut(text, "/")
	from, to, dash := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	total, err3 := strconv.ParseInt(all, 10, 64)
	return first, total, ok && found && dash && errors.Join(err1, err2, err3) == nil && 0 <= first && first <= last && last < total
}
