package p2pfaas_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/p2pfaas/p2pfaas"

// arrows says which top-level folders each one may import; nil is all of them.
var arrows = map[string][]string{
	".":        {},
	"socket":   {"socket"},
	"faas":     {"faas", "socket"},
	"sched":    {"sched"},
	"protocol": {"protocol", "socket"},
	"rl":       {"rl", "sched"},
	"node":     {"node", "protocol", "sched", "faas", "socket"},
	"cmd":      nil,
	"examples": nil,
}

// impure are the imports that a policy, which is data in and data out, does
// without.
var impure = []string{"net", "os", "syscall", "io/ioutil", "log", "math/rand"}

// clock are the functions of package time that read the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestArrows(t *testing.T) {
	for name, file := range goFiles(t) {
		for _, breach := range breaches(name, file) {
			t.Errorf("%s: %s", name, breach)
		}
	}
}

func TestBreaches(t *testing.T) {
	cases := []struct {
		name, file, source string
		want               []string
	}{
		{"leaf imports leaf", "faas/x.go", `import "` + module + `/sched"`, []string{"faas must not import sched"}},
		{"leaf imports node", "protocol/load/x.go", `import "` + module + `/node/mesh"`, []string{"protocol must not import node"}},
		{"in a test too", "sched/x_test.go", `import "` + module + `/faas"`, []string{"sched must not import faas"}},
		{"node imports rl", "node/x.go", `import "` + module + `/rl"`, []string{"node must not import rl"}},
		{"node imports cmd", "node/x.go", `import "` + module + `/cmd/x"`, []string{"node must not import cmd"}},
		{"node imports leaves", "node/gateway/x.go", `import ("` + module + `/sched"; "` + module + `/faas/api"; "os")`, nil},
		{"rl imports sched", "rl/x.go", `import "` + module + `/sched"`, nil},
		{"cmd imports all", "cmd/x/x.go", `import ("` + module + `/rl"; "` + module + `/node")`, nil},
		{"policy on the network", "sched/x.go", `import "net/http"`, []string{"sched must not import net/http"}},
		{"policy reads files", "rl/x.go", `import "os"`, []string{"rl must not import os"}},
		{"policy reads files in a test", "rl/x_test.go", `import "os"`, nil},
		{"policy with a host", "sched/x.go", `import "github.com/libp2p/go-libp2p/core/host"`, []string{"sched must not import github.com/libp2p/go-libp2p/core/host"}},
		{"policy with peer IDs", "sched/x.go", `import "github.com/libp2p/go-libp2p/core/peer"`, nil},
		{"policy reads the clock", "rl/x.go", `import t "time"; var now = t.Now()`, []string{"rl must not use time.Now"}},
		{"policy has durations", "rl/x.go", `import "time"; var d = 2 * time.Second`, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x;"+c.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, breaches(c.file, file)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// breaches are the arrows that a file, by its path in the module, breaks.
func breaches(name string, file *ast.File) []string {
	var found []string
	from := topFolder(path.Dir(name))
	pure := (from == "sched" || from == "rl") && !strings.HasSuffix(name, "_test.go")
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		to, own := strings.CutPrefix(imported, module)
		switch to := topFolder(strings.TrimPrefix(to, "/")); {
		case own && arrows[from] != nil && !slices.Contains(arrows[from], to):
			found = append(found, fmt.Sprintf("%s must not import %s", from, to))
		case pure && !own && isImpure(imported):
			found = append(found, fmt.Sprintf("%s must not import %s", from, imported))
		}
	}
	if pure {
		for _, use := range clockUses(file) {
			found = append(found, fmt.Sprintf("%s must not use time.%s", from, use))
		}
	}
	return found
}

func topFolder(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	if top == "" {
		return "."
	}
	return top
}

func isImpure(imported string) bool {
	if strings.HasPrefix(imported, "github.com/libp2p/") {
		return imported != "github.com/libp2p/go-libp2p/core/peer"
	}
	return slices.ContainsFunc(impure, func(p string) bool {
		return imported == p || strings.HasPrefix(imported, p+"/") && p != "math/rand"
	})
}

func clockUses(file *ast.File) []string {
	name := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			name = "time"
			if spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	var uses []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(clock, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name {
				uses = append(uses, s.Sel.Name)
			}
		}
		return true
	})
	return uses
}

// TestHouse: a folder more at the top is a decision, not an accident.
func TestHouse(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if _, ok := arrows[name]; e.IsDir() && !ok && name != "bin" && !strings.HasPrefix(name, ".") {
			t.Errorf("top-level folder %s is not one of the house", name)
		}
	}
}

// TestPackageComments: each package says once what it is.
func TestPackageComments(t *testing.T) {
	comments := map[string][]string{} // by folder, the files that have one
	for name, file := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		dir := path.Dir(name)
		found := comments[dir]
		if file.Doc != nil {
			found = append(found, path.Base(name))
		}
		comments[dir] = found
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments, want 1: %v", dir, len(files), files)
		}
	}
}

// goFiles parses all Go files below this folder, by their path with slashes.
func goFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		files[filepath.ToSlash(name)] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d Go files only: the walk went wrong", len(files))
	}
	return files
}
