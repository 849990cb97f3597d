package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"zoobench/zoo/onnx/message"
)

// Check compares what was written with what should have been: every operator, every name and every byte of every tensor. data is
// the external data, nil without them.
func (f *File) Check(written []byte, data io.ReaderAt) error {
	if err := f.check(written, data); err != nil {
		return fmt.Errorf("onnx: %s: the file is not what was written: %w", f.model.Graph.Name, err)
	}
	return nil
}

func (f *File) check(written []byte, data io.ReaderAt) error {
	m, err := message.Decode(written)
	if err != nil {
		return err
	}
	want := f.model
	if len(m.Graph.Tensors) != len(want.Graph.Tensors) {
		return fmt.Errorf("%d tensors, want %d", len(m.Graph.Tensors), len(want.Graph.Tensors))
	}
	for i := range want.Graph.Tensors {
		if err := f.checkTensor(&m.Graph.Tensors[i], &want.Graph.Tensors[i], data); err != nil {
			return fmt.Errorf("%s: %w", want.Graph.Tensors[i].Name, err)
		}
	}
	m.Graph.Tensors, want.Graph.Tensors = nil, nil
	if !reflect.DeepEqual(m, &want) {
		return errors.New("its operators or its metadata differ")
	}
	return nil
}

func (f *File) checkTensor(have, want *message.Tensor, data io.ReaderAt) error {
	raw := want.Raw
	if raw == nil {
		var err error
		if raw, err = f.raw(want); err != nil {
			return err
		}
	}
	numbers := have.Raw
	if x := want.External; x != nil {
		numbers = make([]byte, x.Length)
		if _, err := data.ReadAt(numbers, x.Offset); err != nil {
			return err
		}
	}
	if !bytes.Equal(numbers, raw) {
		return errors.New("its numbers differ")
	}
	h, w := *have, *want
	h.Raw, w.Raw = nil, nil
	if !reflect.DeepEqual(h, w) {
		return errors.New("its shape or its place differs")
	}
	return nil
}
