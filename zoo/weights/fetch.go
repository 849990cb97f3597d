package weights

import (
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

// longestWait bounds the pause that a server may ask for.
const longestWait = time.Minute

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
var errAnew = errors.New("the server's file is another one than before")

// fetch gets a file that is not there.
func (s Store) fetch(ctx context.Context, r Remote, progress func(done, total int64)) (Held, error) {
	source, err := s.source(r.URL)
	if err != nil {
		return Held{}, err
	}
	if progress == nil {
		progress = func(done, total int64) {}
	}
	h, resumed, err := s.fetchOnce(ctx, r, source, progress)
	if err != nil && resumed && errors.Is(err, errHash) {
		// The pieces may be of two files, whatever the server says of them.
		h, _, err = s.fetchOnce(ctx, r, source, progress)
	}
	var local *fs.PathError // of the folder, as where the disk is full
	if err != nil && ctx.Err() == nil && !errors.Is(err, errHash) && !errors.As(err, &local) {
		err = fmt.Errorf("%s: %w; without a network, put the file at %s", source, err, s.Path(r.Name))
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

// errHash marks a whole file with the wrong hash, of which nothing is kept.
var errHash = errors.New("wrong hash")

// fetchOnce gets the whole file, by as many requests as it takes, and gives it its name. Resumed tells that it has
// pieces of several requests.
func (s Store) fetchOnce(ctx context.Context, r Remote, source string, progress func(done, total int64)) (h Held, resumed bool, err error) {
	attempts, backoff := s.Attempts, s.Backoff
	if attempts <= 0 {
		attempts = 5
	}
	if backoff <= 0 {
		backoff = time.Second
	}
	f, err := os.OpenFile(s.partPath(r.Name), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return Held{}, false, err
	}
	defer f.Close()
	p := s.readPart(r.Name, source)
	var asked time.Duration
	for try := 0; ; try++ {
		before, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return Held{}, resumed, err
		}
		resumed = resumed || before > 0
		asked, err = s.request(ctx, r, source, f, &p, progress)
		if err == nil {
			break
		}
		if errors.Is(err, errAnew) {
			if err := errors.Join(f.Truncate(0), os.Remove(s.partPath(r.Name)+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return Held{}, resumed, err
			}
			p, resumed = part{Total: -1}, false
			asked = 0
		}
		var final errFinal
		if errors.As(err, &final) || ctx.Err() != nil {
			return Held{}, resumed, err
		}
		if after, _ := f.Seek(0, io.SeekEnd); after-before >= progressBytes {
			try = 0
		}
		if try+1 >= attempts {
			return Held{}, resumed, fmt.Errorf("given up after %d tries: %w", try+1, err)
		}
		pause := max(backoff<<min(try, 6), asked)
		pause += time.Duration(rand.Int64N(int64(pause)/4 + 1)) // so that many do not come back at once
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Held{}, resumed, ctx.Err()
		}
	}
	h, err = s.admit(ctx, r, f, p)
	return h, resumed, err
}

// admit verifies a whole part and gives it the file's name. A wrong one is removed.
func (s Store) admit(ctx context.Context, r Remote, f *os.File, p part) (Held, error) {
	if err := f.Sync(); err != nil {
		return Held{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return Held{}, err
	}
	sum, err := HashFile(ctx, s.partPath(r.Name))
	if err != nil {
		return Held{}, err
	}
	pin, pinned, err := s.pin(r.Name)
	if err != nil {
		return Held{}, err
	}
	if err = s.hold(r, sum, pin, pinned); err == nil && p.Declared != "" && sum != p.Declared {
		err = fmt.Errorf("sha256 %s, want %s, as the server declares", sum, p.Declared)
	}
	if err != nil {
		for _, path := range []string{s.partPath(r.Name), s.partPath(r.Name) + ".json"} {
			if gone := os.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
		return Held{}, fmt.Errorf("%w: %w; nothing was kept", errHash, err)
	}
	h := Held{Name: r.Name, Bytes: info.Size(), SHA256: sum, URL: r.URL, Time: time.Now().UTC(), Modified: info.ModTime().UTC()}
	switch {
	case r.SHA256 != "":
		h.Trust = Published
	case pinned:
		h.Trust = pin.Trust
	case p.Declared != "":
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
	if err := os.Remove(s.partPath(r.Name) + ".json"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Held{}, err
	}
	return h, nil
}

// request asks for what is missing and appends what comes. It returns nil once the file is whole as far as its length
// tells; asked is the pause that the server wants before the next try.
func (s Store) request(ctx context.Context, r Remote, source string, f *os.File, p *part, progress func(done, total int64)) (asked time.Duration, err error) {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, errFinal{err}
	}
	// Without a mark of the file's version and without a hash, pieces of two requests cannot be joined.
	if have > 0 && p.Validator == "" && r.SHA256 == "" && p.Declared == "" {
		return 0, errAnew
	}
	if have > 0 && have == p.Total {
		return 0, nil
	}
	stall := s.Stall
	if stall <= 0 {
		stall = 30 * time.Second
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer silent.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return 0, errFinal{err}
	}
	req.Header.Set("User-Agent", "zoobench")
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if p.Validator != "" {
			req.Header.Set("If-Range", p.Validator)
		}
	}
	declared := ""
	client := http.Client{}
	if s.Client != nil {
		client = *s.Client
	}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirections")
		}
		// Hugging Face names the hash when it hands over to its storage.
		if sum := declaredHash(next.Response.Header); sum != "" {
			declared = sum
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		var unknown *net.DNSError
		if errors.As(err, &unknown) && unknown.IsNotFound {
			return 0, errFinal{err} // as without a network: asking again is of no use
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return 0, err
	}
	defer resp.Body.Close()
	if sum := declaredHash(resp.Header); declared == "" {
		declared = sum
	}
	if asked, err := s.accept(r, resp, f, have, p, source, declared); err != nil {
		return asked, err
	}
	if have, err = f.Seek(0, io.SeekEnd); err != nil {
		return 0, errFinal{err}
	}
	limit := p.Total
	if limit < 0 {
		limit = maxFetchBytes
	}
	progress(have, max(p.Total, 0))
	buf := make([]byte, 256<<10)
	for have < limit {
		n, err := resp.Body.Read(buf[:min(int64(len(buf)), limit-have)])
		if n > 0 {
			silent.Reset(stall)
			if _, err := f.Write(buf[:n]); err != nil {
				return 0, errFinal{err}
			}
			have += int64(n)
			progress(have, max(p.Total, 0))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return 0, fmt.Errorf("after %d bytes: %w", have, err)
		}
	}
	if p.Total >= 0 && have < p.Total {
		return 0, fmt.Errorf("cut after %d of %d bytes", have, p.Total)
	}
	if have >= maxFetchBytes {
		return 0, errFinal{fmt.Errorf("more than %d bytes", int64(maxFetchBytes))}
	}
	return 0, nil
}

// accept holds a response's head against what was asked for and what is known, and makes f and p ready for its body.
func (s Store) accept(r Remote, resp *http.Response, f *os.File, have int64, p *part, source, declared string) (asked time.Duration, err error) {
	now := part{URL: source, Validator: validator(resp.Header), Total: resp.ContentLength, Declared: declared}
	switch resp.StatusCode {
	case http.StatusOK:
		// From the beginning, asked for or not.
		if err := f.Truncate(0); err != nil {
			return 0, errFinal{err}
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, errFinal{err}
		}
	case http.StatusPartialContent:
		first, total, ok := contentRange(resp.Header.Get("Content-Range"))
		now.Total = total
		if !ok || first != have || p.Total >= 0 && total != p.Total || p.Validator != "" && now.Validator != p.Validator || resp.ContentLength >= 0 && resp.ContentLength > total-have {
			return 0, errAnew
		}
		if now.Declared == "" {
			now.Declared = p.Declared
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, errAnew
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			asked = min(time.Duration(seconds)*time.Second, longestWait)
		}
		return asked, fmt.Errorf("the server says %s", resp.Status)
	default:
		return 0, errFinal{fmt.Errorf("the server says %s", resp.Status)}
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return 0, errFinal{fmt.Errorf("content encoding %q, want none", e)}
	}
	if r.Bytes > 0 && now.Total >= 0 && now.Total != r.Bytes {
		return 0, errFinal{fmt.Errorf("the server has %d bytes, want %d, as published", now.Total, r.Bytes)}
	}
	if now.Total < 0 && r.Bytes > 0 {
		now.Total = r.Bytes
	}
	*p = now
	text, err := json.Marshal(now)
	if err == nil {
		err = os.WriteFile(s.partPath(r.Name)+".json", text, 0o666)
	}
	if err != nil {
		return 0, errFinal{err}
	}
	return 0, nil
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
