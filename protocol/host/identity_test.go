package host

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/crypto/pb"
)

func TestIdentityIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "deep", "identity.key")
	key, err := LoadIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if key.Type() != pb.KeyType_Ed25519 {
		t.Errorf("key type %v", key.Type())
	}
	for _, c := range []struct {
		path string
		mode os.FileMode
	}{{path, 0o600}, {filepath.Dir(path), 0o700}, {filepath.Dir(filepath.Dir(path)), 0o700}} {
		info, err := os.Stat(c.path)
		if err != nil || info.Mode().Perm() != c.mode {
			t.Errorf("%s: mode %v, want %v (%v)", c.path, info.Mode().Perm(), c.mode, err)
		}
	}
	again, err := LoadIdentity(path)
	if err != nil || !again.Equals(key) {
		t.Errorf("second load: other key or %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestIdentityRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.key")
	keys := make([]crypto.PrivKey, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadIdentity(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k == nil || !k.Equals(keys[0]) {
			t.Fatal("two processes that start together got different identities")
		}
	}
}

func TestIdentityRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good")
	if _, err := LoadIdentity(good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		mode os.FileMode
		want string
	}{
		{"readable by all", whole, 0o644, "chmod 600"},
		{"readable by the group", whole, 0o640, "chmod 600"},
		{"writable by others", whole, 0o602, "chmod 600"},
		{"empty", nil, 0o600, "damaged"},
		{"cut", whole[:len(whole)/2], 0o600, "damaged"},
		{"garbage", []byte("not a key"), 0o600, "damaged"},
		{"huge", make([]byte, maxKeyFile+1), 0o600, "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "identity.key")
			if err := os.WriteFile(path, c.data, c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil { // the umask took some
				t.Fatal(err)
			}
			_, err := LoadIdentity(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v: want one about %s with %q", err, path, c.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, c.data) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestIncarnation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "incarnation")
	for want := uint64(1); want <= 3; want++ {
		if n, err := NextIncarnation(path); n != want || err != nil {
			t.Fatalf("incarnation %d, %v: want %d", n, err, want)
		}
	}
	for _, bad := range []string{"", "-1", "many", strconv.FormatUint(math.MaxUint64, 10)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := NextIncarnation(path); err == nil {
			t.Errorf("file %q gave %d", bad, n)
		}
	}
	if _, err := NextIncarnation(t.TempDir()); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
}
