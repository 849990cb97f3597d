package experiment

import (
	"encoding/json"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"zoobench/internal/recipe"
)

// A jsonSchema is the part of a JSON Schema that schema.json uses.
type jsonSchema struct {
	Required   []string              `json:"required"`
	Properties map[string]jsonSchema `json:"properties"`
	Defs       map[string]jsonSchema `json:"$defs"`
	Items      *jsonSchema           `json:"items"`
	Enum       []string              `json:"enum"`
	Pattern    string                `json:"pattern"`
	Maximum    float64               `json:"maximum"`
	Extra      *bool                 `json:"additionalProperties"`
}

func readSchema(t *testing.T) jsonSchema {
	t.Helper()
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s jsonSchema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// parserKeys finds the keys that the parser knows, and whether each is required, by the name of their mapping: they
// stand in its source as the last argument of calls of mapping, some of them by way of functions that return keys.
func parserKeys(t *testing.T) map[string]map[string]bool {
	t.Helper()
	lists := map[string]ast.Expr{} // what functions return
	var calls []*ast.CallExpr
	alone := []string{"ParseRecipe", "recipe"} // these read the file of a recipe alone, which has no schema
	for _, name := range []string{"parse.go", "recipe.go", "train.go"} {
		file, err := goparser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var inside string
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				inside = n.Name.Name
			case *ast.ReturnStmt:
				if len(n.Results) == 1 && isKeys(n.Results[0]) {
					lists[inside] = n.Results[0]
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 3 && f.Sel.Name == "mapping" && !slices.Contains(alone, inside) {
					calls = append(calls, n)
				}
			}
			return true
		})
	}
	all := map[string]map[string]bool{}
	for _, call := range calls {
		keys := map[string]bool{}
		addKeys(t, keys, call.Args[2], lists)
		all[text(t, call.Args[1])] = keys
	}
	return all
}

func isKeys(e ast.Expr) bool {
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	of, ok := list.Type.(*ast.ArrayType)
	if !ok {
		return false
	}
	name, ok := of.Elt.(*ast.Ident)
	return ok && name.Name == "key"
}

// addKeys adds the keys of a list: those that are written out, and those that functions return or make of a name.
func addKeys(t *testing.T, keys map[string]bool, e ast.Expr, lists map[string]ast.Expr) {
	t.Helper()
	if isKeys(e) {
		for _, e := range e.(*ast.CompositeLit).Elts {
			if call, ok := e.(*ast.CallExpr); ok { // share and amount, which are not required
				keys[text(t, call.Args[0])] = false
				continue
			}
			fields := e.(*ast.CompositeLit).Elts
			keys[text(t, fields[0])] = fields[1].(*ast.Ident).Name == "true"
		}
		return
	}
	call := e.(*ast.CallExpr)
	name := call.Fun.(*ast.SelectorExpr).Sel.Name
	if name != "Concat" {
		addKeys(t, keys, lists[name], lists)
		return
	}
	for _, list := range call.Args {
		addKeys(t, keys, list, lists)
	}
}

func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaKeys holds the schema that editors use to the keys that the parser takes.
func TestSchemaKeys(t *testing.T) {
	s := readSchema(t)
	have := map[string]jsonSchema{"file": s}
	for name, d := range s.Defs {
		if d.Properties != nil {
			have[name] = d
		}
	}
	want := parserKeys(t)
	if a, b := slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
		t.Fatalf("mappings of the schema: have %q, the parser has %q", a, b)
	}
	for name, keys := range want {
		d := have[name]
		if a, b := slices.Sorted(maps.Keys(d.Properties)), slices.Sorted(maps.Keys(keys)); !slices.Equal(a, b) {
			t.Errorf("%s: the schema has the keys %q, the parser %q", name, a, b)
		}
		var required []string
		for key, r := range keys {
			if r {
				required = append(required, key)
			}
		}
		if a, b := slices.Sorted(slices.Values(d.Required)), slices.Sorted(slices.Values(required)); !slices.Equal(a, b) {
			t.Errorf("%s: the schema requires %q, the parser %q", name, a, b)
		}
		if d.Extra == nil || *d.Extra {
			t.Errorf("%s: the schema takes keys that the parser does not know", name)
		}
	}
}

// TestSchemaValues holds the schema's words, limits and patterns to the parser's.
func TestSchemaValues(t *testing.T) {
	s := readSchema(t)
	e, l, a := s.Defs["experiment"].Properties, s.Defs["latency"].Properties, s.Defs["accuracy"].Properties
	r := s.Defs["train"].Properties
	if have, want := e["scenario"].Items.Enum, scenarioNames(); !slices.Equal(have, want) {
		t.Errorf("scenarios: have %q, want %q", have, want)
	}
	for _, c := range []struct {
		name string
		have float64
		want float64
	}{
		{"threads", e["threads"].Items.Maximum, maxThreads}, {"batch", e["batch"].Items.Maximum, maxBatch},
		{"img_size", e["img_size"].Items.Maximum, maxImgSize},
		{"min_samples", l["min_samples"].Maximum, maxSamples}, {"streams", l["streams"].Maximum, maxBatch}, {"rate", l["rate"].Maximum, maxRate},
		{"limit", a["limit"].Maximum, maxSamples}, {"accuracy's threads", a["threads"].Maximum, maxThreads},
		{"accuracy's batch", a["batch"].Maximum, maxBatch}, {"train's threads", r["threads"].Maximum, maxThreads},
		{"epochs", r["epochs"].Maximum, recipe.MaxEpochs}, {"train's batch", r["batch"].Maximum, recipe.MaxBatch},
		{"calibration's images", s.Defs["calibration"].Properties["images"].Maximum, maxCalibration},
		{"clip", r["clip"].Maximum, maxNumber}, {"pad", s.Defs["augment"].Properties["pad"].Maximum, maxImgSize},
	} {
		if c.have != c.want {
			t.Errorf("%s: the schema allows %v, the parser %v", c.name, c.have, c.want)
		}
	}
	price := regexp.MustCompile(e["price"].Pattern)
	for _, text := range []string{"0.04/h", ".5/h", "3/h", "3", "/h", "-3/h", "1e3/h", "0.04 /h", "0x1/h", "3/d"} {
		_, err := ParsePrice(text)
		if have, want := price.MatchString(text), err == nil; have != want {
			t.Errorf("price %q: the schema says %v, the parser %v (%v)", text, have, want, err)
		}
	}
	duration, size := regexp.MustCompile(s.Defs["duration"].Pattern), regexp.MustCompile(s.Defs["size"].Pattern)
	for _, text := range []string{"3s", "250ms", "1m30s", "1.5h", ".5s", "3", "s", "-3s", "3 s", "", "3sec"} {
		_, err := parseDuration(text)
		if have, want := duration.MatchString(text), err == nil; have != want {
			t.Errorf("duration %q: the schema says %v, the parser %v (%v)", text, have, want, err)
		}
	}
	for _, text := range []string{"512MiB", "1.5GiB", "64kB", "64KB", "16 MiB", "12B", "12", "MiB", "-1MiB", "1e3MiB", "1TiB"} {
		_, err := ParseSize(text)
		if have, want := size.MatchString(text), err == nil; have != want {
			t.Errorf("size %q: the schema says %v, the parser %v (%v)", text, have, want, err)
		}
	}
}
