package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/node"
)

const defaultNode = "http://127.0.0.1:18080"

// target says which node a tool talks to, and as whom: by flags, else by the
// environment.
type target struct {
	node, data, auth   string
	user, passwordFile string
	// flags are those that the command has; chosen tells which settings were
	// given by flag or environment.
	flags  []string
	chosen map[string]bool
	cmd    *cobra.Command
}

// addNode adds the flag for which node: enough for what needs no credentials.
func (t *target) addNode(cmd *cobra.Command) {
	t.cmd = cmd
	t.data, t.user = node.DefaultDataDir(), "admin"
	t.flags = append(t.flags, "node")
	cmd.Flags().StringVar(&t.node, "node", defaultNode, "`URL` of a node's HTTP port, else P2PFAAS_NODE")
}

// addTo adds the flags for which node and as whom.
func (t *target) addTo(cmd *cobra.Command) {
	t.addNode(cmd)
	t.flags = append(t.flags, "data", "auth", "user", "password-file")
	fs := cmd.Flags()
	fs.StringVar(&t.data, "data", t.data, "`folder` of that node's data, for its credentials, else P2PFAAS_DATA")
	fs.StringVar(&t.auth, "auth", "", "`folder` of its credentials, or none (default the --data folder)")
	fs.StringVar(&t.user, "user", t.user, "`name` that goes with --password-file")
	fs.StringVar(&t.passwordFile, "password-file", "", "`file` of a password, instead of --data's credentials")
}

// choose fills in what no flag said from the environment.
func (t *target) choose() {
	t.chosen = map[string]bool{}
	for _, name := range t.flags {
		t.chosen[name] = t.cmd.Flags().Changed(name)
	}
	for name, value := range map[string]*string{
		"node": &t.node, "data": &t.data, "auth": &t.auth, "user": &t.user, "password-file": &t.passwordFile,
	} {
		if v := os.Getenv(envName(name)); v != "" && !t.chosen[name] {
			*value, t.chosen[name] = v, true
		}
	}
}

func (t *target) remote() (*remote, error) {
	t.choose()
	address := t.node
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usagef("--node %q: want a URL, as %s", t.node, defaultNode)
	}
	c := &remote{base: base, http: newHTTPClient()}
	return c, t.findCredentials(c)
}

// findCredentials gives c its credentials, or the reason why it has none.
func (t *target) findCredentials(c *remote) error {
	if t.passwordFile != "" {
		password, err := os.ReadFile(t.passwordFile)
		if err != nil {
			return fmt.Errorf("read password: %w", err)
		}
		c.user, c.password = t.user, strings.TrimSpace(string(password))
		c.passwordFile = t.passwordFile
		return nil
	}
	if !isLoopback(c.base.Hostname()) && !t.chosen["data"] && !t.chosen["auth"] {
		c.noCredentials = "this machine's own are sent to another address only if --data or --auth names them"
		return nil
	}
	files := node.Config{DataDir: t.data, Auth: t.auth}
	dir := files.CredentialsDir()
	if dir == "" {
		c.noCredentials = "as --auth none says"
		return nil
	}
	var err error
	c.user, c.password, err = api.ReadCredentials(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		c.noCredentials, err = err.Error(), nil
	}
	return err
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
