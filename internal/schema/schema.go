// Package schema describes Go types as JSON Schemas, and checks JSON against a schema.
//
// The contract: Of follows encoding/json. A field has its JSON name, a field of an embedded struct is a field of the whole,
// and a field that is always written is required; descriptions are the comments in the source. A type whose constants have
// names gets them as its only values. Check knows the part of JSON Schema that Of writes, and is stricter in one point: a
// name that the schema does not have is a fault, although the schema allows it, because later versions add columns.
//
// It is for tests and imports nothing of this module: which types and which JSON is left to them.
package schema

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Schema is a JSON Schema, or a part of one.
type Schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"` // a name, or a list of them
	Format      string             `json:"format,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  Properties         `json:"properties,omitempty"`
	Values      *Schema            `json:"additionalProperties,omitempty"` // of an object whose names are free
	Defs        map[string]*Schema `json:"$defs,omitempty"`
}

// Properties are named parts of an object, in the order of their fields.
type Properties []Property

// A Property is one of them.
type Property struct {
	Name string
	*Schema
}

// MarshalJSON writes an object.
func (p Properties) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for i, property := range p {
		name, err := json.Marshal(property.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(property.Schema)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, name...), ':'), value...)
	}
	return append(text, '}'), nil
}

// get is the part of this name, nil where there is none.
func (p Properties) get(name string) *Schema {
	for _, property := range p {
		if property.Name == name {
			return property.Schema
		}
	}
	return nil
}

// Of describes T, a struct. Sources is the pattern of the files that declare it and its parts.
func Of[T any](title, sources string) (*Schema, error) {
	g := &generator{comments: map[string]string{}, constants: map[string][]string{}, defs: map[string]*Schema{}}
	if err := g.read(sources); err != nil {
		return nil, err
	}
	s := g.object(reflect.TypeFor[T]())
	s.Dialect, s.Title, s.Defs = "https://json-schema.org/draft/2020-12/schema", title, g.defs
	return s, nil
}

type generator struct {
	comments  map[string]string   // of Type and Type.Field
	constants map[string][]string // texts of a type's constants
	defs      map[string]*Schema
}

// read collects comments and constants.
func (g *generator) read(sources string) error {
	files, err := filepath.Glob(sources)
	if err != nil {
		return err
	}
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				g.declared(d)
			}
		}
	}
	return nil
}

func (g *generator) declared(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := spec.Name.Name
			g.comments[name] = sentence(spec.Doc, d.Doc, spec.Comment)
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, id := range f.Names {
						g.comments[name+"."+id.Name] = sentence(f.Doc, f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			id, typed := spec.Type.(*ast.Ident)
			if d.Tok != token.CONST || !typed || len(spec.Values) != 1 {
				continue
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					g.constants[id.Name] = append(g.constants[id.Name], text)
				}
			}
		}
	}
}

// sentence is the first comment that there is, in one line.
func sentence(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if text := strings.Join(strings.Fields(c.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// object describes a struct.
func (g *generator) object(t reflect.Type) *Schema {
	s := &Schema{Type: "object", Description: g.comments[t.Name()]}
	g.fields(s, t, true)
	return s
}

// fields adds a struct's fields to an object. Those of a struct that may be missing are never required.
func (g *generator) fields(s *Schema, t reflect.Type, present bool) {
	for f := range each(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner, isPointer := f.Type, f.Type.Kind() == reflect.Pointer
		if isPointer {
			inner = f.Type.Elem()
		}
		if f.Anonymous && name == "" && inner.Kind() == reflect.Struct {
			g.fields(s, inner, present && !isPointer)
			continue
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		optional := strings.Contains(options, "omit")
		part := g.value(inner, optional)
		if text := g.comments[t.Name()+"."+f.Name]; text != "" {
			part.Description = text
			if rest, ok := strings.CutPrefix(text, f.Name+" "); ok {
				part.Description = name + " " + rest
			}
		}
		s.Properties = append(s.Properties, Property{name, part})
		if present && !optional {
			s.Required = append(s.Required, name)
		}
	}
}

// each are a struct's fields.
func each(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// value describes a field's type. A list that is written although it is empty can be null.
func (g *generator) value(t reflect.Type, optional bool) *Schema {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &Schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[time.Duration]():
		return &Schema{Type: "integer"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.String:
		return &Schema{Type: "string", Enum: g.constants[t.Name()]}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		s := &Schema{Type: "array", Items: g.value(t.Elem(), true)}
		if t.Kind() == reflect.Array {
			s.MinItems, s.MaxItems = t.Len(), t.Len()
		} else if !optional {
			s.Type = []string{"array", "null"}
		}
		return s
	case reflect.Map:
		return &Schema{Type: "object", Values: g.value(t.Elem(), true)}
	case reflect.Struct:
		name := strings.ToLower(t.Name())
		if g.defs[name] == nil {
			g.defs[name] = &Schema{} // of a type within itself
			g.defs[name] = g.object(t)
		}
		return &Schema{Ref: "#/$defs/" + name}
	}
	if t.Kind() < reflect.Int || t.Kind() > reflect.Uint64 {
		panic("schema: no description for " + t.String())
	}
	return &Schema{Type: "integer"}
}

// Check says what of a JSON text is not as the schema has it, nil where all is.
func (s *Schema) Check(text []byte) (faults []string) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return []string{err.Error()}
	}
	return s.check(s, value, "")
}

// check adds the path to what is wrong with a value. Root has the definitions.
func (s *Schema) check(root *Schema, value any, path string) (faults []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name].check(root, value, path)
	}
	fault := func(format string, args ...any) {
		faults = append(faults, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
	}
	if !s.allows(value) {
		fault("have %v, want %v", value, s.Type)
		return faults
	}
	switch value := value.(type) {
	case string:
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
			fault("have %q, want one of %q", value, s.Enum)
		}
		if _, err := time.Parse(time.RFC3339Nano, value); s.Format == "date-time" && err != nil {
			fault("%v", err)
		}
	case []any:
		if s.MaxItems > 0 && (len(value) < s.MinItems || len(value) > s.MaxItems) {
			fault("have %d items, want %d to %d", len(value), s.MinItems, s.MaxItems)
		}
		for i, item := range value {
			faults = append(faults, s.Items.check(root, item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := value[name]; !ok {
				fault("no %q", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			part := s.Properties.get(name)
			if part == nil {
				part = s.Values
			}
			if part == nil {
				fault("unknown name %q", name)
				continue
			}
			faults = append(faults, part.check(root, value[name], path+"."+name)...)
		}
	}
	return faults
}

// allows reports whether a value is of the schema's type, or of one of its types.
func (s *Schema) allows(value any) bool {
	types, isList := s.Type.([]string)
	if !isList {
		types = []string{s.Type.(string)}
	}
	return slices.ContainsFunc(types, func(name string) bool {
		switch v := value.(type) {
		case nil:
			return name == "null"
		case bool:
			return name == "boolean"
		case string:
			return name == "string"
		case float64:
			return name == "number" || name == "integer" && v == math.Trunc(v)
		case []any:
			return name == "array"
		}
		return name == "object"
	})
}
