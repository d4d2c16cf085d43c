package httpcall

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/p2pfaas/p2pfaas/faas"
)

var errMalformed = errors.New("function's answer is not valid HTTP/1.1")

// head is the parsed header of an answer.
type head struct {
	status  int
	header  faas.Header // end-to-end fields without Content-Length
	size    int64       // Content-Length, -1 if absent
	chunked bool
	close   bool   // the connection ends with this answer
	named   string // fields that Connection names as hop-by-hop
}

// parseHead reads the status line and the fields. Names and values are parts
// of text: with room in fields nothing is allocated. Lines may end in LF alone.
func parseHead(text string, fields faas.Header) (head, error) {
	h := head{header: fields[:0], size: -1}
	line, rest, _ := strings.Cut(text, "\n")
	if err := h.statusLine(strings.TrimSuffix(line, "\r")); err != nil {
		return h, err
	}
	for n := 0; rest != ""; n++ {
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if err := h.field(line, n); err != nil {
			return h, err
		}
	}
	if h.named != "" {
		h.header.Add("Connection", h.named)
		h.header.DropHopByHop()
	}
	if h.chunked {
		// Both framings at once are allowed but suspect (RFC 9112, 6.3).
		h.close = h.close || h.size >= 0
		h.size = -1
	}
	return h, nil
}

func (h *head) statusLine(line string) error {
	const version = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || line[:len(version)] != version || line[8] != ' ' {
		return fmt.Errorf("%w: status line %.40q", errMalformed, line)
	}
	status, err := strconv.ParseUint(line[9:12], 10, 16)
	if err != nil || status < 100 || len(line) > 12 && line[12] != ' ' {
		return fmt.Errorf("%w: status line %.40q", errMalformed, line)
	}
	h.status, h.close = int(status), line[7] == '0'
	return nil
}

func (h *head) field(line string, n int) error {
	f, err := parseField(line)
	if err != nil {
		return err
	}
	if n >= maxFields {
		return fmt.Errorf("answer's header: %w: more than %d fields", errTooLarge, maxFields)
	}
	switch len(f.Name) {
	case len("Connection"):
		if strings.EqualFold(f.Name, "Connection") {
			h.connection(f.Value)
		}
	case len("Content-Length"):
		if strings.EqualFold(f.Name, "Content-Length") {
			return h.length(f.Value)
		}
	case len("Transfer-Encoding"):
		if strings.EqualFold(f.Name, "Transfer-Encoding") {
			return h.encoding(f.Value)
		}
	}
	if !hopByHop(f.Name) {
		h.header = append(h.header, f)
	}
	return nil
}

func (h *head) connection(tokens string) {
	for tokens != "" {
		var one string
		one, tokens, _ = strings.Cut(tokens, ",")
		switch one = strings.Trim(one, " \t"); {
		case one == "":
		case strings.EqualFold(one, "close"):
			h.close = true
		case strings.EqualFold(one, "keep-alive"):
			h.close = false
		case strings.EqualFold(one, "upgrade"):
		default:
			h.named += "," + one
		}
	}
}

// length accepts a repeated Content-Length only if it says the same: two that
// differ are how an answer is smuggled into the next.
func (h *head) length(value string) error {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || h.size >= 0 && h.size != int64(n) {
		return fmt.Errorf("%w: Content-Length %.40q", errMalformed, value)
	}
	h.size = int64(n)
	return nil
}

func (h *head) encoding(value string) error {
	if h.chunked || !strings.EqualFold(value, "chunked") {
		return fmt.Errorf("%w: Transfer-Encoding %.40q", errMalformed, value)
	}
	h.chunked = true
	return nil
}

func parseField(line string) (faas.Field, error) {
	name, value, found := strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return faas.Field{}, fmt.Errorf("%w: header field %.40q", errMalformed, line)
	}
	return faas.Field{Name: name, Value: value}, nil
}
