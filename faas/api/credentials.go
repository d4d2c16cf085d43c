package api

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names of the credentials' files, as in OpenFaaS.
const (
	userFile     = "basic-auth-user"
	passwordFile = "basic-auth-password"
)

// LoadCredentials reads the credentials in dir. At first start it makes dir and
// the files basic-auth-user ("admin") and basic-auth-password (32 random
// characters), mode 0600; each is there whole or not at all. A file that every
// user of the machine can read or write is an error.
func LoadCredentials(dir string) (user, password string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("make folder for credentials: %w", err)
	}
	if user, err = loadOrMake(filepath.Join(dir, userFile), func() string { return "admin" }); err != nil {
		return "", "", err
	}
	if password, err = loadOrMake(filepath.Join(dir, passwordFile), randomPassword); err != nil {
		return "", "", err
	}
	return user, password, nil
}

// ReadCredentials reads the credentials in dir and makes nothing: it is for
// tools that talk to a node. Without the files the error wraps fs.ErrNotExist.
func ReadCredentials(dir string) (user, password string, err error) {
	if user, err = readSecret(filepath.Join(dir, userFile)); err != nil {
		return "", "", err
	}
	if password, err = readSecret(filepath.Join(dir, passwordFile)); err != nil {
		return "", "", err
	}
	return user, password, nil
}

func loadOrMake(path string, value func() string) (string, error) {
	s, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := writeSecret(path, value()); err != nil {
		return "", fmt.Errorf("make credentials: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("credentials in %s are open to every user of this machine (mode %#o): run chmod 600 %s, and remove the file instead if somebody may have read it: a new one is made at the next start", path, mode, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	s := strings.TrimSpace(string(raw))
	if s == "" {
		return "", fmt.Errorf("credentials in %s are empty: write one line into it, or remove the file: a new one is made at the next start", path)
	}
	return s, nil
}

// writeSecret puts value at path in one step, on the disk before it has its
// name.
func writeSecret(path, value string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".credentials-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already once renamed
	_, err = file.WriteString(value + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// randomPassword has 192 bits in 32 characters of A-Z, a-z, 0-9, - and _.
func randomPassword() string {
	var raw [24]byte
	_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
