package load

import (
	"errors"
	"fmt"
	"os"

	"zoobench/zoo/onnx/message"
)

// errShort is the error for an external file that ends too early.
var errShort = errors.New("the file is shorter than the tensor's place in it")

// external is a tensor's bytes in another file.
func (l *loader) external(t *message.Tensor, want int64) func() ([]byte, error) {
	x := t.External
	if x.Length >= 0 && x.Length != want {
		l.refuse("tensor %q: %d bytes of external data, want %d", t.Name, x.Length, want)
	}
	root, err := os.OpenRoot(l.folder)
	if err != nil {
		l.refuse("tensor %q: %v", t.Name, err)
	}
	defer root.Close()
	info, err := root.Stat(x.Location)
	switch {
	case err != nil:
		l.refuse("tensor %q: external data: %v", t.Name, err)
	case !info.Mode().IsRegular():
		l.refuse("tensor %q: external data %q: no regular file", t.Name, x.Location)
	case x.Offset > info.Size() || info.Size()-x.Offset < want:
		l.refuse("tensor %q: external data %q: %v", t.Name, x.Location, errShort)
	}
	folder := l.folder
	return func() ([]byte, error) {
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		f, err := root.Open(x.Location)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		b := make([]byte, want)
		if _, err := f.ReadAt(b, x.Offset); err != nil {
			return nil, fmt.Errorf("onnx: %s: %w", x.Location, err)
		}
		return b, nil
	}
}
