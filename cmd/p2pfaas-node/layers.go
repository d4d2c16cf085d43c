package main

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/p2pfaas/p2pfaas/node"
)

const envPrefix = "P2PFAAS_"

// envName is the environment variable of a flag: P2PFAAS_MAX_OPEN for max-open.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// toolVariables are the variables that concern the tools rather than run.
func toolVariables() []string {
	return []string{envName("node"), envName("user"), envName("password-file")}
}

// resolve makes the Config from its four layers: the defaults, the TOML file (if
// file is not empty), the environment, and the flags that were given. A list
// from one layer replaces that of the layer below. The warnings are about
// variables that mean nothing.
func resolve(flags *pflag.FlagSet, file string, environ []string) (c node.Config, warnings []string, err error) {
	c = node.Default()
	settings := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	addSettings(settings, &c)
	if file != "" {
		if err := applyFile(settings, file); err != nil {
			return c, nil, err
		}
	}
	if warnings, err = applyEnviron(settings, environ); err != nil {
		return c, nil, err
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && settings.Lookup(f.Name) != nil && err == nil {
			err = copyValue(settings, f)
		}
	})
	return c, warnings, err
}

// configFile is the --config flag's value, else its variable's.
func configFile(flags *pflag.FlagSet) string {
	if f := flags.Lookup("config"); f.Changed {
		return f.Value.String()
	}
	return os.Getenv(envName("config"))
}

func applyEnviron(settings *pflag.FlagSet, environ []string) (warnings []string, err error) {
	known := map[string]string{envName("config"): ""} // variable to flag, "" for what is not of this set
	for _, name := range toolVariables() {
		known[name] = ""
	}
	settings.VisitAll(func(f *pflag.Flag) { known[envName(f.Name)] = f.Name })
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(variable, envPrefix) || value == "" {
			continue
		}
		flag, ok := known[variable]
		switch {
		case !ok:
			warnings = append(warnings, fmt.Sprintf("%s is not a setting; the nearest is %s", variable, nearest(variable, maps.Keys(known))))
		case flag != "":
			if err := setText(settings, flag, value); err != nil {
				return nil, fmt.Errorf("%s=%q: %w", variable, value, err)
			}
		}
	}
	return warnings, nil
}

// setText sets a setting from one line of text, in which commas separate the
// entries of a list.
func setText(settings *pflag.FlagSet, name, text string) error {
	value := settings.Lookup(name).Value
	if list, ok := value.(pflag.SliceValue); ok {
		return list.Replace(strings.Split(text, ","))
	}
	return value.Set(text)
}

func copyValue(settings *pflag.FlagSet, from *pflag.Flag) error {
	to := settings.Lookup(from.Name).Value
	if list, ok := to.(pflag.SliceValue); ok {
		return list.Replace(from.Value.(pflag.SliceValue).GetSlice())
	}
	return to.Set(from.Value.String())
}
