package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

const aboutID = `Print a node's peer ID and, if it runs, the multiaddrs to reach it, each as
--bootstrap of another node takes it. A node that does not run is told by its
--data folder.`

func newID() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use:   "id",
		Short: "Print a node's peer ID and addresses",
		Long:  aboutID,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := findID(cmd.Context(), &t)
			if err != nil {
				return fmt.Errorf("find peer ID: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), id)
			}
			return printID(cmd.OutOrStdout(), id)
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

// identity is what id prints.
type identity struct {
	PeerID    string   `json:"peer"`
	Addresses []string `json:"addresses"` // empty: the node does not run
}

func printID(w io.Writer, id identity) error {
	if _, err := fmt.Fprintln(w, id.PeerID); err != nil {
		return err
	}
	for _, a := range id.Addresses {
		fmt.Fprintln(w, a)
	}
	return nil
}

// findID asks the running node. A --data folder that was named is asked first,
// since another node than its own may run at the default port; its node's
// addresses are added if that is the one that runs.
func findID(ctx context.Context, t *target) (identity, error) {
	c, err := t.remote()
	if err != nil {
		return identity{}, err
	}
	running, errNode := askID(ctx, c)
	if errNode == nil && (t.chosen["node"] || !t.chosen["data"]) {
		return running, nil
	}
	stored, errData := storedID(t.data)
	switch {
	case errData == nil && errNode == nil && stored.PeerID == running.PeerID:
		return running, nil
	case errData == nil:
		return stored, nil
	case errors.Is(errData, fs.ErrNotExist):
		return identity{}, errors.Join(errNode, fmt.Errorf("no node has run with the data folder %q yet", t.data))
	}
	return identity{}, errors.Join(errNode, errData)
}

func askID(ctx context.Context, c *remote) (identity, error) {
	var info struct{ P2pfaas node.Ready }
	if err := c.call(ctx, http.MethodGet, "/system/info", "", nil, &info); err != nil {
		return identity{}, err
	}
	if info.P2pfaas.PeerID == "" {
		return identity{}, fmt.Errorf("what answers at %s is not a p2pfaas node", c.base)
	}
	return identity{PeerID: info.P2pfaas.PeerID, Addresses: info.P2pfaas.Addrs}, nil
}

// storedID is the identity in a node's data folder. It makes none.
func storedID(data string) (identity, error) {
	c := node.Config{DataDir: data}
	if _, err := os.Stat(c.IdentityFile()); err != nil {
		return identity{}, err
	}
	key, err := host.LoadIdentity(c.IdentityFile())
	if err != nil {
		return identity{}, err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return identity{}, fmt.Errorf("read identity: %w", err)
	}
	return identity{PeerID: id.String(), Addresses: []string{}}, nil
}
