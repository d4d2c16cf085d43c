package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// queue makes c an asynchronous call, if the flags say so.
func (f *invokeFlags) queue(c *invocation) error {
	switch {
	case !f.async && f.callback != "":
		return usagef("--callback goes with --async")
	case !f.async:
		return nil
	case f.peer != "":
		return usagef("--async goes over HTTP: say --node rather than --peer")
	case c.method != "" && c.method != http.MethodPost:
		return usagef("--method %s: asynchronous calls are POST", c.method)
	}
	c.method, c.prefix = http.MethodPost, "/async-function/"
	if f.callback == "" {
		return nil
	}
	if u, err := url.Parse(f.callback); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("--callback %q: want a URL, as http://192.168.1.7:9000/done", f.callback)
	}
	c.header.Set("X-Callback-Url", f.callback)
	return nil
}

// showAccepted writes the call's ID, and returns an error unless it was accepted.
func (f *invokeFlags) showAccepted(w io.Writer, c *invocation, a *answer) error {
	if a.status != http.StatusAccepted {
		return f.show(w, c, a)
	}
	defer a.body.Close()
	if f.include {
		showHeader(w, a)
	}
	_, err := fmt.Fprintln(w, a.header.Get("X-Call-Id"))
	return err
}
