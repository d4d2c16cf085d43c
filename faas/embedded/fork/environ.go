package fork

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// environ returns the variables that tell a process of its request.
func environ(r *faas.Request) ([]string, error) {
	path := r.Path
	if path == "" {
		path = "/"
	}
	env := []string{
		"Http_Method=" + r.Method, "Http_Path=" + path,
		"Http_Query=" + r.Query, "Http_Host=" + r.Host,
	}
	if r.Body == nil {
		env = append(env, "Http_Content_Length=0")
	} else if r.Size >= 0 {
		env = append(env, "Http_Content_Length="+strconv.FormatInt(r.Size, 10))
	}
	if r.CallID != "" && !r.Header.Has("X-Call-Id") {
		env = append(env, "Http_X_Call_Id="+r.CallID)
	}
	env = append(env, fields(r.Header)...)
	for _, v := range env {
		if strings.IndexByte(v, 0) >= 0 {
			return nil, fmt.Errorf("request to a forked function: %w: %.40q holds a zero byte", faas.ErrInvalid, v)
		}
	}
	return env, nil
}

func fields(h faas.Header) []string {
	var env []string
	seen := make(map[string]bool, len(h))
	for _, f := range h {
		name := strings.ReplaceAll(textproto.CanonicalMIMEHeaderKey(f.Name), "-", "_")
		if seen[name] || reserved(name) {
			continue
		}
		seen[name] = true
		env = append(env, "Http_"+name+"="+f.Value)
	}
	return env
}

// reserved names are set from the request itself. Http_Proxy is read as the
// address of a proxy by programs that ignore case.
func reserved(name string) bool {
	switch name {
	case "Method", "Path", "Query", "Host", "Content_Length", "Proxy":
		return true
	}
	return strings.ContainsAny(name, "=\x00")
}
