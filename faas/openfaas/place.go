package openfaas

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

// DefaultURL is where a gateway is looked for if nothing else is said.
const DefaultURL = "http://127.0.0.1:8080"

// NoCredentials as the folder of credentials says that there are none.
const NoCredentials = "none"

// Place is an OpenFaaS gateway.
type Place struct {
	// URL is http or https, without user, query and fragment. Its path, if any,
	// is put before every path of the API.
	URL *url.URL
	// Credentials are sent to /system/. With an empty User none are.
	Credentials api.Credentials
	// From says where the credentials come from, for people.
	From string
}

// Redacted is the URL, which holds no password.
func (p Place) Redacted() string { return p.URL.Redacted() }

// Locate reads a gateway's URL and finds its credentials: in the URL
// (http://user:password@host), else in the folder, as the files basic-auth-user
// and basic-auth-password of OpenFaaS's secrets; "" looks where OpenFaaS and
// faasd mount them, [NoCredentials] nowhere. Unlike a node's own credentials
// these files belong to somebody else, who may have opened them to everybody.
func Locate(rawURL, folder string) (Place, error) {
	u, err := ParseURL(rawURL)
	if err != nil {
		return Place{}, err
	}
	p := Place{URL: u, From: "none"}
	if user := u.User; user != nil {
		p.Credentials.User = user.Username()
		p.Credentials.Password, _ = user.Password()
		p.From, u.User = "URL", nil
		return p, nil
	}
	switch folder {
	case NoCredentials:
		return p, nil
	case "":
		return p.search(secretFolders())
	}
	if p.Credentials, err = readCredentials(folder); err != nil {
		return Place{}, fmt.Errorf("credentials of the OpenFaaS gateway: %w", err)
	}
	p.From = folder
	return p, nil
}

// secretFolders are where OpenFaaS's own services and faasd have their secrets.
func secretFolders() []string {
	return []string{"/var/openfaas/secrets", "/run/secrets", "/var/lib/faasd/secrets"}
}

// search takes the first folder that has credentials, if any has.
func (p Place) search(folders []string) (Place, error) {
	for _, folder := range folders {
		c, err := readCredentials(folder)
		switch {
		case err == nil:
			p.Credentials, p.From = c, folder
			return p, nil
		case errors.Is(err, fs.ErrPermission):
			p.From = "none: " + folder + " may not be read by this user"
		case !errors.Is(err, fs.ErrNotExist):
			return Place{}, fmt.Errorf("credentials of the OpenFaaS gateway: %w", err)
		}
	}
	return p, nil
}

// ParseURL checks a gateway's URL.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: URL of the OpenFaaS gateway: want one as %s", faas.ErrInvalid, DefaultURL) // err may quote a password
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: URL %s: want http:// or https://, a host and no query, as %s", faas.ErrInvalid, u.Redacted(), DefaultURL)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func readCredentials(folder string) (c api.Credentials, err error) {
	if c.User, err = readLine(filepath.Join(folder, "basic-auth-user")); err != nil {
		return c, err
	}
	c.Password, err = readLine(filepath.Join(folder, "basic-auth-password"))
	return c, err
}

func readLine(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(raw))
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}
