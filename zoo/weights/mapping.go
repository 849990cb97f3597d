package weights

import (
	"fmt"
	"io"
	"path/filepath"
	"unsafe"
)

// A Mapping is the bytes of a file of any form. Where the system can, it reads them when they are used.
type Mapping struct {
	volume *volume
	bytes  []byte
}

// Map opens a file of at most so many bytes.
func Map(path string, most int64) (*Mapping, error) {
	v, err := openVolume(path, filepath.Base(path))
	if err != nil {
		return nil, err
	}
	if v.size > most {
		v.close()
		return nil, fmt.Errorf("weights: %s: %d bytes, want at most %d", v.name, v.size, most)
	}
	m := &Mapping{v, v.data}
	if v.data != nil {
		return m, nil
	}
	m.bytes = make([]byte, v.size)
	if _, err := io.ReadFull(io.NewSectionReader(v.r, 0, v.size), m.bytes); err != nil {
		v.close()
		return nil, fmt.Errorf("weights: %s: %w", v.name, err)
	}
	return m, nil
}

// Bytes are the file's, until Close.
func (m *Mapping) Bytes() []byte { return m.bytes }

// Guard calls read, which may read the bytes, as the function Guard does.
func (m *Mapping) Guard(read func() error) error { return guard([]*volume{m.volume}, read) }

// Release lets the system take back the pages of a part of the bytes.
func (m *Mapping) Release(part []byte) {
	if m.volume.data == nil || len(part) == 0 {
		return
	}
	if at := addressIn(m.volume.data, uintptr(unsafe.Pointer(&part[0]))); at >= 0 {
		releasePages(m.volume.data, at, at+int64(len(part)))
	}
}

// Close ends the use of the bytes.
func (m *Mapping) Close() error {
	m.bytes = nil
	return m.volume.close()
}
