package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/bench/cli"
	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/zoo"
)

func load(t *testing.T) *experiment.File {
	t.Helper()
	file, err := experiment.Load("experiments.yaml", runner.Known(zoo.Default()))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// pairs compares three of Keras's networks with their relatives.
func pairs(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for _, pair := range [][2]string{
		{"densenet121", "keras_densenet121"}, {"inception_v3", "keras_inceptionv3"}, {"resnet50", "keras_resnet50"},
	} {
		var out, errs bytes.Buffer
		if code := cli.Main(zoo.Default(), []string{"show", "--diff", pair[0], pair[1]}, nil, &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		for line := range strings.Lines(out.String()) {
			text.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
		}
		text.WriteString("\n")
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// commands lists the commands as the program's help does.
func commands(t *testing.T) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main(zoo.Default(), []string{"--help"}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	_, list, _ := strings.Cut(out.String(), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	var b strings.Builder
	b.WriteString("| command | |\n|---|---|\n")
	for line := range strings.Lines(list) {
		name, short, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "help" {
			fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.TrimSpace(short))
		}
	}
	return b.String()
}

// networks lists the zoo by family.
func networks() string {
	var families []string
	of := map[string][]*zoo.Spec{}
	for _, s := range zoo.Default().All() {
		if len(of[s.Family]) == 0 {
			families = append(families, s.Family)
		}
		of[s.Family] = append(of[s.Family], s)
	}
	var b strings.Builder
	b.WriteString("| family | paper | parameters, M | MACs, G | networks |\n|---|---|---|---|---|\n")
	span := func(lo, hi int64, unit float64, format string) string {
		text, most := fmt.Sprintf(format, float64(lo)/unit), fmt.Sprintf(format, float64(hi)/unit)
		if most != text {
			text += " to " + most
		}
		return text
	}
	for _, f := range families {
		all := of[f]
		var names, papers []string
		params, macs := [2]int64{all[0].Params, all[0].Params}, [2]int64{all[0].MACs, all[0].MACs}
		for _, s := range all {
			names = append(names, s.Name)
			if !slices.Contains(papers, s.Paper) {
				papers = append(papers, s.Paper)
			}
			params = [2]int64{min(params[0], s.Params), max(params[1], s.Params)}
			macs = [2]int64{min(macs[0], s.MACs), max(macs[1], s.MACs)}
		}
		years := strconv.Itoa(all[0].Year)
		if last := all[len(all)-1].Year; last != all[0].Year {
			years += fmt.Sprintf(" to %d", last)
		}
		fmt.Fprintf(&b, "| %s, %s | %s | %s | %s | %s |\n", f, years, strings.Join(papers, ", "),
			span(params[0], params[1], 1e6, "%.1f"), span(macs[0], macs[1], 1e9, "%.2f"), strings.Join(names, ", "))
	}
	return b.String()
}

// experiments lists the experiments of experiments.yaml with their questions.
func experiments(t *testing.T) string {
	t.Helper()
	file := load(t)
	var b strings.Builder
	b.WriteString("| experiment | question | jobs |\n|---|---|---|\n")
	for _, e := range file.Experiments {
		jobs, err := file.Jobs(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %d |\n", e.Name, e.Question, len(jobs))
	}
	return b.String()
}

// A schema is the part of a JSON Schema that experiments.yaml's uses.
type schema struct {
	Description string          `json:"description"`
	Type        string          `json:"type"`
	Ref         string          `json:"$ref"`
	Required    []string        `json:"required"`
	Properties  json.RawMessage `json:"properties"`
	Defs        json.RawMessage `json:"$defs"`
	Items       *schema         `json:"items"`
	Enum        []string        `json:"enum"`
	OneOf       []schema        `json:"oneOf"`
	Minimum     *float64        `json:"minimum"`
	Maximum     *float64        `json:"maximum"`
}

// members are the members of a JSON object, in the order in which they stand.
func members(t *testing.T, object json.RawMessage) (names []string, values map[string]schema) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	values = map[string]schema{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var s schema
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		values[name.(string)] = s
	}
	return names, values
}

// value says what a key takes.
func (s *schema) value() string {
	switch {
	case s.Type == "array" && s.Items != nil:
		return "list: " + s.Items.value()
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, "#/$defs/")
	case len(s.OneOf) == 2:
		return s.OneOf[1].value() + ", may be empty"
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, ", ")
	case s.Type == "boolean":
		return "true or false"
	case s.Type == "string":
		return "text"
	case s.Maximum != nil && s.Minimum != nil:
		return fmt.Sprintf("%v to %v", int64(*s.Minimum), int64(*s.Maximum))
	case s.Maximum != nil:
		return "over 0, to " + strconv.FormatFloat(*s.Maximum, 'f', -1, 64)
	case s.Minimum != nil:
		return fmt.Sprintf("%v or more", int64(*s.Minimum))
	}
	return s.Type
}

// keys lists the keys of experiments.yaml as its schema describes them.
func keys(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("bench/experiment/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var file schema
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| key | value | |\n|---|---|---|\n")
	row := func(name string, s schema, required []string) {
		if s.Description == "" {
			t.Errorf("bench/experiment/schema.json: %s has no description", name)
		}
		what := s.Description
		if slices.Contains(required, name[strings.LastIndex(name, ".")+1:]) {
			what += " Required."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, s.value(), what)
	}
	list := func(prefix string, object schema) {
		names, values := members(t, object.Properties)
		for _, name := range names {
			if strings.Contains(values[name].Ref, "/properties/") {
				continue // described where it refers to
			}
			row(prefix+name, values[name], object.Required)
		}
	}
	list("", file)
	names, defs := members(t, file.Defs)
	for _, name := range names {
		if defs[name].Properties != nil {
			list(name+".", defs[name])
		}
	}
	fmt.Fprintln(&b)
	for _, name := range names {
		if d := defs[name]; d.Properties == nil {
			fmt.Fprintf(&b, "- A **%s**: %s\n", name, d.Description)
		}
	}
	return b.String()
}

// rooms lists the packages that have a floor, each with what its comment begins with and whom it may import.
func rooms(t *testing.T) string {
	t.Helper()
	allowed := rules(t)
	var b strings.Builder
	b.WriteString("| package | what it is for | may import |\n|---|---|---|\n")
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		what := purpose(t, pkg)
		if what == "" {
			t.Errorf("%s: no package comment", pkg)
		}
		var own []string
		for _, imported := range allowed[pkg] {
			if _, isOwn := allowed[imported]; isOwn {
				own = append(own, "`"+imported+"`")
			}
		}
		slices.Sort(own)
		if pkg == "." {
			pkg = "main.go"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", pkg, what, strings.Join(own, ", "))
	}
	return b.String()
}

// purpose is the first sentence of a package's comment, less the package's name, or what of it stands before a colon and
// says enough.
func purpose(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if text := file.Doc.Text(); text != "" && !strings.HasSuffix(name, "_test.go") {
			sentence := new(doc.Package).Synopsis(text)
			for _, begin := range []string{"Package " + file.Name.Name + " is ", "Package " + file.Name.Name + " ", "Command zoobench "} {
				sentence = strings.TrimPrefix(sentence, begin)
			}
			if head, _, ok := strings.Cut(sentence, ": "); ok && len(head) > 20 {
				sentence = head
			}
			return strings.TrimSuffix(strings.ReplaceAll(sentence, "|", "\\|"), ".")
		}
	}
	return ""
}
