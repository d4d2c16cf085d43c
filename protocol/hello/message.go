package hello

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/p2pfaas/p2pfaas/protocol/pb/hellopb"
)

// message is a hello with, in answers, the verdict on the other side's.
type message struct {
	Hello
	code Code
	text string
}

// read reads one message of at most MaxSize bytes and believes nothing of it
// before it is checked.
func read(r io.Reader) (message, error) {
	var wire hellopb.Hello
	opts := protodelim.UnmarshalOptions{MaxSize: MaxSize}
	if err := opts.UnmarshalFrom(bufio.NewReaderSize(r, 512), &wire); err != nil {
		return message{}, fmt.Errorf("read hello: %w", err)
	}
	m, err := fromWire(&wire)
	if err != nil {
		return message{}, err
	}
	return m, m.check()
}

// write sends one message in one Write.
func write(w io.Writer, m *message) error {
	wire, err := toWire(m)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := protodelim.MarshalTo(&b, wire); err != nil {
		return fmt.Errorf("encode hello: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write hello: %w", err)
	}
	return nil
}

func toWire(m *message) (*hellopb.Hello, error) {
	report, err := reportToWire(m.Report)
	return &hellopb.Hello{
		Mesh:         m.Mesh,
		Version:      m.Version,
		Incarnation:  m.Incarnation,
		Role:         hellopb.Hello_Role(m.Role),
		Capabilities: m.Capabilities,
		Zone:         m.Zone,
		Arch:         m.Arch,
		Report:       report,
		Credential:   m.Credential,
		Code:         uint32(m.code),
		Text:         m.text,
	}, err
}

func fromWire(w *hellopb.Hello) (message, error) {
	report, err := reportFromWire(w.GetReport())
	role := Member
	if w.GetRole() != hellopb.Hello_MEMBER {
		role = Client // a role of a later version gets the least rights
	}
	return message{
		Hello: Hello{
			Mesh:         w.GetMesh(),
			Version:      w.GetVersion(),
			Incarnation:  w.GetIncarnation(),
			Role:         role,
			Capabilities: w.GetCapabilities(),
			Zone:         w.GetZone(),
			Arch:         w.GetArch(),
			Report:       report,
			Credential:   w.GetCredential(),
		},
		code: Code(w.GetCode()),
		text: printable(w.GetText(), MaxText),
	}, err
}

// check tells what is wrong with a message, unless it is a refusal: a refused
// side needs to know no more than why.
func (m *message) check() error {
	if m.code != Accepted {
		return nil
	}
	return m.Validate()
}

// Validate says what is wrong with a hello.
func (h *Hello) Validate() error {
	if err := CheckMesh(h.Mesh); err != nil {
		return err
	}
	if len(h.Capabilities) > MaxCapabilities {
		return fmt.Errorf("%d capabilities: at most %d are allowed", len(h.Capabilities), MaxCapabilities)
	}
	if len(h.Credential) > MaxCredential {
		return fmt.Errorf("credential of %d bytes: at most %d are allowed", len(h.Credential), MaxCredential)
	}
	words := append([]string{h.Version, h.Zone, h.Arch}, h.Capabilities...)
	for _, w := range words {
		if len(w) > MaxWord || printable(w, MaxWord) != w {
			return fmt.Errorf("%.80q: want at most %d bytes of printable text", w, MaxWord)
		}
	}
	return nil
}

// CheckMesh says what is wrong with the name of a mesh.
func CheckMesh(name string) error {
	if len(name) == 0 || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("mesh name %.40q: want 1 to 32 of a-z, 0-9 and -", name)
	}
	return nil
}

// printable is s as it may stand in a log line, cut at max bytes: what a peer
// says about itself must not forge lines or colours.
func printable(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
