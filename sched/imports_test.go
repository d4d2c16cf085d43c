package sched_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLeaf holds that no policy can do I/O, read a clock, start a goroutine or
// use a chance that is not the view's.
func TestLeaf(t *testing.T) {
	var files int
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, breach := range breaches(file, filepath.Dir(path)) {
			t.Errorf("%s: %s", path, breach)
		}
		return nil
	})
	if err != nil || files < 5 {
		t.Fatalf("walked %d files: %v", files, err)
	}
}

func TestLeafFindsBreaches(t *testing.T) {
	cases := []struct{ name, source, want string }{
		{"network", `import "net/http"`, "imports net/http"},
		{"files", `import "os"`, "imports os"},
		{"log", `import "log/slog"`, "imports log/slog"},
		{"old random", `import "math/rand"`, "imports math/rand"},
		{"libp2p", `import "github.com/libp2p/go-libp2p/core/host"`, "imports github.com/libp2p/go-libp2p/core/host"},
		{"own node", `import "github.com/p2pfaas/p2pfaas/node"`, "imports github.com/p2pfaas/p2pfaas/node"},
		{"clock", `import "time"; var now = time.Now()`, "uses time.Now"},
		{"clock by another name", `import t "time"; func f() { t.Sleep(1) }`, "uses time.Sleep"},
		{"clock by no name", `import . "time"`, "imports time without a name"},
		{"global chance", `import "math/rand/v2"; var x = rand.IntN(3)`, "uses math/rand/v2.IntN"},
		{"goroutine", `func f() { go f() }`, "starts a goroutine"},
		{"nothing", `import ("time"; "math/rand/v2"; "github.com/libp2p/go-libp2p/core/peer")
			var a, b, c = time.Second, rand.New(nil), peer.ID("")`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+c.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(breaches(file, "."), "; "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// breaches lists what file must not do.
func breaches(file *ast.File, dir string) []string {
	var found []string
	names := map[string]string{} // local name -> path, of those used in part only
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if !allowedImport(path, dir) {
			found = append(found, "imports "+path)
		}
		if forbiddenName(path, "Now") || forbiddenName(path, "IntN") {
			name := map[string]string{"time": "time", "math/rand/v2": "rand"}[path]
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if name == "." {
				found = append(found, "imports "+path+" without a name")
			}
			names[name] = path
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "starts a goroutine")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && forbiddenName(names[x.Name], n.Sel.Name) {
				found = append(found, "uses "+names[x.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

func allowedImport(path, dir string) bool {
	const own = "github.com/p2pfaas/p2pfaas/sched"
	switch {
	case path == "github.com/libp2p/go-libp2p/core/peer":
		return true
	case path == own || strings.HasPrefix(path, own+"/"):
		return dir != "." // a sub-package may build on sched, not the other way round
	case path == "pgregory.net/rapid" || path == "testing":
		return dir == "schedtest"
	case path == "github.com/BurntSushi/toml":
		return dir == "sim/scenario"
	case strings.Contains(strings.Split(path, "/")[0], "."):
		return false
	}
	effects := []string{"net", "os", "log", "syscall", "plugin", "C", "unsafe", "testing", "math/rand", "crypto/rand"}
	return !slices.ContainsFunc(effects, func(e string) bool {
		return path == e || strings.HasPrefix(path, e+"/") && path != "math/rand/v2"
	})
}

// forbiddenName tells whether a name of a package that is allowed otherwise
// reads the clock or the global source of chance.
func forbiddenName(path, name string) bool {
	switch path {
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name)
	case "math/rand/v2":
		return !slices.Contains([]string{"Rand", "Source", "New", "PCG", "NewPCG", "ChaCha8", "NewChaCha8", "Zipf", "NewZipf"}, name)
	}
	return false
}
