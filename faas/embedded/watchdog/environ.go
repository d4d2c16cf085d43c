package watchdog

import (
	"fmt"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Environ returns the variables that tell a function of its request. A body of
// unknown length has the length -1 and the transfer encoding "chunked", as it has
// in HTTP/1.
func Environ(r *faas.Request) ([]string, error) {
	for _, f := range r.Header {
		if !httpguts.ValidHeaderFieldName(f.Name) || !httpguts.ValidHeaderFieldValue(f.Value) {
			return nil, fmt.Errorf("request to a function: %w: field %.40q with value %.40q", faas.ErrInvalid, f.Name, f.Value)
		}
	}
	size := r.Size
	if r.Body == nil {
		size = 0
	}
	length := strconv.FormatInt(size, 10)
	env := []string{
		"Http_Method=" + r.Method, "Http_Path=" + path(r),
		"Http_Content_Length=" + length, "Http_ContentLength=" + length,
	}
	if size < 0 {
		env = append(env, "Http_Transfer_Encoding=chunked")
	}
	if r.Query != "" {
		env = append(env, "Http_Query="+r.Query)
	}
	if r.Host != "" {
		env = append(env, "Http_Host="+r.Host)
	}
	if r.CallID != "" && !r.Header.Has("X-Call-Id") {
		env = append(env, "Http_X_Call_Id="+r.CallID)
	}
	env = append(env, fields(r.Header)...)
	for _, v := range env {
		if strings.IndexByte(v, 0) >= 0 {
			return nil, fmt.Errorf("request to a function: %w: %.40q holds a zero byte", faas.ErrInvalid, v)
		}
	}
	return env, nil
}

// path is the request's without its escapes, where they are right.
func path(r *faas.Request) string {
	if r.Path == "" {
		return "/"
	}
	if p, err := url.PathUnescape(r.Path); err == nil {
		return p
	}
	return r.Path
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
	case "Method", "Path", "Query", "Host", "Content_Length", "Transfer_Encoding", "Proxy":
		return true
	}
	return strings.ContainsAny(name, "=\x00")
}
