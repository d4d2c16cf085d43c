package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// maxKeyFile is far above any private key.
const maxKeyFile = 16 << 10

// LoadIdentity reads the private key at path, or makes a new Ed25519 one there,
// mode 0600, if there is no file. It never overwrites a file: one that it cannot
// read, or that others may read, is an error that says how to mend it.
func LoadIdentity(path string) (crypto.PrivKey, error) {
	key, err := readIdentity(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key, err = makeIdentity(path)
	if errors.Is(err, os.ErrExist) { // another process was faster
		return readIdentity(path)
	}
	return key, err
}

func makeIdentity(path string) (crypto.PrivKey, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	data, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode identity: %w", err)
	}
	if err := createFile(path, data); err != nil {
		return nil, err
	}
	return key, nil
}

func readIdentity(path string) (crypto.PrivKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("identity %s is open to other users (mode %04o): whoever reads it can pose as this node; run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, damaged(path, fmt.Errorf("not a regular file of at most %d bytes", maxKeyFile))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	key, err := crypto.UnmarshalPrivateKey(data)
	if err != nil {
		return nil, damaged(path, err)
	}
	return key, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("identity %s is damaged (%w): restore it from a backup, or remove it to start with a new peer ID", path, err)
}
