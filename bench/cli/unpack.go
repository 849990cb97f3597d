package cli

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// maxUnpacked bounds the bytes of an unpacked archive.
const maxUnpacked = 1 << 30

// unpack writes the files directly below a folder of a gzipped tar into a folder of that name in dir, unless it is there.
// The folder gets its name when all of them are written.
func unpack(archive, dir, folder string) (err error) {
	target := filepath.Join(dir, folder)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	part, err := os.MkdirTemp(dir, "."+folder+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	left := int64(maxUnpacked)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || path.Dir(name) != folder {
			continue
		}
		if left -= h.Size; left < 0 {
			return fmt.Errorf("%s: more than %d bytes unpacked", archive, int64(maxUnpacked))
		}
		if err := writeFile(filepath.Join(part, path.Base(name)), r); err != nil {
			return err
		}
	}
	if left == maxUnpacked {
		return fmt.Errorf("%s: no files in a folder %s", archive, folder)
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	return os.Rename(part, target)
}

// writeFile writes what is read into a new file.
func writeFile(name string, r io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
