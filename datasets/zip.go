package datasets

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"strings"
)

// isZip reports whether a file begins as a zip archive does.
func isZip(archive *os.File) bool {
	head := make([]byte, 4)
	n, _ := archive.ReadAt(head, 0)
	return bytes.Equal(head[:n], []byte("PK\x03\x04"))
}

// readZip lists the files of a zip archive from the directory at its end, without hidden ones. Of members of one name the
// last one counts, as in a tar archive.
func readZip(archive *os.File) ([]member, error) {
	info, err := archive.Stat()
	if err != nil {
		return nil, err
	}
	r, err := zip.NewReader(archive, info.Size())
	if err != nil {
		return nil, err
	}
	var members []member
	at := map[string]int{}
	for _, file := range r.File {
		name := clean(file.Name)
		if name == "" || hidden(name) || strings.HasPrefix(name, "__MACOSX/") || !file.Mode().IsRegular() {
			continue
		}
		if strings.ContainsAny(name, "\n\r") {
			return nil, fmt.Errorf("name %.80q: has a line break", file.Name)
		}
		offset, err := file.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m := member{name: name, span: span{offset: offset, size: int64(file.UncompressedSize64)}}
		packed := int64(file.CompressedSize64)
		switch {
		case file.Flags&1 != 0:
			return nil, fmt.Errorf("%s: encrypted; unpack the archive once", name)
		case file.Method == zip.Deflate:
			m.packed = packed
		case file.Method != zip.Store:
			return nil, fmt.Errorf("%s: compressed by method %d, want none or deflate; unpack the archive once", name, file.Method)
		case packed != m.size:
			return nil, fmt.Errorf("%s: %d bytes stored as %d", name, m.size, packed)
		}
		if m.size < 0 || packed < 0 || packed > info.Size()-offset {
			return nil, fmt.Errorf("%s: %d bytes from byte %d on, the archive ends at %d", name, packed, offset, info.Size())
		}
		if i, ok := at[name]; ok {
			members[i] = m
			continue
		}
		at[name] = len(members)
		members = append(members, m)
	}
	return members, nil
}

// inflate fills buf with a member's bytes.
func (s span) inflate(archive io.ReaderAt, buf []byte) error {
	r := flate.NewReader(io.NewSectionReader(archive, s.offset, s.packed))
	defer r.Close()
	if _, err := io.ReadFull(r, buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("datasets: read: %w", err)
	}
	return nil
}
