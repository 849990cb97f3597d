package weights

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Remote is a published file: where it is and how it is known. Name is the one that it gets in the store.
type Remote struct {
	Name   string
	URL    string
	SHA256 string // hexadecimal, whole or its first digits, 8 at least; "" where none is published
	MD5    string // hexadecimal, of a file whose SHA-256 nobody publishes; "" where none is published
	Bytes  int64  // 0 where not published
}

// A Store is a folder of files that were fetched and verified. Several processes may use one folder: each file has a
// lock.
//
// A file appears under its name only once its hash is known to be right; what there is of it until then is a hidden
// part beside it, from which a later Pull goes on. Where no hash is published, the one that the server declares is
// taken; where there is none either, the first file to come is trusted. Both are pinned: another file is an error from
// then on, even after the first one was removed.
type Store struct {
	Dir     string
	Offline bool   // nothing is fetched
	Mirror  string // URL that takes the place of scheme and host of every Remote's; "" for the Remote's own

	transport http.RoundTripper // nil for http.DefaultTransport
}

// How a file's hash came to be trusted.
const (
	Published = "published" // it has the published hash, or its published first digits
	Declared  = "declared"  // it has the hash that the server declared when it was first fetched
	FirstUse  = "first use" // nobody names a hash: it is the one that came first
	ByHand    = "by hand"   // it was put into the folder, and no hash is published
)

// A Held is a file of the store.
type Held struct {
	Name   string    `json:"name"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`        // "" of a file whose hash nobody has asked for yet
	MD5    string    `json:"md5,omitempty"` // of a file of which that is published
	Trust  string    `json:"trust"`         // Published, Declared, FirstUse or ByHand; "" as for SHA256
	URL    string    `json:"url,omitempty"`
	Time   time.Time `json:"time"` // of the pin

	// Modified is when the file was, as the file system had it when it was pinned: another time is another file.
	Modified time.Time `json:"modified,omitzero"`
}

// Path is where a file of this name is, or would be.
func (s Store) Path(name string) string { return filepath.Join(s.Dir, name) }

// Pull returns a file of the store, and fetches it first if it is not there. A file that is there already is checked.
// Progress, which may be nil, is called with the number of bytes that are there, and of all of them, 0 where that is
// not known yet. An error names the file; an error of the network also says where to put the file by hand.
func (s Store) Pull(ctx context.Context, r Remote, progress func(done, total int64)) (Held, error) {
	h, err := s.pull(ctx, r, progress)
	if err != nil {
		return Held{}, fmt.Errorf("weights: %s: %w", r.Name, err)
	}
	return h, nil
}

func (s Store) pull(ctx context.Context, r Remote, progress func(done, total int64)) (Held, error) {
	if err := checkName(r.Name); err != nil {
		return Held{}, err
	}
	if n := len(r.SHA256); n > 0 && (n < 8 || n > 64 || strings.Trim(r.SHA256, "0123456789abcdef") != "") {
		return Held{}, fmt.Errorf("published hash %q: want 8 to 64 hexadecimal digits", r.SHA256)
	}
	if n := len(r.MD5); n > 0 && (n != 32 || strings.Trim(r.MD5, "0123456789abcdef") != "") {
		return Held{}, fmt.Errorf("published MD5 %q: want 32 hexadecimal digits", r.MD5)
	}
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return Held{}, err
	}
	unlock, err := s.lock(ctx, r.Name)
	if readOnly(err) {
		if h, there := s.present(ctx, r); !errors.Is(there, fs.ErrNotExist) {
			return h, there
		}
	}
	if err != nil {
		return Held{}, err
	}
	defer unlock()
	h, err := s.present(ctx, r)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return h, err
	}
	if s.Offline {
		return Held{}, fmt.Errorf("not in the store, and fetching is switched off; put the file from %s at %s", r.URL, s.Path(r.Name))
	}
	if r.URL == "" {
		return Held{}, fmt.Errorf("its URL is not known; put the file at %s", s.Path(r.Name))
	}
	return s.fetch(ctx, r, progress)
}

// present is the file that is there, if it is the right one.
func (s Store) present(ctx context.Context, r Remote) (Held, error) {
	info, err := os.Stat(s.Path(r.Name))
	if err != nil {
		return Held{}, err
	}
	if !info.Mode().IsRegular() {
		return Held{}, fmt.Errorf("%s is not a regular file", s.Path(r.Name))
	}
	pin, pinned, err := s.pin(r.Name)
	if err != nil {
		return Held{}, err
	}
	if pinned && pin.Bytes == info.Size() && strings.HasPrefix(pin.SHA256, r.SHA256) && (r.MD5 == "" || pin.MD5 == r.MD5) &&
		pin.Modified.Equal(info.ModTime()) {
		return pin, nil
	}
	sum, err := hashFile(ctx, s.Path(r.Name), r.MD5 != "")
	if err != nil {
		return Held{}, err
	}
	now := Held{Name: r.Name, Bytes: info.Size(), SHA256: sum.sha256, MD5: sum.md5, Trust: ByHand, Time: time.Now().UTC(),
		Modified: info.ModTime().UTC()}
	if r.hashed() {
		now.Trust, now.URL = Published, r.URL
	} else if pinned {
		now.Trust, now.URL = pin.Trust, pin.URL
	}
	if err := s.compareHash(r, sum, pin, pinned); err != nil {
		return Held{}, fmt.Errorf("%w; remove %s, or give it another name", err, s.Path(r.Name))
	}
	if err := s.writePin(now); err != nil && !readOnly(err) {
		return Held{}, err
	}
	return now, nil
}

// readOnly reports whether an error is that of a folder which nothing can be written to. What lies there serves all the
// same, without a lock, as nobody can change it, and without a pin.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// hashed reports whether a hash of the file is published.
func (r Remote) hashed() bool { return r.SHA256 != "" || r.MD5 != "" }

// compareHash compares a hash with the published one, or else with the one that is pinned.
func (s Store) compareHash(r Remote, sum sums, pin Held, pinned bool) error {
	switch {
	case r.SHA256 != "":
		if !strings.HasPrefix(sum.sha256, r.SHA256) {
			return fmt.Errorf("sha256 %s, want %s, as published", sum.sha256, r.SHA256)
		}
	case r.MD5 != "":
		if sum.md5 != r.MD5 {
			return fmt.Errorf("md5 %s, want %s, as published", sum.md5, r.MD5)
		}
	case pinned && sum.sha256 != pin.SHA256:
		return fmt.Errorf("sha256 %s, want %s, as recorded on %s (%s) in %s",
			sum.sha256, pin.SHA256, pin.Time.Format(time.DateOnly), pin.Trust, s.pinPath(r.Name))
	}
	return nil
}

// PullAll pulls several files, some at a time, 4 where parallel is 0. One that fails does not keep the others; the
// error is all of theirs, and its files' places in the result are zero.
func (s Store) PullAll(ctx context.Context, remotes []Remote, parallel int, progress func(i int, done, total int64)) ([]Held, error) {
	if parallel <= 0 {
		parallel = 4
	}
	held, errs := make([]Held, len(remotes)), make([]error, len(remotes))
	turn := make(chan struct{}, parallel)
	var pulls sync.WaitGroup
	for i, r := range remotes {
		pulls.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			var step func(done, total int64)
			if progress != nil {
				step = func(done, total int64) { progress(i, done, total) }
			}
			held[i], errs[i] = s.Pull(ctx, r, step)
		})
	}
	pulls.Wait()
	return held, errors.Join(errs...)
}

// List is the store's files by name, with what is pinned of them. A missing folder is an empty store.
func (s Store) List() ([]Held, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("weights: store: %w", err)
	}
	var list []Held
	for _, e := range entries {
		info, err := os.Stat(s.Path(e.Name()))
		if err != nil || !info.Mode().IsRegular() || checkName(e.Name()) != nil {
			continue
		}
		h, pinned, err := s.pin(e.Name())
		if err != nil || !pinned || h.Bytes != info.Size() {
			h = Held{Name: e.Name()}
		}
		h.Bytes = info.Size()
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b Held) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Verify reads a file anew and compares it with its published hash, where the caller knows one, and its pin. A file
// without either is pinned as one that was put there by hand.
func (s Store) Verify(ctx context.Context, r Remote) (Held, error) {
	if err := checkName(r.Name); err != nil {
		return Held{}, fmt.Errorf("weights: %s: %w", r.Name, err)
	}
	unlock, err := s.lock(ctx, r.Name)
	if err == nil {
		defer unlock()
	} else if !readOnly(err) {
		return Held{}, fmt.Errorf("weights: %s: %w", r.Name, err)
	}
	pin, pinned, err := s.pin(r.Name)
	if err == nil && pinned {
		var sum sums
		if sum, err = hashFile(ctx, s.Path(r.Name), r.MD5 != ""); err == nil {
			if err = s.compareHash(Remote{Name: r.Name}, sum, pin, true); err == nil {
				err = s.compareHash(r, sum, pin, true)
			}
		}
		if err == nil {
			return pin, nil
		}
	} else if err == nil {
		if pin, err = s.present(ctx, r); err == nil {
			return pin, nil
		}
	}
	return Held{}, fmt.Errorf("weights: %s: %w", r.Name, err)
}

// Remove removes a file and what there is of an unfinished one. The pin of a file whose hash is not published stays, so
// that another file in its place is noticed.
func (s Store) Remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("weights: %s: %w", name, err)
	}
	unlock, err := s.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", name, err)
	}
	defer unlock()
	pin, pinned, _ := s.pin(name) // one that cannot be read is worth nothing
	gone := []string{s.partPath(name), s.partPath(name) + ".json"}
	if !pinned || pin.Trust == Published || pin.Trust == ByHand {
		gone = append(gone, s.pinPath(name))
	}
	if err := errors.Join(os.Remove(s.Path(name)), removeAll(gone...)); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// checkName refuses names that would lie outside the folder, and the store's own.
func checkName(name string) error {
	if name == "" || name != filepath.Base(name) || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return errors.New("invalid file name: want no folder and no leading dot")
	}
	return nil
}

func (s Store) partPath(name string) string { return filepath.Join(s.Dir, "."+name+".part") }
func (s Store) pinPath(name string) string  { return filepath.Join(s.Dir, "."+name+".pin") }

// pin reads what is pinned of a file.
func (s Store) pin(name string) (h Held, pinned bool, err error) {
	text, err := os.ReadFile(s.pinPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Held{}, false, nil
	}
	if err != nil {
		return Held{}, false, err
	}
	if err := json.Unmarshal(text, &h); err != nil || len(h.SHA256) != 64 {
		return Held{}, false, fmt.Errorf("%s: no hash is recorded in it; remove it to trust the next file that comes", s.pinPath(name))
	}
	h.Name = name
	return h, true, nil
}

func (s Store) writePin(h Held) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return replaceFile(s.pinPath(h.Name), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// HashFile is a file's SHA-256 in hexadecimal, unless the context ends before it is read.
func HashFile(ctx context.Context, path string) (string, error) {
	s, err := hashFile(ctx, path, false)
	return s.sha256, err
}

// sums are a file's hashes in hexadecimal, md5 where it was asked for.
type sums struct{ sha256, md5 string }

func hashFile(ctx context.Context, path string, withMD5 bool) (sums, error) {
	f, err := os.Open(path)
	if err != nil {
		return sums{}, err
	}
	defer f.Close()
	long, short := sha256.New(), md5.New()
	h := io.Writer(long)
	if withMD5 {
		h = io.MultiWriter(long, short)
	}
	for err == nil {
		if err := ctx.Err(); err != nil {
			return sums{}, err
		}
		_, err = io.CopyN(h, f, hashStep)
	}
	if !errors.Is(err, io.EOF) {
		return sums{}, err
	}
	s := sums{sha256: hex.EncodeToString(long.Sum(nil))}
	if withMD5 {
		s.md5 = hex.EncodeToString(short.Sum(nil))
	}
	return s, nil
}

// hashStep is how many bytes are hashed between two looks at the context.
const hashStep = 16 << 20
