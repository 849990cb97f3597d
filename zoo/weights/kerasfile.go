package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"zoobench/zoo/weights/hdf5"
)

// Keras writes three forms, all of them HDF5. Until version 2 (keras/src/legacy/saving/legacy_h5_format.py), and as the
// published files are: an attribute layer_names, at the root or in the group model_weights of a whole model, lists the groups
// of the layers, whose attributes weight_names list their datasets. Since version 3 NAME.weights.h5 (saving_lib.py): groups
// named after the layers' classes, layers/conv2d_1, with a group vars of datasets 0, 1, … and the layer's name in an attribute;
// and NAME.keras, a zip archive of such a file, config.json and metadata.json.
//
// All three give the same names: LAYER/PART, as "conv1/kernel" and "conv1_bn/moving_mean", and a whole model's layers within
// another keep what its file says. kerasnames.go says how.

// Keras is what a Keras file says beside its tensors.
type Keras struct {
	Version string       // of Keras, as "2.1.6", "" where the file does not say
	Backend string       // as "tensorflow", "" where the file does not say
	Config  []byte       // the model's configuration, JSON; nil where there is none
	Layers  []KerasLayer // in the model's order, as far as the file has it; else by class and number
}

// A KerasLayer is a layer, with or without weights.
type KerasLayer struct {
	Name    string
	Tensors []string // the file's names of them, in the order in which Keras makes them
}

// Keras is what a file of Keras's says beside its tensors, nil for any other. The caller must not change it.
func (f *File) Keras() *Keras { return f.layout.keras }

// The bounds of a Keras file: groups inside each other, and the parts of an attribute that is too long for one.
const (
	maxKerasDepth = 16
	maxKerasName  = 4096 // bytes
	maxKerasParts = 1000
	maxKerasText  = 64 << 20 // of config.json
)

// A kerasReader collects the tensors of a file.
type kerasReader struct {
	file    string
	base    int64 // of the HDF5 file in the file
	keras   *Keras
	section section
	seen    map[*hdf5.Object]bool
}

// parseHDF5 reads the table of tensors of a file whose HDF5 begins at byte base of the file.
func parseHDF5(name string, r io.ReaderAt, size, base int64, keras *Keras) (layout, error) {
	k := &kerasReader{file: name, base: base, keras: keras, seen: map[*hdf5.Object]bool{}}
	k.section.others = map[string]string{}
	if err := k.read(r, size); err != nil {
		return layout{}, k.located(err)
	}
	return layout{format: "keras", sections: []section{k.section}, size: size, keras: keras}, nil
}

// located gives an error of HDF5 the file's name, and its position there.
func (k *kerasReader) located(err error) error {
	at := func(offset int64) int64 {
		if offset < 0 {
			return -1
		}
		return k.base + offset
	}
	var format *hdf5.FormatError
	var no *hdf5.UnsupportedError
	switch {
	case errors.As(err, &format):
		return &FormatError{File: k.file, Item: format.Object, Offset: at(format.Offset), Msg: "HDF5: " + format.Msg}
	case errors.As(err, &no):
		return &UnsupportedError{File: k.file, Item: no.Object, Offset: at(no.Offset), Msg: "HDF5: " + no.Msg}
	}
	return err
}

func (k *kerasReader) broken(item, format string, args ...any) error {
	return &FormatError{File: k.file, Item: item, Offset: -1, Msg: fmt.Sprintf(format, args...)}
}

// read finds out which form the file has.
func (k *kerasReader) read(r io.ReaderAt, size int64) error {
	f, err := hdf5.Open(r, size)
	if err != nil {
		return err
	}
	root, err := f.Root()
	if err != nil {
		return err
	}
	top := root
	if whole, err := root.Find("model_weights"); err != nil {
		return err
	} else if whole != nil {
		top = whole
	}
	layers, listed, err := k.list(top, "layer_names")
	if err != nil {
		return err
	}
	if listed {
		for _, o := range []*hdf5.Object{top, root} {
			if err := k.describe(o); err != nil {
				return err
			}
		}
		return k.legacy(top, layers)
	}
	config, err := parseKerasConfig(k.keras.Config)
	if err != nil {
		return k.broken("config.json", "%v", err)
	}
	found, err := k.groups(root)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &UnsupportedError{File: k.file, Offset: -1,
			Msg: "HDF5, but not as Keras writes weights: has neither an attribute layer_names nor a group vars; " +
				"in Python: model.save_weights(\"model.weights.h5\")"}
	}
	return k.modern(found, config)
}

// describe takes what attributes say of the model.
func (k *kerasReader) describe(o *hdf5.Object) error {
	for name, to := range map[string]*string{"keras_version": &k.keras.Version, "backend": &k.keras.Backend} {
		s, err := text(o, name)
		if err != nil {
			return err
		}
		if s != "" {
			*to = s
		}
	}
	s, err := text(o, "model_config")
	if s != "" {
		k.keras.Config = []byte(s)
	}
	return err
}

// text is an attribute of one string, "" where there is none.
func text(o *hdf5.Object, name string) (string, error) {
	a, err := o.Attribute(name)
	if a == nil {
		return "", err
	}
	list, err := a.Strings()
	if len(list) != 1 {
		return "", err
	}
	return list[0], err
}

// once is an error for a group that has another name too: a few groups could else be any number of layers.
func (k *kerasReader) once(o *hdf5.Object) error {
	if k.seen[o] {
		return k.broken(o.Path(), "HDF5: group has two names")
	}
	k.seen[o] = true
	return nil
}

// list reads an attribute of strings, or name0, name1 and so on, in which Keras puts what is too long for one.
func (k *kerasReader) list(o *hdf5.Object, name string) (all []string, ok bool, err error) {
	a, err := o.Attribute(name)
	if err != nil {
		return nil, false, err
	}
	if a != nil {
		all, err = a.Strings()
		return all, true, err
	}
	for i := range maxKerasParts {
		a, err := o.Attribute(fmt.Sprint(name, i))
		if err != nil || a == nil {
			return all, i > 0, err
		}
		part, err := a.Strings()
		if err != nil {
			return nil, false, err
		}
		all = append(all, part...)
	}
	return nil, false, k.broken(o.Path(), "%s in more than %d parts", name, maxKerasParts)
}

// distinct is an error for names that come twice or are too long: references to one name take less of a file than names.
func (k *kerasReader) distinct(item, list string, names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] || len(name) > maxKerasName {
			return k.broken(item, "%s has %s twice, or it is longer than %d bytes", list, clip(name), maxKerasName)
		}
		seen[name] = true
	}
	return nil
}

// legacy reads the layers of the older form. Groups of layers that are not in the list come after those that are.
func (k *kerasReader) legacy(top *hdf5.Object, layers []string) error {
	if err := k.distinct(top.Path(), "layer_names", layers); err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, layer := range layers {
		listed[layer] = true
	}
	groups, err := top.Names()
	if err != nil {
		return err
	}
	for _, name := range groups {
		if !listed[name] {
			layers = append(layers, name)
		}
	}
	given := nameLayers(layers)
	for _, layer := range layers {
		o, err := top.Find(layer)
		if err != nil {
			return err
		}
		var weights []string
		if o != nil {
			if err := k.once(o); err != nil {
				return err
			}
			if weights, _, err = k.list(o, "weight_names"); err != nil {
				return err
			}
			if err := k.distinct(layer, "weight_names", weights); err != nil {
				return err
			}
		}
		if len(weights) == 0 && !listed[layer] {
			continue // a group in which others are
		}
		out := KerasLayer{Name: given.of(layer)}
		names := legacyNames(layer, out.Name, weights)
		for i, weight := range weights {
			if randomState(weight) {
				continue
			}
			d, err := o.Find(weight)
			if err != nil {
				return err
			}
			if d == nil {
				return k.broken(layer, "weight_names has %s, which is not there", clip(weight))
			}
			if err := k.tensor(&out, names[i], d); err != nil {
				return err
			}
		}
		k.keras.Layers = append(k.keras.Layers, out)
	}
	return nil
}

// tensor takes a dataset as a layer's tensor.
func (k *kerasReader) tensor(layer *KerasLayer, name string, o *hdf5.Object) error {
	if !utf8.ValidString(name) || len(name) > maxKerasName {
		return k.broken(name, "name is not UTF-8, or longer than %d bytes", maxKerasName)
	}
	d, err := o.Dataset()
	if err != nil {
		return err
	}
	kind := kerasDtype(d.Type)
	if d.Type.Kind == hdf5.Opaque && d.Type.Bytes == 2 {
		said, err := text(o, "dtype")
		if err != nil {
			return err
		}
		if said == "bfloat16" {
			kind = BF16
		}
	}
	if kind == "" {
		k.section.others[name] = "of type " + d.Type.String()
		return nil
	}
	e := entry{Tensor: Tensor{Name: name, Shape: d.Shape, Dtype: kind}, offset: -1}
	if at, ok := d.Run(); ok && !d.Type.BigEndian {
		e.offset = k.base + at
	} else {
		e.unpack = func(dst []float32) error {
			b, err := d.Bytes()
			if err != nil {
				return k.located(err)
			}
			Decode(dst, kind, b)
			return nil
		}
	}
	k.section.entries = append(k.section.entries, e)
	layer.Tensors = append(layer.Tensors, name)
	return nil
}

// kerasDtype is the element type of a type of HDF5, "" for one that is no number.
func kerasDtype(t hdf5.Type) Dtype {
	bits := 8 * t.Bytes
	switch t.Kind {
	case hdf5.Float:
		return Dtype(fmt.Sprint("F", bits))
	case hdf5.BFloat16:
		return BF16
	case hdf5.Int:
		return Dtype(fmt.Sprint("I", bits))
	case hdf5.Uint:
		return Dtype(fmt.Sprint("U", bits))
	}
	return ""
}

// A varsGroup is the variables of a layer in Keras 3's form.
type varsGroup struct {
	path []string // of the group in which vars is
	name string   // the layer's
	vars *hdf5.Object
}

// groups finds every group of variables, those of the optimizer and of what draws random numbers left out.
func (k *kerasReader) groups(root *hdf5.Object) ([]varsGroup, error) {
	var found []varsGroup
	var walk func(o *hdf5.Object, path []string) error
	walk = func(o *hdf5.Object, path []string) error {
		if err := k.once(o); err != nil {
			return err
		}
		if len(path) > maxKerasDepth {
			return k.broken(o.Path(), "HDF5: group in more than %d others", maxKerasDepth)
		}
		names, err := o.Names()
		if err != nil {
			return err
		}
		slices.SortFunc(names, natural)
		for _, name := range names {
			if name != "vars" && (notWeights(name) || len(path) == 0 && aside(name)) {
				continue
			}
			below, err := o.Find(name)
			if err != nil {
				return err
			}
			switch {
			case !below.IsGroup():
			case name == "vars":
				if err := k.once(below); err != nil {
					return err
				}
				layer, err := text(below, "name")
				if err != nil {
					return err
				}
				found = append(found, varsGroup{path: slices.Clone(path), name: layer, vars: below})
			default:
				if err := walk(below, append(path, name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return found, walk(root, nil)
}

// modern reads the layers of Keras 3's form.
func (k *kerasReader) modern(found []varsGroup, config kerasConfig) error {
	config.name(found)
	var stored []string
	for _, g := range found {
		stored = append(stored, g.name)
	}
	given := nameLayers(stored)
	config.sort(found)
	for _, g := range found {
		names, err := g.vars.Names()
		if err != nil {
			return err
		}
		if len(names) == 0 && len(g.path) == 0 {
			continue // the model itself
		}
		slices.SortFunc(names, natural)
		layer := KerasLayer{Name: given.of(g.name)}
		parts := config.parts(g, len(names))
		for i, name := range names {
			d, err := g.vars.Open(name)
			if err != nil {
				return err
			}
			if err := k.tensor(&layer, layer.Name+"/"+parts[i], d); err != nil {
				return err
			}
		}
		k.keras.Layers = append(k.keras.Layers, layer)
	}
	return nil
}

// kerasWeights is the file of weights in a .keras archive.
const kerasWeights = "model.weights.h5"

// parseKerasZip reads a .keras archive.
func parseKerasZip(z *zipFile) (layout, error) {
	keras := &Keras{}
	var about []byte
	for _, text := range []struct {
		name string
		to   *[]byte
	}{{"config.json", &keras.Config}, {"metadata.json", &about}} {
		f := z.entries[text.name]
		if f == nil {
			continue
		}
		at, err := z.place(f)
		if err != nil {
			return layout{}, err
		}
		n := f.UncompressedSize64
		if n > maxKerasText {
			return layout{}, z.broken(text.name, "%d bytes, want at most %d", n, maxKerasText)
		}
		*text.to = make([]byte, n)
		if _, err := io.ReadFull(io.NewSectionReader(z.r, at, int64(n)), *text.to); err != nil {
			return layout{}, z.broken(text.name, "cannot be read: %v", err)
		}
	}
	if about != nil {
		var metadata struct {
			Version string `json:"keras_version"`
		}
		if err := json.Unmarshal(about, &metadata); err != nil {
			return layout{}, z.broken("metadata.json", "%v", err)
		}
		keras.Version = metadata.Version
	}
	f := z.entries[kerasWeights]
	at, err := z.place(f)
	if err != nil {
		return layout{}, err
	}
	size := int64(f.UncompressedSize64)
	return parseHDF5(z.name, io.NewSectionReader(z.r, at, size), size, at, keras)
}

// last is what follows a name's last slash.
func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
