package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are set by the linker (-X main.version=…), see Makefile.
var version, commit string

// build tells what this program was made of.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// programVersion is what the linker was told, else what the go command recorded
// ("go install …@v1.2.3" knows the version, a build in a checkout the commit).
func programVersion() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if b.Version == "" && ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	if b.Commit == "" && ok {
		b.Commit = revision(info)
	}
	return b
}

func revision(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}

func (b build) String() string {
	return fmt.Sprintf("p2pfaas-node %s (commit %s, %s, %s)", b.Version, b.Commit, b.Go, b.Platform)
}

func newVersion() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := programVersion()
			if out.json() {
				return printJSON(cmd.OutOrStdout(), b)
			}
			fmt.Fprintln(cmd.OutOrStdout(), b)
			return nil
		},
	}
	out.addTo(cmd)
	return cmd
}
