package datasets

import (
	"archive/tar"
	"bufio"
	"bytes"
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

// A member is a regular file of a tar archive.
type member struct {
	span
	shard string // what stands before the name, where there are several archives
	name  string // clean, with slashes
}

// readIndex lists the regular files of an archive, from the index in dir where
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
	return members, err
}

// clean is a name as it lies below the archive's root: absolute names and those
// that lead out of it do too, as tar unpacks them.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// indexHead is the first line of an index: it tells the archive that it is of.
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
	var members []member
	r := tar.NewReader(archive)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return members, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d files: %w", len(members), err)
		}
		name := clean(h.Name)
		if h.Typeflag != tar.TypeReg || strings.HasPrefix(path.Base(name), ".") {
			continue // folders, links, and the hidden copies that macOS makes
		}
		if strings.ContainsAny(name, "\n\r") {
			return nil, fmt.Errorf("name %.80q: a line break", h.Name)
		}
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, fmt.Errorf("%s: a sparse file, want one whose bytes lie together", name)
			}
		}
		// The reader takes whole headers and nothing beyond them: the file's
		// bytes begin here.
		offset, err := archive.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if h.Size < 0 || h.Size > size-offset {
			return nil, fmt.Errorf("%s: %d bytes from byte %d on, the archive ends at %d", name, h.Size, offset, size)
		}
		members = append(members, member{span: span{offset: offset, size: h.Size}, name: name})
	}
}

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
