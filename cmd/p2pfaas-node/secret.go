package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"unicode/utf8"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

const aboutSecret = `List and change the secrets that a node keeps for its functions. A function reads
those that it was deployed with (deploy --secret NAME) from files; nothing else
tells their values.`

const aboutSecretValue = `The value comes from --from-file, from --from-literal, or else from standard
input. White space around it is cut off, unless --trim=false. A literal is seen by
whoever may list this machine's processes: a file or standard input is better.`

func newSecret() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "List and change the secrets of a node's functions",
		Long:  aboutSecret,
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSecretList(),
		newSecretSet("create", "created", "Store a secret on a node", http.MethodPost),
		newSecretSet("update", "updated", "Replace the value of a secret on a node", http.MethodPut),
		newSecretRemove())
	return cmd
}

func newSecretList() *cobra.Command {
	var (
		t         target
		out       output
		namespace string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the names of the secrets on a node",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			found, err := listSecrets(cmd.Context(), c, namespace)
			if err != nil {
				return fmt.Errorf("list secrets: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), found)
			}
			rows := [][]string{{"NAME", "NAMESPACE"}}
			for _, s := range found {
				rows = append(rows, []string{s.Name, orDash(s.Namespace)})
			}
			return printTable(cmd.OutOrStdout(), rows)
		},
	}
	t.addNamespace(cmd, &namespace, "`namespace` to list (default "+faas.DefaultNamespace+")")
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

// named is what a listing tells of a secret.
type named struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

func listSecrets(ctx context.Context, c *remote, namespace string) ([]named, error) {
	query := url.Values{}
	if namespace != "" {
		query.Set("namespace", namespace)
	}
	found := []named{} // prints as [] rather than null
	err := c.call(ctx, http.MethodGet, "/system/secrets", query.Encode(), nil, &found)
	return found, err
}

func listSecretNames(ctx context.Context, c *remote) (names []string, err error) {
	found, err := listSecrets(ctx, c, "")
	for _, s := range found {
		names = append(names, s.Name)
	}
	return names, err
}

// secretValue are the flags that say what a secret holds.
type secretValue struct {
	literal, file string
	trim          bool
}

func newSecretSet(verb, done, short, method string) *cobra.Command {
	var (
		t         target
		v         secretValue
		namespace string
	)
	cmd := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Long:  short + ".\n\n" + aboutSecretValue,
		Args:  wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s := types.Secret{Name: args[0], Namespace: namespace}
			if err := v.read(cmd, &s); err != nil {
				return fmt.Errorf("%s secret %s: %w", verb, s.Name, err)
			}
			return changeSecret(cmd, &t, method, verb, done, s)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&v.file, "from-file", "", "`file` of the value")
	fs.StringVar(&v.literal, "from-literal", "", "the `value` itself")
	fs.BoolVar(&v.trim, "trim", true, "cut off white space around the value")
	t.addNamespace(cmd, &namespace, "`namespace` of the secret")
	if method == http.MethodPut {
		cmd.ValidArgsFunction = t.completeArg(listSecretNames)
	}
	t.addTo(cmd)
	return cmd
}

// read puts the value into s.
func (v *secretValue) read(cmd *cobra.Command, s *types.Secret) error {
	value, err := v.bytes(cmd)
	if err != nil {
		return err
	}
	if v.trim {
		value = bytes.TrimSpace(value)
	}
	switch {
	case len(value) == 0:
		return usageError{errors.New("the value is empty: give it by --from-file, --from-literal or standard input")}
	case utf8.Valid(value):
		s.Value = string(value)
	default: // what JSON's strings cannot hold
		s.RawValue = value
	}
	return nil
}

func (v *secretValue) bytes(cmd *cobra.Command) ([]byte, error) {
	literal, file := cmd.Flags().Changed("from-literal"), cmd.Flags().Changed("from-file")
	switch {
	case literal && file:
		return nil, usageError{errors.New("give --from-literal or --from-file, not both")}
	case literal:
		return []byte(v.literal), nil
	case file:
		return os.ReadFile(v.file)
	}
	if stdin, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(stdin) {
		return nil, usageError{errors.New("a terminal would show what is typed: give --from-file, or pipe the value into standard input")}
	}
	return io.ReadAll(cmd.InOrStdin())
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func newSecretRemove() *cobra.Command {
	var (
		t         target
		namespace string
	)
	cmd := &cobra.Command{
		Use:               "remove NAME",
		Aliases:           []string{"rm"},
		Short:             "Remove a secret from a node",
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeArg(listSecretNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSecret(cmd, &t, http.MethodDelete, "remove", "removed", types.Secret{Name: args[0], Namespace: namespace})
		},
	}
	t.addNamespace(cmd, &namespace, "`namespace` of the secret")
	t.addTo(cmd)
	return cmd
}

func changeSecret(cmd *cobra.Command, t *target, method, verb, done string, s types.Secret) error {
	c, err := t.remote()
	if err != nil {
		return err
	}
	if err := c.call(cmd.Context(), method, "/system/secrets", "", s, nil); err != nil {
		return fmt.Errorf("%s secret %s: %w", verb, s.Name, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s secret %s\n", done, s.Name)
	return nil
}
