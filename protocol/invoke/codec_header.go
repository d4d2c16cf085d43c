package invoke

import (
	"fmt"
	"strings"
)

// appendHeader leaves out what does not cross the wire.
func appendHeader(b []byte, t tag, h Header) []byte {
	named := connectionOptions(h)
	for i := range h {
		if !crosses(h[i].Name) || named != "" && isOption(named, h[i].Name) {
			continue
		}
		var at int
		b, at = open(b, t)
		b = appendString(b, fieldName, h[i].Name)
		b = appendString(b, fieldValue, h[i].Value)
		b = shut(b, at)
	}
	return b
}

func parseHeader(c cursor, h *Header) error {
	if len(*h) == maxFields {
		return fmt.Errorf("more than %d header fields: %w", maxFields, errTooLarge)
	}
	var f field
	var line Field
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		switch f.tag {
		case fieldName:
			if err := c.str(&f, &line.Name); err != nil {
				return err
			}
		case fieldValue:
			line.Value = c.raw(&f)
		}
	}
	if crosses(line.Name) {
		*h = append(*h, line)
	}
	return nil
}

// crosses tells whether a field is end to end. Host and Content-Length are
// not: they have places of their own on the wire, and two that differ would be
// two messages to two readers.
func crosses(name string) bool {
	switch len(name) {
	case 2:
		return !strings.EqualFold(name, "Te")
	case 4:
		return !strings.EqualFold(name, "Host")
	case 7:
		return !strings.EqualFold(name, "Trailer") && !strings.EqualFold(name, "Upgrade")
	case 10:
		return !strings.EqualFold(name, "Connection") && !strings.EqualFold(name, "Keep-Alive")
	case 14:
		return !strings.EqualFold(name, "Content-Length")
	case 16:
		return !strings.EqualFold(name, "Proxy-Connection")
	case 17:
		return !strings.EqualFold(name, "Transfer-Encoding")
	case 18:
		return !strings.EqualFold(name, "Proxy-Authenticate")
	case 19:
		return !strings.EqualFold(name, "Proxy-Authorization")
	}
	return true
}

// connectionOptions are the values of Connection (RFC 9110, section 7.6.1).
func connectionOptions(h Header) string {
	named := ""
	for i := range h {
		if strings.EqualFold(h[i].Name, "Connection") {
			named += "," + h[i].Value
		}
	}
	return named
}

func isOption(named, name string) bool {
	for option := range strings.SplitSeq(named, ",") {
		if strings.EqualFold(strings.TrimSpace(option), name) {
			return true
		}
	}
	return false
}
