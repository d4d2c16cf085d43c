package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/p2pfaas/p2pfaas/node"
)

// layered resolves a file's text, an environment and flags.
func layered(t *testing.T, file string, environ, args []string) (node.Config, []string, error) {
	t.Helper()
	given := node.Default()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addSettings(flags, &given)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	name := ""
	if file != "" {
		name = filepath.Join(t.TempDir(), "p2pfaas.toml")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return resolve(flags, name, environ)
}

func TestPrecedence(t *testing.T) {
	mesh := func(c *node.Config) any { return c.Mesh }
	cases := []struct {
		name    string
		file    string
		environ []string
		args    []string
		get     func(c *node.Config) any
		want    any
	}{
		{"default", "", nil, nil, mesh, "default"},
		{"file over default", `mesh = "file"`, nil, nil, mesh, "file"},
		{"environment over file", `mesh = "file"`, []string{"P2PFAAS_MESH=env"}, nil, mesh, "env"},
		{"flag over environment", `mesh = "file"`, []string{"P2PFAAS_MESH=env"}, []string{"--mesh", "flag"}, mesh, "flag"},
		{"flag with the default's value", `mesh = "file"`, nil, []string{"--mesh=default"}, mesh, "default"},
		{"empty variable says nothing", `mesh = "file"`, []string{"P2PFAAS_MESH="}, nil, mesh, "file"},
		{"bool in the file", "mdns = false", nil, nil, func(c *node.Config) any { return c.MDNS }, false},
		{"bool in the environment", "", []string{"P2PFAAS_SAMPLES=true"}, nil, func(c *node.Config) any { return c.Samples }, true},
		{"bool flag", "mdns = true", nil, []string{"--mdns=false"}, func(c *node.Config) any { return c.MDNS }, false},
		{"duration in the file", `gossip = "500ms"`, nil, nil, func(c *node.Config) any { return c.Gossip }, 500 * time.Millisecond},
		{"duration flag", `drain = "1s"`, nil, []string{"--drain", "0"}, func(c *node.Config) any { return c.Drain }, time.Duration(0)},
		{"number in the file", "max-open = 7", nil, nil, func(c *node.Config) any { return c.MaxOpen }, 7},
		{"number with dashes in the environment", "max-open = 7", []string{"P2PFAAS_MAX_OPEN=8"}, nil, func(c *node.Config) any { return c.MaxOpen }, 8},
		{"list in the file", `listen = ["/a", "/b"]`, nil, nil, func(c *node.Config) any { return c.Listen }, []string{"/a", "/b"}},
		{"list of one in the file", `listen = "/a"`, nil, nil, func(c *node.Config) any { return c.Listen }, []string{"/a"}},
		{"environment replaces a list", `listen = ["/a", "/b"]`, []string{"P2PFAAS_LISTEN=/c,/d"}, nil, func(c *node.Config) any { return c.Listen }, []string{"/c", "/d"}},
		{"flags replace a list", "", []string{"P2PFAAS_LISTEN=/c,/d"}, []string{"--listen", "/e,f", "--listen", "/g"}, func(c *node.Config) any { return c.Listen }, []string{"/e,f", "/g"}},
		{"table in the file", "[set]\nf = 1\nloss = 0.5\n", nil, nil, func(c *node.Config) any { return c.PolicySet }, map[string]string{"f": "1", "loss": "0.5"}},
		{"flags replace a table", "[set]\nf = 1\n", nil, []string{"--set", "t=2"}, func(c *node.Config) any { return c.PolicySet }, map[string]string{"t": "2"}},
		{"value with = and ,", "", nil, []string{"--image-alias", "a=exec:/bin/x --a=b,c"}, func(c *node.Config) any { return c.ImageAlias }, map[string]string{"a": "exec:/bin/x --a=b,c"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, warnings, err := layered(t, c.file, c.environ, c.args)
			if err != nil || len(warnings) > 0 {
				t.Fatal(err, warnings)
			}
			if diff := cmp.Diff(c.want, c.get(&got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownSettings(t *testing.T) {
	cases := []struct{ name, file, want string }{
		{"misspelt", `max_open = 3`, `there is no setting "max_open"; did you mean "max-open"?`},
		{"capital", `Mesh = "a"`, `did you mean "mesh"?`},
		{"not for files", `config = "a"`, `there is no setting "config"`},
		{"wrong type", `servers = "many"`, "servers: many is not of type int"},
		{"duration without unit", `gossip = 5`, "gossip: 5 is not of type duration"},
		{"table for a text", "[mesh]\na = 1", "mesh: does not take a table"},
		{"list for a text", `mesh = ["a"]`, "mesh: does not take a list"},
		{"text for a table", `set = "a"`, "set: wants a table"},
		{"no TOML", `mesh = `, "read configuration"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := layered(t, c.file, nil, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestUnknownVariable(t *testing.T) {
	environ := []string{"P2PFAAS_GOSIP=1s", "P2PFAAS_NODE=http://x", "P2PFAAS_CONFIG=x", "HOME=/root"}
	_, warnings, err := layered(t, "", environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"P2PFAAS_GOSIP is not a setting; the nearest is P2PFAAS_GOSSIP"}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestBadVariable(t *testing.T) {
	_, _, err := layered(t, "", []string{"P2PFAAS_SERVERS=many"}, nil)
	if err == nil || !strings.Contains(err.Error(), `P2PFAAS_SERVERS="many"`) {
		t.Errorf("got %v", err)
	}
}

// TestSettingsAreFields: each field of Config with a toml tag is a flag of that
// name, and each flag such a field.
func TestSettingsAreFields(t *testing.T) {
	var fields, names []string
	for f := range reflect.TypeFor[node.Config]().Fields() {
		if tag := f.Tag.Get("toml"); tag != "-" {
			fields = append(fields, tag)
		}
	}
	var c node.Config
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addSettings(flags, &c)
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	slices.Sort(fields)
	slices.Sort(names)
	if diff := cmp.Diff(fields, names); diff != "" {
		t.Error(diff)
	}
}

// TestHelpKnowsDefaults: what a flag's help says is what Config's comment says.
func TestHelpKnowsDefaults(t *testing.T) {
	given := node.Default()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addSettings(flags, &given)
	for name, want := range map[string]string{"http": ":18080", "mesh": "default", "policy": "spread", "queue": "-1", "drain": "30s", "mdns": "true"} {
		if got := flags.Lookup(name).DefValue; got != want {
			t.Errorf("%s: default %q, want %q", name, got, want)
		}
	}
}
