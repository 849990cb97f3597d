package datasets

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// A member is a regular file of a tar archive, or a link to one.
type member struct {
	span
	shard string // what stands before the name, where there are several archives
	name  string // clean, with slashes
}

// readIndex lists the files of an archive, from the index in dir where
// there is one of this very archive. A new index is written there; that it could
// not be does not hinder: it only saves the time to make it.
func readIndex(archive *os.File, dir string) ([]member, error) {
	info, err := archive.Stat()
	if err != nil {
		return nil, err
	}
	head := indexHead(info)
	file := ""
	if dir != "" {
		full, err := filepath.Abs(archive.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(full))
		file = filepath.Join(dir, filepath.Base(full)+"."+hex.EncodeToString(sum[:6])+".index")
		if text, err := os.ReadFile(file); err == nil {
			if members, err := parseIndex(text, head, info.Size()); err == nil {
				return members, nil
			}
		}
	}
	members, err := scan(archive, info.Size())
	if err == nil && file != "" {
		_ = writeIndex(file, head, members)
	}
	if forms := unreadFile(archive.Name()); forms != "" && errors.Is(err, errNoArchive) {
		return nil, fmt.Errorf("%w; %s", err, forms)
	}
	return members, err
}

// clean is a name as it lies below the archive's root: absolute names and those
// that lead out of it do too, as tar unpacks them.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// indexHead is the first line of an index: it identifies the archive.
func indexHead(info os.FileInfo) string {
	return fmt.Sprintf("zoobench tar index 2\t%d\t%d\n", info.Size(), info.ModTime().UnixNano())
}

// scan reads an archive's headers, skipping the files' bytes.
func scan(archive io.ReadSeeker, size int64) ([]member, error) {
	first := make([]byte, 512)
	n, err := io.ReadFull(archive, first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, err
	}
	if err := checkArchive(first[:n]); err != nil {
		return nil, err
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	l := listing{at: map[string]int{}, links: map[string]string{}}
	r := tar.NewReader(archive)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return l.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("after %d files: %w", len(l.members), err)
		}
		// The reader takes whole headers and nothing beyond them: the file's
		// bytes begin here.
		offset, err := archive.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if err := l.add(h, offset, size); err != nil {
			return nil, err
		}
	}
}

// A listing is the members of an archive read so far, hidden ones too, which
// links may lead to. Of members of one name the last one counts, as where an
// archive is unpacked.
type listing struct {
	members []member
	at      map[string]int    // where in members a name stands
	links   map[string]string // by name, where the symbolic links among them lead
}

// add takes a header whose file's bytes begin at offset in an archive of size.
func (l *listing) add(h *tar.Header, offset, size int64) error {
	name := clean(h.Name)
	if name == "" {
		return nil
	}
	m := member{name: name}
	link := ""
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont:
		m.span = span{offset: offset, size: h.Size}
	case tar.TypeLink:
		to := clean(h.Linkname)
		i, ok := l.at[to]
		if !ok && hidden(name) {
			return nil
		}
		if !ok {
			return fmt.Errorf("%s: a link to %s, which does not come before it in the archive", name, h.Linkname)
		}
		m.span, link = l.members[i].span, l.links[to]
	case tar.TypeSymlink:
		link = h.Linkname
		if !path.IsAbs(link) {
			link = path.Join(path.Dir(name), link)
		}
		link = cmp.Or(clean(link), ".")
	case tar.TypeGNUSparse:
	default:
		return nil // folders and devices
	}
	if err := m.check(h, size); err != nil {
		if hidden(name) {
			return nil
		}
		return err
	}
	if i, ok := l.at[name]; ok {
		l.members[i] = m
	} else {
		l.at[name] = len(l.members)
		l.members = append(l.members, m)
	}
	delete(l.links, name)
	if link != "" {
		l.links[name] = link
	}
	return nil
}

// check says why the bytes of a member cannot be taken from an archive of this size.
func (m *member) check(h *tar.Header, size int64) error {
	if strings.ContainsAny(m.name, "\n\r") {
		return fmt.Errorf("name %.80q: has a line break", h.Name)
	}
	sparse := h.Typeflag == tar.TypeGNUSparse
	for key := range h.PAXRecords {
		sparse = sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	if sparse {
		return fmt.Errorf("%s: a sparse file, want a file that is stored in one piece", m.name)
	}
	if m.size < 0 || m.size > size-m.offset {
		return fmt.Errorf("%s: %d bytes from byte %d on, the archive ends at %d", m.name, m.size, m.offset, size)
	}
	return nil
}

// finish gives symbolic links the bytes that they lead to and leaves out what is
// hidden. A link to nothing is an error where it is an image, and so is one to a
// folder of images, which would be a class.
func (l *listing) finish() ([]member, error) {
	folders := map[string]bool{}
	for _, m := range l.members {
		if isImage(path.Base(m.name)) {
			for dir := path.Dir(m.name); dir != "." && !folders[dir]; dir = path.Dir(dir) {
				folders[dir] = true
			}
		}
	}
	var members []member
	for _, m := range l.members {
		if hidden(m.name) {
			continue
		}
		if _, ok := l.links[m.name]; ok {
			i, to := l.follow(m.name)
			switch {
			case i >= 0:
				m.span = l.members[i].span
			case folders[to]:
				return nil, fmt.Errorf("%s: a link to the folder %s, want the images themselves", m.name, to)
			case isImage(path.Base(m.name)):
				return nil, fmt.Errorf("%s: a link to %s, which is not a file in the archive", m.name, to)
			default:
				continue
			}
		}
		members = append(members, m)
	}
	return members, nil
}

// follow is the name that a symbolic link leads to and where in members it
// stands, -1 for no file.
func (l *listing) follow(name string) (i int, to string) {
	const maxLinks = 40 // as Linux has it
	to = name
	for range maxLinks {
		next, link := l.links[to]
		if !link {
			if i, ok := l.at[to]; ok {
				return i, to
			}
			return -1, to
		}
		to = next
	}
	return -1, to
}

// hidden reports whether a name below the root starts with a dot, or lies in a
// folder whose name does. OpenFolder leaves such out: macOS makes such copies.
func hidden(name string) bool { return strings.Contains("/"+name, "/.") }

// writeIndex writes an index whole or not at all.
func writeIndex(file, head string, members []member) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".index.*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	w.WriteString(head)
	for _, m := range members {
		fmt.Fprintf(w, "%d\t%d\t%s\n", m.offset, m.size, m.name)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// parseIndex reads an index and holds it against the archive's head and size.
func parseIndex(text []byte, head string, size int64) ([]member, error) {
	lines, ok := bytes.CutPrefix(text, []byte(head))
	if !ok {
		return nil, errors.New("index of another archive")
	}
	var members []member
	for line := range strings.Lines(string(lines)) {
		text, whole := strings.CutSuffix(line, "\n")
		fields := strings.SplitN(text, "\t", 3)
		if !whole || len(fields) != 3 {
			return nil, fmt.Errorf("index line %.80q: want offset, size and name", line)
		}
		offset, err1 := strconv.ParseInt(fields[0], 10, 64)
		length, err2 := strconv.ParseInt(fields[1], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("index line %.80q: %w", line, err)
		}
		if offset < 0 || length < 0 || length > size-offset {
			return nil, fmt.Errorf("index line %.80q: outside the archive's %d bytes", line, size)
		}
		members = append(members, member{span: span{offset: offset, size: length}, name: fields[2]})
	}
	return members, nil
}
