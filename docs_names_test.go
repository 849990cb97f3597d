package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/cli"
	"zoobench/zoo"
)

// A tree is what documents name of this repository.
type tree struct {
	files    map[string]bool     // files and folders, by their path
	bases    map[string]bool     // the files' last names
	declared map[string]bool     // package.Name and package.Type.Member, of packages by their last name
	packages map[string]bool     // those last names
	tests    map[string][]string // functions of tests and benchmarks, by folder
	text     string              // where variables of the environment stand
}

// readTree reads the repository once.
func readTree(t *testing.T) *tree {
	t.Helper()
	r := &tree{files: map[string]bool{}, bases: map[string]bool{}, declared: map[string]bool{}, packages: map[string]bool{},
		tests: map[string][]string{}}
	var text strings.Builder
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() && (name == ".git" || name == "reports/out") {
			return fs.SkipDir
		}
		r.files[name], r.bases[path.Base(name)] = true, true
		if isGo := strings.HasSuffix(name, ".go"); isGo || name == "Makefile" || name == ".ci/run" {
			source, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text.Write(source)
			if isGo {
				return r.declarations(name, source)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.text = text.String()
	return r
}

// declarations adds what a file of Go declares.
func (r *tree) declarations(name string, source []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	pkg := strings.TrimSuffix(file.Name.Name, "_test")
	r.packages[pkg] = pkg != "main"
	add := func(names ...string) { r.declared[pkg+"."+strings.Join(names, ".")] = true }
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name.Name)
				if strings.HasSuffix(name, "_test.go") {
					r.tests[path.Dir(name)] = append(r.tests[path.Dir(name)], d.Name.Name)
				}
				continue
			}
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if id, ok := receiver.(*ast.Ident); ok {
				add(id.Name, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name.Name)
					for _, member := range memberNames(spec.Type) {
						add(spec.Name.Name, member)
					}
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						add(id.Name)
					}
				}
			}
		}
	}
	return nil
}

// memberNames are the names of a struct's fields or an interface's methods.
func memberNames(e ast.Expr) (names []string) {
	var fields *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		fields = e.Fields
	case *ast.InterfaceType:
		fields = e.Methods
	default:
		return nil
	}
	for _, f := range fields.List {
		for _, id := range f.Names {
			names = append(names, id.Name)
		}
	}
	return names
}

// written are names of what the program writes into a run's folder or the cache folder, or takes from there.
var written = []string{
	"results.jsonl", "config.json", "trials.jsonl", "samples/", "crashes/", "weights/", "data/", "index/",
	"weights/NETWORK.TAG.safetensors",
}

var (
	fence     = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$")
	indented  = regexp.MustCompile(`(?m)^    (\S.*)$`)
	span      = regexp.MustCompile("`([^`]+)`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	pathLike  = regexp.MustCompile(`^[\w.*-]*(/[\w.*-]*)+$|^[\w*-]+\.(go|md|yaml|yml|jsonl?|tsv|s|svg|png|mod|cff|sh)$`)
	nameLike  = regexp.MustCompile(`^([a-z][a-z0-9]*)\.\w+(\.\w+)?$`)
	testLike  = regexp.MustCompile(`^(Test|Benchmark|Fuzz|Example)[A-Z]\w*$`)
	variable  = regexp.MustCompile(`^\$?([A-Z]+_[A-Z_]+)(=\S*)?$`)
	aComment  = regexp.MustCompile(`\s+# .*$`)
	notInName = regexp.MustCompile(`[^\w\- ]`)
)

// TestDocumentNames holds what documents name in code to being there: files and folders, package.Name and
// package.Type.Member, tests, variables of the environment and commands with their flags. Generated parts are the
// program's own.
func TestDocumentNames(t *testing.T) {
	r := readTree(t)
	for _, d := range documents(t) {
		prose := generated.ReplaceAllString(d.text, "")
		var commands []string
		for _, block := range []*regexp.Regexp{fence, indented} {
			for _, m := range block.FindAllStringSubmatch(prose, -1) {
				commands = append(commands, strings.Split(m[1], "\n")...)
			}
			prose = block.ReplaceAllString(prose, "")
		}
		for _, m := range span.FindAllStringSubmatch(prose, -1) {
			code := strings.Join(strings.Fields(m[1]), " ")
			if strings.Contains(code, " ") {
				commands = append(commands, code)
			} else if what := r.lacks(code); what != "" {
				t.Errorf("%s: `%s`: %s", d.path, code, what)
			}
		}
		for _, line := range commands {
			if what := r.wrong(t, strings.Fields(aComment.ReplaceAllString(line, ""))); what != "" {
				t.Errorf("%s: `%s`: %s", d.path, line, what)
			}
		}
	}
}

// lacks says what is not there of a word in code, "" where nothing is known to be missing.
func (r *tree) lacks(code string) string {
	if m := variable.FindStringSubmatch(code); m != nil && !strings.Contains(r.text, m[1]) {
		return "nobody reads this variable"
	}
	if testLike.MatchString(code) && !r.matches(".", true, "^"+code+"$") {
		return "no such test"
	}
	if m := nameLike.FindStringSubmatch(code); m != nil && r.packages[m[1]] && !pathLike.MatchString(code) && !r.declared[code] {
		return "not declared"
	}
	if !pathLike.MatchString(code) || slices.Contains(written, code) {
		return ""
	}
	if strings.Contains(code, "*") {
		for name := range r.files {
			if ok, _ := path.Match(code, name); ok {
				return ""
			}
			if ok, _ := path.Match(code, path.Base(name)); ok {
				return ""
			}
		}
	} else if r.files[path.Clean(code)] || r.bases[code] {
		return ""
	}
	return "no such file or folder"
}

// matches reports whether a folder, or one below it where all is set, has a test whose name the pattern matches.
func (r *tree) matches(folder string, all bool, pattern string) bool {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return false
	}
	for at, names := range r.tests {
		if at == folder || all && (folder == "." || strings.HasPrefix(at, folder+"/")) {
			if slices.ContainsFunc(names, re.MatchString) {
				return true
			}
		}
	}
	return false
}

// wrong says what is wrong with a command line, "" where nothing is known to be.
func (r *tree) wrong(t *testing.T, words []string) string {
	for len(words) > 0 && variable.MatchString(words[0]) {
		if what := r.lacks(words[0]); what != "" {
			return what
		}
		words = words[1:]
	}
	switch {
	case len(words) < 2:
		return ""
	case words[0] == "make":
		for _, target := range words[1:] {
			if !regexp.MustCompile(`(?m)^` + target + `:`).MatchString(r.text) {
				return "the Makefile has no " + target
			}
		}
	case words[0] == "go" && words[1] == "test":
		return r.wrongTest(words[2:])
	case path.Base(words[0]) == "zoobench":
		return wrongCommand(words[1:])
	case words[0] == "go" && words[1] == "run" && len(words) > 3 && words[2] == ".":
		return wrongCommand(words[3:])
	}
	return ""
}

// wrongTest says what go test would not find.
func (r *tree) wrongTest(words []string) string {
	folder, all := ".", false
	for i, word := range words {
		if dir, ok := strings.CutPrefix(word, "./"); ok {
			folder, all = strings.TrimSuffix(dir, "/..."), strings.HasSuffix(dir, "/...")
			if !r.files[folder] {
				return "no folder " + folder
			}
		}
		if (word == "-run" || word == "-bench") && i+1 < len(words) && !slices.Contains(words[i+1:], "-bench") {
			if pattern, _, _ := strings.Cut(strings.Trim(words[i+1], "'"), "/"); !r.matches(folder, all, pattern) {
				return "no test " + pattern + " in " + folder
			}
		}
	}
	return ""
}

// wrongCommand says what the program does not know of a command of its own.
func wrongCommand(words []string) string {
	var names []string
	help := ""
	for _, word := range words {
		var out, errs bytes.Buffer
		asked := append(slices.Clone(names), word)
		cli.Main(zoo.Default(), append(asked, "--help"), nil, &out, &errs)
		if !regexp.MustCompile(`(?m)^  zoobench ` + strings.Join(asked, " ") + `\b`).Match(out.Bytes()) {
			break
		}
		names, help = asked, out.String()
	}
	if len(names) == 0 {
		return "no such command"
	}
	for _, word := range words {
		if flag, _, _ := strings.Cut(word, "="); strings.HasPrefix(flag, "--") && !strings.Contains(help, " "+flag+" ") {
			return strings.Join(names, " ") + " has no " + flag
		}
	}
	return ""
}

// TestDocumentLinks holds links between documents to files and headings that are there.
func TestDocumentLinks(t *testing.T) {
	for _, d := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(d.text, -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") {
				continue
			}
			name := d.path
			if file != "" {
				name = path.Join(path.Dir(d.path), file)
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Errorf("%s: link %s: %v", d.path, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(string(text)), anchor) {
				t.Errorf("%s: link %s: no such heading", d.path, m[1])
			}
		}
	}
}

// anchors are what headings are called in links.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(notInName.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}
