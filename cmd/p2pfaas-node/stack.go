package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openfaas/faas-provider/types"
	"github.com/openfaas/go-sdk/stack"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

// stackFile are the flags of deploy that name an OpenFaaS stack file.
type stackFile struct{ file, filter, regex string }

func (s *stackFile) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&s.file, "file", "f", "", "stack `file`, or -: deploy the functions in it")
	fs.StringVar(&s.filter, "filter", "", "of the file, only functions whose names match the `pattern`, as img-*")
	fs.StringVar(&s.regex, "regex", "", "of the file, only functions whose names match the regular `expression`")
	_ = cmd.MarkFlagFilename("file", "yml", "yaml") // fails only for a flag that does not exist
}

// args checks that either a file or a name is given.
func (s *stackFile) args(cmd *cobra.Command, args []string) error {
	if s.file == "" {
		if s.filter != "" || s.regex != "" {
			return usagef("deploy: --filter and --regex go with -f FILE")
		}
		return wants("NAME")(cmd, args)
	}
	for _, flag := range []string{"image", "env-process"} {
		if cmd.Flags().Changed(flag) {
			return usagef("deploy: --%s does not go with -f: the file says what runs", flag)
		}
	}
	if s.filter != "" && s.regex != "" {
		return usagef("deploy: give --filter or --regex, not both")
	}
	return wants()(cmd, args)
}

// functions are the deployments of the file, by name, with what the flags add.
func (s *stackFile) functions(stdin io.Reader, d *deployment) ([]types.FunctionDeployment, error) {
	services, err := s.parse(stdin)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.file, err)
	}
	var (
		all    []types.FunctionDeployment
		wrongs []error
	)
	for _, name := range slices.Sorted(maps.Keys(services.Functions)) {
		f, err := s.deployment(name, services.Functions[name], d)
		if err != nil {
			wrongs = append(wrongs, fmt.Errorf("%s: function %s: %w", s.file, name, err))
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no functions", s.file)
	}
	if len(wrongs) > 0 {
		return nil, usageError{errors.Join(wrongs...)}
	}
	return all, nil
}

func (s *stackFile) parse(stdin io.Reader) (*stack.Services, error) {
	text, err := s.read(stdin)
	if err != nil {
		return nil, err
	}
	return stack.ParseYAMLData(text, s.regex, s.filter, true)
}

func (s *stackFile) read(stdin io.Reader) ([]byte, error) {
	if s.file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(s.file)
}

func (s *stackFile) deployment(name string, in stack.Function, d *deployment) (types.FunctionDeployment, error) {
	f := types.FunctionDeployment{
		Image: s.image(in.Image), EnvProcess: in.FProcess,
		Constraints: deref(in.Constraints), Secrets: in.Secrets, Labels: in.Labels, Annotations: in.Annotations,
		Limits: asked(in.Limits), Requests: asked(in.Requests), ReadOnlyRootFilesystem: in.ReadOnlyRootFilesystem,
	}
	n, err := nameIn(name, in.Namespace)
	if err == nil && d.namespace != "" {
		n, err = nameIn(name, d.namespace)
	}
	if err != nil {
		return f, err
	}
	f.Service, f.Namespace = n.Function, n.Namespace
	if f.EnvVars, err = s.environment(&in); err != nil {
		return f, err
	}
	d.onto(&f)
	return f, checkRuns(&f)
}

// environment is a function's; the files go before what the stack says itself,
// the last one first, as with faas-cli.
func (s *stackFile) environment(in *stack.Function) (map[string]string, error) {
	env := merged(nil, in.Environment)
	for _, file := range in.EnvironmentFile {
		text, err := os.ReadFile(s.seen(file))
		if err != nil {
			return nil, fmt.Errorf("environment_file: %w", err)
		}
		var more stack.EnvironmentFile
		if err := yaml.Unmarshal(text, &more); err != nil {
			return nil, fmt.Errorf("environment_file %s: %w", file, err)
		}
		env = merged(env, more.Environment)
	}
	return env, nil
}

// image makes a relative path absolute; a bare name is one of the node's.
func (s *stackFile) image(image string) string {
	kind, path, ok := strings.Cut(image, ":")
	local := strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../")
	if !ok || !local || !slices.Contains([]string{"exec", "serve", "wasm"}, kind) {
		return image
	}
	return kind + ":" + s.seen(path)
}

// seen is a path as it is seen from the file's folder.
func (s *stackFile) seen(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	absolute, err := filepath.Abs(filepath.Join(filepath.Dir(s.file), path))
	if err != nil {
		return path // the working folder is gone
	}
	return absolute
}

func asked(r *stack.FunctionResources) *types.FunctionResources {
	if r == nil {
		return nil
	}
	return &types.FunctionResources{Memory: r.Memory, CPU: r.CPU}
}
