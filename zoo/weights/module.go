package weights

import "strings"

// The bounds of a module's names: modules inside each other, bytes of a name, and names and modules
// of a file.
const (
	maxModuleDepth = 100
	maxModuleName  = 1024
	maxModuleNames = 1 << 17
)

// contents is what a value holds by name, nil where it holds nothing. A pickled module, of PyTorch or of TorchScript,
// gives its state dict, whole: there is nothing more to look for inside. budget bounds the names of all modules of a file,
// since a pickle can hold one module in many places.
func contents(v any, budget *int) (d *dict, whole bool) {
	switch v := v.(type) {
	case *dict:
		return v, false
	case *inert:
		m := module{out: &dict{}, budget: budget}
		switch {
		case v.entries.items["_parameters"] != nil && v.entries.items["_modules"] != nil:
			m.eager("", v, 0)
			return m.out, true
		case strings.HasPrefix(v.class, "__torch__."):
			m.script("", v, 0)
			return m.out, true
		}
		return &v.entries, false
	}
	return nil, false
}

// A module lists the tensors of a pickled module under the names of its state dict.
type module struct {
	out    *dict
	budget *int
}

// enter reports whether there is room for one more name or module.
func (m *module) enter(name string, depth int) bool {
	*m.budget--
	return *m.budget >= 0 && depth <= maxModuleDepth && len(name) <= maxModuleName
}

// eager lists torch.nn.Module's attributes: its parameters, its buffers but those that it does not save, and the modules
// inside. A missing bias is None.
func (m *module) eager(name string, v *inert, depth int) {
	if !m.enter(name, depth) {
		return
	}
	unsaved, _ := v.entries.items["_non_persistent_buffers_set"].(*inert)
	for _, group := range []string{"_parameters", "_buffers"} {
		d, ok := v.entries.items[group].(*dict)
		if !ok {
			continue
		}
		for _, key := range d.names {
			item := d.items[key]
			if item == nil || group == "_buffers" && unsaved != nil && unsaved.entries.items[key] == true {
				continue
			}
			if m.enter(name+key, depth) {
				m.out.set(name+key, item)
			}
		}
	}
	inner, ok := v.entries.items["_modules"].(*dict)
	if !ok {
		return
	}
	for _, key := range inner.names {
		if child, ok := inner.items[key].(*inert); ok {
			m.eager(name+key+".", child, depth+1)
		}
	}
}

// script lists a TorchScript object's attributes: tensors, and the modules inside.
func (m *module) script(name string, v *inert, depth int) {
	if !m.enter(name, depth) {
		return
	}
	for _, key := range v.entries.names {
		switch item := v.entries.items[key].(type) {
		case *tensor:
			if m.enter(name+key, depth) {
				m.out.set(name+key, item)
			}
		case *inert:
			if strings.HasPrefix(item.class, "__torch__.") {
				m.script(name+key+".", item, depth+1)
			}
		}
	}
}
