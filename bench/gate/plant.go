package gate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// A Plant is a slow-down of known size for the gate to find: a method that, each time it is called, keeps the processor
// busy for a share of the time that it took.
type Plant struct {
	Method string // as Type.Method
	Share  float64
}

// plantSource is a file of the package that holds the method.
const plantSource = `package %s

import "time"

// plantedDelay waits, as work would, until the time since start is longer by a share.
func plantedDelay(start time.Time) {
	for until := time.Duration(%g * float64(time.Since(start))); time.Since(start) < until; {
	}
}

func plantedClock() time.Time { return time.Now() }
`

// in changes the package in dir: the method's body begins with the delay, deferred, and a file is added.
func (p Plant) in(dir string) error {
	receiver, method, ok := strings.Cut(p.Method, ".")
	if !ok || p.Share <= 0 {
		return fmt.Errorf("gate: plant %s by %v: want Type.Method and more than 0", p.Method, p.Share)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return fmt.Errorf("gate: plant: %w", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("gate: plant: %w", err)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("gate: plant: %w", err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Name.Name != method || f.Body == nil || receiverType(f) != receiver {
				continue
			}
			at := set.Position(f.Body.Lbrace).Offset + 1
			changed := string(text[:at]) + " defer plantedDelay(plantedClock()); " + string(text[at:])
			if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
				return fmt.Errorf("gate: plant: %w", err)
			}
			source := fmt.Sprintf(plantSource, file.Name.Name, 1+p.Share)
			if err := os.WriteFile(filepath.Join(dir, "planted_delay.go"), []byte(source), 0o666); err != nil {
				return fmt.Errorf("gate: plant: %w", err)
			}
			return nil
		}
	}
	return fmt.Errorf("gate: plant: no method %s in package %s", p.Method, filepath.Base(dir))
}

// receiverType is the name of a method's type, "" of a function.
func receiverType(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
